"""PDFs made from image files: embedded untouched, turned upright, replaced where PDF cannot hold them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Name
from PIL import Image

from archive_pipeline.errors import DocumentFailed, NoPages
from archive_pipeline.exports import pdf_source
from archive_pipeline.exports.pdf_report import PdfMetadata, PdfReport
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Line, Page, Region, Word
from archive_pipeline.rendering.model import PageImage

METADATA = PdfMetadata(title="scans", source_digest="ab" * 32, date="2019-03-04T05:06:07Z")
STORED = Image.linear_gradient("L").resize((300, 200))


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, kind, **options)
    return buffer.getvalue()


def turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def page_of(number: int, width: int, height: int, word: str = "word") -> Page:
    box = (100, 50, 180, 70)
    line = Line(
        id="l",
        boundary=((100, 50), (180, 50), (180, 70), (100, 70)),
        baseline=((100, 65), (180, 65)),
        text=word,
        words=(Word(text=word, box=box),),
    )
    return Page(
        number=number,
        width=width,
        height=height,
        regions=(Region(id="r", boundary=((0, 0), (width, 0), (width, height)), lines=(line,)),),
    )


def write(files: Sequence[bytes], sizes: Sequence[tuple[int, int]], target: Path, *, dpi: float = 72.5) -> PdfReport:
    """Write a PDF of image files; page images, if one is needed, are PNGs of the right size in white."""
    pages = [page_of(n, *size, word=f"word{n}") for n, size in enumerate(sizes, 1)]
    images = [
        PageImage(number=n, file="", sha256="", width=w, height=h, dpi=dpi, method="image-file")
        for n, (w, h) in enumerate(sizes, 1)
    ]

    def open_image(image: PageImage) -> io.BytesIO:
        return io.BytesIO(encoded(Image.new("L", (image.width, image.height), 255), "PNG"))

    return write_searchable_pdf(map(io.BytesIO, files), "image", pages, images, open_image, target, METADATA)


def images_in(path: Path) -> list[pikepdf.Object]:
    with pikepdf.open(path) as pdf:
        return [next(iter(page.get_images().values())).read_raw_bytes() for page in pdf.pages]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_jpeg_is_embedded_untouched_and_turned(tmp_path: Path, orientation: int) -> None:
    source = encoded(STORED, "JPEG", exif=turned(orientation))
    size = (300, 200) if orientation in (1, 3) else (200, 300)
    report = write([source], [size], tmp_path / "a.pdf")
    assert report == PdfReport(pages=1, pdfa=True)
    assert images_in(tmp_path / "a.pdf") == [source]
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
        page = pdf[0]
        assert page.get_size() == pytest.approx([side * 72 / 72.5 for side in size], abs=0.1)
        rendered = page.render(scale=72.5 / 72).to_pil().convert("L")
        expected = (
            Image.open(io.BytesIO(source)).transpose(
                {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90}[
                    orientation
                ]
            )
            if orientation != 1
            else STORED
        )
        for point in ((20, 30), (180, 30), (20, 180), (180, 180)):
            assert rendered.getpixel(point) == pytest.approx(expected.getpixel(point), abs=12)
        box = device_box(page, "word1")
    assert [value * 72.5 / 72 for value in box] == pytest.approx([100, 50, 180, 70], abs=4)


def device_box(page: pypdfium2.PdfPage, word: str) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a word on the displayed page, in points from its top left corner."""
    letters = page.get_textpage()
    boxes = [letters.get_charbox(letters.get_text_range().index(word) + i, loose=True) for i in range(len(word))]
    left, bottom = min(b[0] for b in boxes), min(b[1] for b in boxes)
    right, top = max(b[2] for b in boxes), max(b[3] for b in boxes)
    width, height = page.get_size()
    return {
        0: (left, height - top, right, height - bottom),
        90: (bottom, left, top, right),
        180: (width - right, bottom, width - left, top),
        270: (width - top, height - right, width - bottom, height - left),
    }[page.get_rotation()]


