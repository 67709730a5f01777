"""The searchable PDF at scale, and of a real document where one is given.

Real documents are not in the repository. To check one, name a PDF of scans in ``ARCHIVE_TEST_PDF`` and a folder with
its ground truth in ``ARCHIVE_TEST_ALTO``: ALTO files, one a page, in the order of their names, in pixels of the scans.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from lxml import etree
from rapidfuzz import fuzz

from archive_pipeline.exports import text
from archive_pipeline.exports.pdf_report import PdfMetadata
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Line, Page, Point, Region
from archive_pipeline.rendering.geometry import PageBox, display, inverse
from archive_pipeline.rendering.model import PageImage

_SCALE = """
import io, resource, sys
from pathlib import Path
import pikepdf
from PIL import Image
from archive_pipeline.exports.base import LazySequence
from archive_pipeline.exports.pdf_report import PdfMetadata
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.rendering.model import PageImage

count, kind, folder = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
width, height = 1600, 2200
buffer = io.BytesIO()
Image.effect_noise((width, height), 30).save(buffer, "JPEG", quality=50)
scan = buffer.getvalue()

def page(index):
    lines = tuple(
        Line(id=f"l{n}", boundary=((150, y), (1450, y), (1450, y + 34), (150, y + 34)),
             baseline=((150, y + 27), (1450, y + 30)), text=f"Zeile {n} von Seite {index}: " + "Wort für Wort " * 3)
        for n, y in enumerate(range(100, 2100, 45))
    )
    return Page(number=index + 1, width=width, height=height, regions=(Region(id="r", boundary=(), lines=lines),))

def image(index):
    placement = (0.36, 0, 0, -0.36, 0, 792) if kind == "pdf" else None
    return PageImage(number=index + 1, file="", sha256="", width=width, height=height, dpi=200,
                     method="embedded-image", placement=placement)

# Each one different, so that none is stored once for all.
files = (scan + index.to_bytes(4, "big") for index in range(count))
if kind == "pdf":
    with pikepdf.new() as pdf:
        for data in files:
            added = pdf.add_blank_page(page_size=(576, 792)).obj
            added.Contents = pdf.make_stream(b"q 576 0 0 792 0 0 cm /Im Do Q")
            added.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im=pdf.make_stream(
                data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=width, Height=height,
                ColorSpace=pikepdf.Name.DeviceGray, BitsPerComponent=8, Filter=pikepdf.Name.DCTDecode)))
        pdf.save(folder / "source.pdf")
    sys.exit()
sources = map(io.BytesIO, files) if kind == "image" else [(folder / "source.pdf").open("rb")]
kind = "pdf" if kind == "again" else kind
report = write_searchable_pdf(sources, kind, LazySequence(count, page), LazySequence(count, image), lambda _: None,
                              folder / "document.pdf", PdfMetadata(title="", source_digest=""))
assert report.pdfa and report.pages == count, report
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, count * len(scan))
"""


def measure(count: int, kind: str, folder: Path) -> tuple[float, float]:
    """Peak memory in MB, and bytes a page beside the images, of writing the PDF in a process of its own."""
    command = [sys.executable, "-c", _SCALE, str(count), kind, str(folder)]
    memory, images = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(memory), ((folder / "document.pdf").stat().st_size - int(images)) / count


@pytest.mark.parametrize("kind", ["pdf", "image"])
def test_memory_does_not_grow_with_the_document(tmp_path: Path, kind: str) -> None:
    figures = []
    for count in (60, 150):
        if kind == "pdf":
            command = [sys.executable, "-c", _SCALE, str(count), "pdf", str(tmp_path)]
            subprocess.run(command, check=True)
        figures.append(measure(count, "again" if kind == "pdf" else "image", tmp_path))
    (few, _), (many, overhead) = figures
    # The texts of 90 pages, compressed, and what waits for the garbage collector; their images alone have 80 MB.
    assert many - few < 40
    assert overhead < 6_000


def test_a_real_document(tmp_path: Path) -> None:
    source, truth = os.environ.get("ARCHIVE_TEST_PDF"), os.environ.get("ARCHIVE_TEST_ALTO")
    if not source or not truth:
        pytest.skip("name a real document in ARCHIVE_TEST_PDF and its ground truth in ARCHIVE_TEST_ALTO")
    pages = [alto_page(path, number) for number, path in enumerate(sorted(Path(truth).glob("*.xml")), 1)]
    target = tmp_path / "document.pdf"
    with Path(source).open("rb") as file:
        metadata = PdfMetadata(title="real", source_digest="")
        report = write_searchable_pdf(
            [file], "pdf", pages, image_records(Path(source), pages), no_image, target, metadata
        )
    assert report.pdfa, report.reason
    assert image_streams(Path(source)) == image_streams(target)
    assert target.stat().st_size <= 1.1 * Path(source).stat().st_size + 15_000 * len(pages)
    expected = " ".join(text.PAGE_BREAK.join(map(text.render, pages)).split())
    with pypdfium2.PdfDocument(target) as pdf:
        found = " ".join(page.get_textpage().get_text_range().replace("\ufffe", "-\n") for page in pdf)
    assert fuzz.ratio(" ".join(found.split()), expected) >= 99.5
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed; PDFium's reading was compared")
    raw = subprocess.run(["pdftotext", "-raw", target, "-"], capture_output=True, text=True, check=True).stdout
    assert fuzz.ratio(" ".join(raw.split()), expected) >= 99.5


def no_image(_: PageImage) -> None:
    raise AssertionError("no page image is needed")


def image_records(source: Path, pages: list[Page]) -> list[PageImage]:
    """Records of page images that fill the PDF's pages."""
    with pikepdf.open(source) as pdf:
        boxes = [PageBox(*map(float, page.cropbox)) for page in pdf.pages]
    return [
        PageImage(
            number=page.number,
            file="",
            sha256="",
            width=page.width,
            height=page.height,
            method="embedded-image",
            placement=inverse(display(box, 0, page.width, page.height)),
        )
        for page, box in zip(pages, boxes, strict=True)
    ]


def image_streams(path: Path) -> list[str]:
    with pikepdf.open(path) as pdf:
        found = [image for page in pdf.pages for image in page.get_images().values()]
        return [hashlib.sha256(image.read_raw_bytes()).hexdigest() for image in found]


def alto_page(path: Path, number: int) -> Page:
    root = etree.parse(str(path)).getroot()
    layout = root.find(".//{*}Page")
    regions = tuple(
        Region(
            id=block.get("ID"),
            boundary=polygon(block),
            lines=tuple(
                Line(
                    id=line.get("ID"),
                    boundary=polygon(line),
                    baseline=points(line.get("BASELINE", "")),
                    text=" ".join(string.get("CONTENT") for string in line.iterfind("{*}String")),
                )
                for line in block.iterfind("{*}TextLine")
            ),
        )
        for block in layout.iterfind(".//{*}TextBlock")
    )
    return Page(number=number, width=int(layout.get("WIDTH")), height=int(layout.get("HEIGHT")), regions=regions)


def polygon(element: etree._Element) -> tuple[Point, ...]:
    found = element.find("{*}Shape/{*}Polygon")
    return points(found.get("POINTS")) if found is not None else ()


def points(numbers: str) -> tuple[Point, ...]:
    values = [round(float(value)) for value in numbers.replace(",", " ").split()]
    return tuple(zip(values[::2], values[1::2], strict=True))
