"""Born-digital pages: which ones are, and that their words lie where their ink is."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from fpdf import FPDF
from pikepdf import Dictionary, Name
from PIL import Image

from archive_pipeline.page import Page
from archive_pipeline.rendering import pdf_document
from archive_pipeline.rendering.model import PageImage, RenderOptions
from archive_pipeline.rendering.pages import inspect, render_page

from .rendering_samples import jpeg, pdf_of, text_pdf

OPTIONS = RenderOptions(dpi=144)
LINES = ["The quick brown fox", "jumps over the", "lazy dog, twice."]
FONT = {"/Font": Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))}
SCAN = Image.effect_noise((200, 200), 30).convert("RGB")
PAINT = b"q 200 0 0 200 0 0 cm /I0 Do Q\n"


@pytest.fixture(autouse=True)
def _forget():
    yield
    pdf_document.forget()


def render(data: bytes, folder: Path, options: RenderOptions = OPTIONS) -> PageImage:
    info = inspect(io.BytesIO(data), "a.pdf", options)
    return render_page(io.BytesIO(data), info, 0, 1, options, folder)


def text_of(data: bytes, folder: Path) -> Page | None:
    return render(data, folder).text


def written(*lines: str, mode: int = 0, size: int = 12, top: int = 180) -> bytes:
    """Drawing instructions for lines 20 points apart."""
    shows = b"".join(f"({line}) Tj 0 -20 Td\n".encode() for line in lines)
    return f"BT {mode} Tr /F {size} Tf 10 {top} Td\n".encode() + shows + b"ET\n"


def on_scan(content: bytes) -> bytes:
    return pdf_of(jpeg(SCAN), content=content, box=(0, 0, 200, 200), resources=FONT)


class TestWhichPages:
    def test_text_and_nothing_else(self, tmp_path):
        image = render(text_pdf(LINES), tmp_path)
        page = image.text
        assert page is not None
        assert (page.status, page.width, page.height) == ("born_digital", image.width, image.height)
        assert page.text == "\n".join(LINES)
        assert (page.image_digest, page.dpi) == (image.sha256, 144)
        assert [(step.task, step.engine) for step in page.steps] == [("text-extraction", "pdfium")]

    def test_unless_asked_otherwise(self, tmp_path):
        options = RenderOptions(dpi=144, born_digital="redo")
        assert render(text_pdf(LINES), tmp_path, options).text is None

    @pytest.mark.parametrize(
        "content",
        [
            PAINT + written(*LINES * 3, mode=3),
            written(*LINES * 3) + PAINT,
            PAINT + written("p. 123"),
            PAINT + written("Downloaded from an archive on 12 July 2019 at 14:22:31, subject to its terms", size=5),
            PAINT + written("CONFIDENTIAL", size=25, top=100),
            b"/P <</MCID 0>> BDC " + written("   ", " ") + b"EMC " + PAINT,
        ],
        ids=["invisible", "under the scan", "page number", "download notice", "watermark", "tagged, but blank"],
    )
    def test_a_scan_with_some_text_is_a_scan(self, tmp_path, content):
        assert text_of(on_scan(content), tmp_path) is None

    def test_a_slide_with_a_picture_behind_its_text(self, tmp_path):
        page = text_of(on_scan(PAINT + written(*LINES * 2)), tmp_path)
        assert page is not None
        assert page.text.startswith("The quick brown fox\njumps over")

    @pytest.mark.parametrize(
        "content",
        [
            written("12"),
            written(*LINES, mode=3),
            written(*LINES, mode=7),
            b"/G gs " + written(*LINES),
            b"1 0 0 1 500 0 cm " + written(*LINES),
        ],
        ids=["lone number", "invisible", "clip", "transparent", "outside"],
    )
    def test_text_that_does_not_count(self, tmp_path, content):
        resources = {**FONT, "/ExtGState": Dictionary(G=Dictionary(ca=0))}
        assert text_of(pdf_of(content=content, box=(0, 0, 200, 200), resources=resources), tmp_path) is None

    def test_fonts_that_do_not_say_their_characters(self, tmp_path):
        data = text_pdf(LINES)
        pdf = pikepdf.open(io.BytesIO(data))
        glyph = pdf.make_stream(b"500 0 0 0 500 700 d1 0 0 400 700 re f")
        font = Dictionary(
            Type=Name.Font, Subtype=Name.Type3, FontBBox=[0, 0, 500, 700], FontMatrix=[0.001, 0, 0, 0.001, 0, 0],
            CharProcs=Dictionary(g1=glyph, g2=glyph), FirstChar=1, LastChar=2, Widths=[500, 500],
            Encoding=Dictionary(Type=Name.Encoding, Differences=[1, Name.g1, Name.g2]), Resources=Dictionary(),
        )  # fmt: skip
        content = b"BT /F 12 Tf 10 100 Td (" + b"\1\2" * 20 + b") Tj ET"
        data = pdf_of(pdf=pikepdf.new(), content=content, resources=FONT, box=(0, 0, 200, 200))
        with pikepdf.open(io.BytesIO(data)) as other:
            other.pages[0].Resources.Font.F = other.copy_foreign(pdf.make_indirect(font))
            buffer = io.BytesIO()
            other.save(buffer)
        assert text_of(buffer.getvalue(), tmp_path) is None


class TestWhere:
    @pytest.mark.parametrize("rotate", [0, 90, 180, 270])
    def test_words_lie_on_their_ink(self, tmp_path, rotate):
        image = render(text_pdf(["Hxxxx xxxxH", "Hxxxxxxx"], rotate=rotate), tmp_path)
        assert image.text is not None
        with Image.open(tmp_path / image.file) as opened:
            ink = np.asarray(opened.convert("L")) < 128
        covered = np.zeros_like(ink)
        for line in image.text.lines():
            for word in line.words:
                left, top, right, bottom = word.box
                covered[top:bottom, left:right] = True
                assert ink[top:bottom, left:right].any()
            (x0, y0), (x1, y1) = line.baseline
            # x-height letters and H stand on the baseline and have nothing below it: there is ink on one side only.
            across = rotate in (0, 180)
            assert (y0 == y1) if across else (x0 == x1)
            forward = (x1 - x0) if across else (y1 - y0)
            assert (forward > 0) == (rotate in (0, 90))
            here, side = (y0, -3 if rotate == 0 else 3) if across else (x0, -3 if rotate == 270 else 3)
            strip = ink if across else ink.T
            low, high = sorted((x0, x1) if across else (y0, y1))
            assert strip[here + side, low:high].any()
            assert not strip[here - side, low:high].any()
        assert not (ink & ~covered).any()
        # Text that stands sideways is taken for vertical writing, whose lines are read from the right.
        assert sorted(image.text.text.split()) == ["Hxxxx", "Hxxxxxxx", "xxxxH"]

    @pytest.mark.parametrize(
        ("rotate", "matrix"),
        [(0, "1 0 0 1 20 180"), (90, "0 1 -1 0 20 20"), (180, "-1 0 0 -1 180 20"), (270, "0 -1 1 0 180 180")],
    )
    def test_a_page_turned_upright_reads_as_upright(self, tmp_path, rotate, matrix):
        content = f"BT /F 12 Tf {matrix} Tm (first line here) Tj 0 -20 Td (second line) Tj 0 -20 Td (third) Tj ET"
        data = pdf_of(content=content.encode(), resources=FONT, box=(0, 0, 200, 200), Rotate=rotate)
        page = text_of(data, tmp_path)
        assert page is not None
        assert page.text == "first line here\nsecond line\nthird"
        for line in page.lines():
            (x0, y0), (x1, y1) = line.baseline
            assert (x0, y0 == y1, x1 > x0) == (40, True, True)

    def test_regions_follow_the_columns(self, tmp_path):
        content = written("left one", "left two") + b"BT /F 12 Tf 110 180 Td (right one) Tj 0 -20 Td (right two) Tj ET"
        page = text_of(pdf_of(content=content, resources=FONT, box=(0, 0, 200, 200)), tmp_path)
        assert page is not None
        assert [[line.text for line in region.lines] for region in page.regions] == [
            ["left one", "left two"],
            ["right one", "right two"],
        ]
        assert len({line.id for line in page.lines()} | {region.id for region in page.regions}) == 6

    def test_a_hyphen_at_the_end_of_a_line(self, tmp_path):
        page = text_of(text_pdf(["It is a manu-", "script of mine"]), tmp_path)
        assert page is not None
        assert page.text == "It is a manu-\nscript of mine"

    def test_composed_characters_are_composed(self, tmp_path):
        page = text_of(text_pdf(["Café à Zürich, 1914"]), tmp_path)
        assert page is not None
        assert page.text == "Café à Zürich, 1914"

    def test_right_to_left(self, tmp_path):
        fonts = sorted(Path("/usr/share/fonts").rglob("*DejaVuSans.ttf"))
        if not fonts:
            pytest.skip("no font with Hebrew letters is installed")
        pdf = FPDF(unit="pt", format=(200, 200))
        pdf.add_page()
        pdf.add_font("F", fname=fonts[0])
        pdf.set_font("F", size=12)
        pdf.set_text_shaping(use_shaping_engine=False)
        pdf.text(20, 50, "שלום עולם טוב"[::-1])
        page = text_of(bytes(pdf.output()), tmp_path)
        assert page is not None
        (line,) = page.lines()
        assert line.direction == "rtl"
        assert line.baseline[0][0] > line.baseline[1][0]
