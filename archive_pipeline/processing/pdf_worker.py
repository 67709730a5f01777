"""The handler of the sealed child that writes ``document.pdf``: it parses the source, so it does not run in the parent.

It may read the source files and the document's own folder in the store, and nothing of any other document.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from archive_pipeline.exports.base import LazySequence
from archive_pipeline.exports.pdf_report import PdfMetadata
from archive_pipeline.exports.pdf_text_check import text_found
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Page
from archive_pipeline.processing.stored_pages import page_to_export, stored_image
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder

NAME = "document.pdf"


def handle(request: dict[str, Any], _files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Write the PDF into the scratch folder and report on it."""
    # Every page was held against our own limit when it was rendered; Pillow's is lower than that of a large map.
    Image.MAX_IMAGE_PIXELS = int(request["max_pixels"])
    folder = DocumentFolder(Path(request["folder"]))
    count = int(request["pages"])
    selected = set(request["selected"])

    def open_image(image: PageImage) -> BinaryIO:
        return (folder.images / image.file).open("rb")

    def load(index: int) -> Page:
        chosen = index + 1 in selected
        return page_to_export(folder, index + 1, selected=chosen, language=request.get("language"))

    pages = LazySequence(count, load)
    report = write_searchable_pdf(
        _open_each([Path(path) for path in request["sources"]]),
        request["kind"],
        pages,
        LazySequence(count, lambda index: stored_image(folder, index + 1)),
        open_image,
        scratch / NAME,
        PdfMetadata.model_validate(request["metadata"]),
    )
    report = report.model_copy(update={"text_found": tuple(text_found(scratch / NAME, pages))})
    return report.model_dump(mode="json")


def _open_each(paths: list[Path]) -> Iterator[BinaryIO]:
    """One after another, so that a folder of a thousand images needs one open file."""
    for path in paths:
        with path.open("rb") as file:
            yield file
