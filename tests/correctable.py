"""A document that was read with mistakes, and what a person makes of it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from archive_pipeline.durable import file_digest, write_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.stored_pages import StoredPage, stored_image, write_model
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.store import DocumentFolder, Store

KEY = DocumentKey("letters_1858.pdf")
SIZE = (400, 300)
MACHINE = ["Audieuce dn matin", "Lc sieur Martin", "a comparu"]


def line(name: str, number: int, text: str = "", shift: int = 0) -> Line:
    top = 20 + 60 * number + shift
    return Line(
        id=name,
        boundary=((10, top), (390, top), (390, top + 30), (10, top + 30)),
        baseline=((10, top + 22), (390, top + 22)),
        text=text,
        confidence=0.5,
    )


def page(lines: list[Line], image: str, number: int = 1) -> Page:
    boundary = ((0, 0), (399, 0), (399, 299), (0, 299))
    region = Region(id="r", boundary=boundary, lines=tuple(lines))
    return Page(number=number, width=SIZE[0], height=SIZE[1], image_digest=image, regions=(region,))


def show(folder: DocumentFolder, shade: int, source: str, number: int = 1) -> PageImage:
    """Give the document a page image."""
    folder.images.mkdir(parents=True, exist_ok=True)
    path = folder.images / f"{number:04d}.png"
    Image.new("L", SIZE, shade).save(path)
    image = PageImage(
        number=number,
        file=path.name,
        sha256=file_digest(path),
        width=SIZE[0],
        height=SIZE[1],
        method="image-file",
        source=source,
    )
    write_model(folder.image_record(number), image)
    return image


def read(folder: DocumentFolder, lines: list[Line], number: int = 1) -> None:
    """Have a machine read the page."""
    image = stored_image(folder, number)
    assert image is not None
    stored = StoredPage(made_from="x", page=page(lines, image.sha256, number))
    write_model(folder.transcription(number), stored)


def store_with_a_document(root: Path) -> Store:
    """A document of two pages, read."""
    store = Store(root)
    folder = store.document(KEY)
    info = SourceInfo(kind="pdf", media_type="application/pdf", pages=2)
    file = SourceFile(name="l.pdf", size=1, mtime_ns=0, sha256="5" * 64, info=info)
    write_model(folder.inspection, Inspection(kind="pdf", sha256="5" * 64, files=(file,)))
    write_json(folder.source, {"origin": "/uploads/letters_1858.pdf", "key": KEY})
    for number in (1, 2):
        show(folder, 100 + number, f"{'5' * 64}:{number - 1}", number)
        read(folder, [line(f"l{n}", n, text) for n, text in enumerate(MACHINE)], number)
    return store


def corrected(zipped: Path, change: Callable[[str], str], *, images: bool = True) -> Path:
    """What a person does: the same ZIP with other texts in its PAGE files."""
    path = zipped.with_name("back.zip")
    with zipfile.ZipFile(zipped) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            data = source.read(name)
            if name.endswith(".xml"):
                data = change(data.decode()).encode()
            elif not images:
                continue
            target.writestr(name, data)
    return path