def test_all_kinds_of_files(tmp_path: Path) -> None:
    frames = [STORED.convert("1"), STORED.convert("RGB"), STORED]
    files = [
        encoded(STORED, "PNG"),
        encoded(frames[0], "TIFF", compression="tiff_lzw", save_all=True, append_images=frames[1:]),
        encoded(STORED, "TIFF"),
        encoded(STORED.convert("RGB"), "JPEG2000"),
    ]
    report = write(files, [(300, 200)] * 6, tmp_path / "a.pdf")
    assert report.notes == ()
    assert report.pages == 6
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        filters = [next(iter(page.get_images().values())).Filter for page in pdf.pages]
        assert filters[1] == Name.CCITTFaxDecode or filters[1][0] == Name.CCITTFaxDecode
        assert images_in(tmp_path / "a.pdf")[5] == files[3]
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as rendered:
        assert [page.get_textpage().get_text_range().strip() for page in rendered] == [f"word{n}" for n in range(1, 7)]
        for page in list(rendered)[2:5]:
            pixel = page.render(scale=72.5 / 72).to_pil().convert("L").getpixel((50, 150))
            assert pixel == pytest.approx(STORED.getpixel((50, 150)), abs=3)
    first = (tmp_path / "a.pdf").read_bytes()
    write(files, [(300, 200)] * 6, tmp_path / "a.pdf")
    assert first == (tmp_path / "a.pdf").read_bytes()


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(encoded(STORED, "JPEG", exif=turned(2)), id="mirrored"),
        pytest.param(encoded(STORED, "WEBP"), id="WebP"),
        pytest.param(encoded(STORED, "TIFF", compression="jpeg"), id="JPEG in TIFF"),
        pytest.param(b"no image at all", id="damaged"),
    ],
)
def test_what_pdf_cannot_hold_is_replaced_by_the_page_image(tmp_path: Path, source: bytes) -> None:
    report = write([source], [(300, 200)], tmp_path / "a.pdf")
    assert report.pdfa
    assert len(report.notes) == 1
    assert "Page 1 shows the page image" in report.notes[0]
    with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
        assert pdf[0].render().to_pil().convert("L").getpixel((50, 150)) == 255


def test_a_page_without_any_image_is_an_empty_page(tmp_path: Path) -> None:
    target = tmp_path / "a.pdf"
    page = Page(number=1, width=1, height=1, status="failed", reason="damaged")
    report = write_searchable_pdf(
        [io.BytesIO(b"junk")], "image", [page], [None], lambda _: io.BytesIO(), target, METADATA
    )
    assert report.notes == ("Page 1 is empty: its image cannot be put into a PDF.",)
    assert report.pages == 1


def test_an_unknown_resolution_becomes_200_dpi(tmp_path: Path) -> None:
    for dpi in (0, 72):
        write([encoded(STORED, "JPEG")], [(300, 200)], tmp_path / "a.pdf", dpi=dpi)
        with pypdfium2.PdfDocument(tmp_path / "a.pdf") as pdf:
            assert pdf[0].get_size() == pytest.approx((108, 72), abs=0.1)


def test_a_colour_space_that_pdfa_refuses_makes_an_ordinary_pdf(tmp_path: Path) -> None:
    source = encoded(STORED.convert("CMYK"), "JPEG")
    report = write([source], [(300, 200)], tmp_path / "a.pdf")
    assert not report.pdfa
    assert "CMYK" in report.reason
    assert images_in(tmp_path / "a.pdf") == [source]


def test_many_files_go_through_the_disk_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_source, "_CHUNK", 20_000)
    files = [encoded(STORED.rotate(n), "JPEG") for n in range(12)]
    report = write(files, [(300, 200)] * 12, tmp_path / "a.pdf")
    assert report.pages == 12
    assert images_in(tmp_path / "a.pdf") == files
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


def test_more_or_fewer_files_than_pages_are_an_error(tmp_path: Path) -> None:
    source = encoded(STORED, "JPEG")
    for files, error in (([source] * 2, DocumentFailed), ([], NoPages)):
        with pytest.raises(error):
            write(files, [(300, 200)], tmp_path / "a.pdf")
        assert not list(tmp_path.iterdir())


def test_joined_images_carry_no_mark_of_the_time_at_which_they_were_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_source, "_CHUNK", 1)
    joined: list[pikepdf.Dictionary] = []
    finish = pdf_source.ImagePages.finish

    def watched(pages: pdf_source.ImagePages) -> pikepdf.Pdf:
        pdf = finish(pages)
        joined.append(pdf.trailer)
        assert "/ID" not in pdf.trailer
        return pdf

    monkeypatch.setattr(pdf_source.ImagePages, "finish", watched)
    write([encoded(STORED, "PNG")] * 2, [(300, 200)] * 2, tmp_path / "a.pdf")
    assert len(joined) == 1
