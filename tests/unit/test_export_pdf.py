"""The searchable PDF: original pages, text where the words are, PDF/A, equal bytes."""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import img2pdf
import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name, pdfa
from PIL import Image
from rapidfuzz import fuzz

from archive_pipeline.errors import DamagedFile, DocumentFailed, PasswordProtected
from archive_pipeline.exports import pdf_font, text
from archive_pipeline.exports.pdf_report import PdfMetadata, PdfReport
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Line, Page, PageStatus, Region, Step, Word
from archive_pipeline.rendering.geometry import PageBox, apply, display, inverse
from archive_pipeline.rendering.model import Matrix, PageImage

WIDTH, HEIGHT = 600, 800
METADATA = PdfMetadata(
    title="Lettre à <Anne>",
    source_digest="ab" * 32,
    date="2019-03-04T05:06:07Z",
    steps=(Step(task="recognition", engine="ppocr", version="3.10", model="latin", model_digest="cd" * 32),),
)


def jpeg(**options: object) -> bytes:
    image = Image.effect_noise((WIDTH, HEIGHT), 40).convert("RGB")
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60, **options)
    return buffer.getvalue()


def scan(pages: int = 1) -> bytes:
    """A PDF of images, a pixel a point."""
    layout = img2pdf.get_fixed_dpi_layout_fun((72, 72))
    return bytes(img2pdf.convert([jpeg()] * pages, layout_fun=layout, nodate=True))


def line(content: str, left: int = 50, top: int = 100, right: int = 450, *, drop: int = 0, **more: object) -> Line:
    """A line of 24 pixels' height with a box for each word; it falls by ``drop`` pixels from left to right."""
    split, natural = content.split(), max(len(content), 1)
    boxes, position = [], 0
    for word in split:
        a, b = (left + (right - left) * p // natural for p in (position, position + len(word)))
        y = top + drop * (a - left) // (right - left)
        boxes.append(Word(text=word, box=(a, y, b, y + 24)))
        position += len(word) + 1
    boundary = ((left, top), (right, top + drop), (right, top + 24 + drop), (left, top + 24))
    baseline = ((left, top + 18), (right, top + 18 + drop))
    given = {"id": "l", "boundary": boundary, "baseline": baseline, "text": content, "words": tuple(boxes)} | more
    return Line.model_validate(given)


def page(*lines: Line, number: int = 1, status: PageStatus = "done", **more: object) -> Page:
    region = Region(id="r", boundary=((0, 0), (WIDTH, 0), (WIDTH, HEIGHT)), lines=lines)
    given = {"number": number, "width": WIDTH, "height": HEIGHT, "status": status, "regions": (region,)} | more
    return Page.model_validate(given)


def image_of(number: int = 1, placement: Matrix | None = (1, 0, 0, -1, 0, HEIGHT), **more: object) -> PageImage:
    given = {
        "number": number,
        "file": "0001.png",
        "sha256": "",
        "width": WIDTH,
        "height": HEIGHT,
        "placement": placement,
    }
    return PageImage.model_validate(given | {"method": "embedded-image"} | more)


def write(source: bytes, pages: Sequence[Page], target: Path, images: Sequence[PageImage] | None = None) -> PdfReport:
    images = images or [image_of(each.number) for each in pages]
    return write_searchable_pdf([io.BytesIO(source)], "pdf", pages, images, no_image, target, METADATA)


def no_image(_: PageImage) -> io.BytesIO:
    raise AssertionError("no page image is needed")


def collapsed(text: str) -> str:
    return " ".join(re.sub("[\u200e\u200f\u202a-\u202e]", "", text).split())


def by_pdfium(path: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        found = "\f".join(each.get_textpage().get_text_range() for each in pdf)
    # What pdfium makes of a hyphen at the end of a line.
    return collapsed(found.replace("\ufffe", "-\n"))


def by_poppler(path: Path, *options: str) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler) is not installed")
    result = subprocess.run(["pdftotext", *options, path, "-"], capture_output=True, check=True)
    return collapsed(result.stdout.decode())


def image_streams(pdf: bytes | Path) -> list[str]:
    with pikepdf.open(io.BytesIO(pdf) if isinstance(pdf, bytes) else pdf) as opened:
        return [
            hashlib.sha256(image.read_raw_bytes()).hexdigest()
            for each in opened.pages
            for image in each.get_images().values()
        ]


def places_of(path: Path, word: str) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of a word's letters, in user space."""
    with pypdfium2.PdfDocument(path) as pdf:
        letters = pdf[0].get_textpage()
        start = letters.get_text_range().replace("\r", "").index(word)
        return [letters.get_charbox(start + i, loose=True) for i in range(len(word))]


PROSE = (
    line("Monsieur, j'ai l'honneur de vous", top=100),
    line("adresser ci-joint le rap-", top=140, drop=6),
    line("port du 3 août 1914, ſo æther ﬁn oͤ", top=180, drop=-20),
    line("uncorrected txet", top=220, correction="corrected text"),
    line("no words at all, only a line", top=260, words=()),
    line("steep words along a slope", top=300, drop=100),
)


def test_text_is_extracted_as_it_is_exported(tmp_path: Path) -> None:
    pages = [page(*PROSE), page(line("zweite Seite"), number=2)]
    report = write(scan(2), pages, tmp_path / "a.pdf")
    assert report == PdfReport(pages=2, pdfa=True)
    expected = collapsed(text.PAGE_BREAK.join(map(text.render, pages)))
    assert "corrected text" in expected
    assert by_pdfium(tmp_path / "a.pdf") == expected.replace("ﬁ", "fi")  # pdfium spells ligatures out
    assert by_poppler(tmp_path / "a.pdf", "-raw") == expected
    # The mode of viewers, which puts the text together anew: all but the steep line is found there, too.
    assert fuzz.ratio(by_poppler(tmp_path / "a.pdf").replace("rapport", "rap- port"), expected) > 85


def test_two_runs_give_equal_bytes_and_images_stay_as_they_are(tmp_path: Path) -> None:
    source = scan(2)
    pages = [page(*PROSE), page(line("zweite Seite"), number=2)]
    write(source, pages, tmp_path / "a.pdf")
    write(source, pages, tmp_path / "b.pdf")
    written = (tmp_path / "a.pdf").read_bytes()
    assert written == (tmp_path / "b.pdf").read_bytes()
    assert image_streams(source) == image_streams(written)
    assert len(written) <= 1.1 * len(source) + 15_000 * len(pages)


def test_the_pdf_says_what_it_is(tmp_path: Path) -> None:
    write(scan(), [page(*PROSE)], tmp_path / "a.pdf")
    assert pdfa.validate_written(tmp_path / "a.pdf", "2b").passed
    with pikepdf.open(tmp_path / "a.pdf") as pdf, pdf.open_metadata() as xmp:
        assert xmp["dc:title"] == METADATA.title
        assert xmp["xmp:MetadataDate"] == METADATA.date
        assert xmp["dc:source"] == "sha256:" + "ab" * 32
        assert f"recognition: ppocr 3.10, model latin, SHA-256 {'cd' * 32}" in xmp["dc:contributor"]
        assert str(pdf.docinfo["/Producer"]).startswith("archive-pipeline")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_words_are_where_they_are_on_the_page(tmp_path: Path, rotation: int) -> None:
    with pikepdf.open(io.BytesIO(scan())) as pdf:
        pdf.pages[0].obj.MediaBox = Array([-30, -40, 700, 900])
        pdf.pages[0].obj.CropBox = Array([10, 20, 610, 820])
        pdf.pages[0].obj.Rotate = rotation
        buffer = io.BytesIO()
        pdf.save(buffer)
    width, height = (WIDTH, HEIGHT) if rotation % 180 == 0 else (HEIGHT, WIDTH)
    placement = inverse(display(PageBox(10, 20, 610, 820), rotation, width, height))
    words = line("first second third")
    pages = [page(words, width=width, height=height)]
    write(buffer.getvalue(), pages, tmp_path / "a.pdf", [image_of(placement=placement, width=width, height=height)])
    left, top, right, bottom = words.words[1].box
    corners = [apply(placement, x, y) for x, y in ((left, top), (right, bottom))]
    boxes = places_of(tmp_path / "a.pdf", "second")
    for axis in (0, 1):
        low, high = sorted(corner[axis] for corner in corners)
        assert min(box[axis] for box in boxes) == pytest.approx(low, abs=4)
        assert max(box[axis + 2] for box in boxes) == pytest.approx(high, abs=4)


def test_a_margin_s_text_runs_upwards(tmp_path: Path) -> None:
    upright = Line(id="l", boundary=((20, 100), (44, 100), (44, 400), (20, 400)), text="in the margin")
    write(scan(), [page(upright, line("and a line"))], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == "in the margin and a line"
    first, *_, last = places_of(tmp_path / "a.pdf", "margin")
    assert first[1] < last[1]
    assert first[0] == pytest.approx(20, abs=3)
    assert first[2] == pytest.approx(44, abs=3)


def test_right_to_left_text_comes_out_in_logical_order(tmp_path: Path) -> None:
    hebrew = "שלום עולם טוב"
    boxes = (Word(text="שלום", box=(330, 100, 450, 124)), Word(text="עולם", box=(200, 100, 320, 124)))
    boxes = (*boxes, Word(text="טוב", box=(50, 100, 150, 124)))
    pages = [page(line(hebrew, direction="rtl", words=boxes), line("السلام عليكم", top=150, direction="rtl", words=()))]
    write(scan(), pages, tmp_path / "a.pdf")
    expected = "שלום עולם טוב السلام عليكم"
    assert by_pdfium(tmp_path / "a.pdf") == expected
    assert by_poppler(tmp_path / "a.pdf", "-raw") == expected
    assert min(box[0] for box in places_of(tmp_path / "a.pdf", "עולם")) == pytest.approx(200, abs=3)


def test_any_character_survives(tmp_path: Path) -> None:
    strange = "漢字 😀 𝔄 \uf1ac ꝑꝓ⁊ ſ x̂ Ω я"
    write(scan(), [page(line(strange))], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == strange
    assert by_poppler(tmp_path / "a.pdf", "-raw") == strange
    assert pdfa.validate_written(tmp_path / "a.pdf", "2b").passed


def test_shapeless_lines_and_blocks_lose_no_text(tmp_path: Path) -> None:
    lines = (
        Line(id="a", boundary=(), text="nowhere"),
        Line(id="b", boundary=((100, 100),), baseline=((100, 100),), text="one point"),
        line(
            "touching words here",
            words=(
                Word(text="touching", box=(50, 100, 150, 124)),
                Word(text="words", box=(150, 100, 250, 124)),
                Word(text="here", box=(250, 100, 300, 124)),
            ),
        ),
        line(
            "boxes in disorder",
            top=200,
            words=tuple(Word(text=w, box=(50, 200, 51, 224)) for w in ("boxes", "in", "disorder")),
        ),
    )
    block = Region(id="b", boundary=((50, 300), (300, 300), (300, 500)), text="a block of text without lines " * 5)
    whole = page(*lines)
    whole = whole.model_copy(update={"regions": (*whole.regions, block)})
    write(scan(), [whole], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == collapsed(whole.text)
    assert by_poppler(tmp_path / "a.pdf", "-raw") == collapsed(whole.text)


def test_pages_that_need_an_eye_are_bookmarked_and_those_not_read_stay(tmp_path: Path) -> None:
    pages = [
        page(line("x"), status="failed", reason="too dark"),
        page(line("y"), number=2, status="skipped"),
        page(line("doubtful", confidence=0.71), number=3),
        page(line("certain", confidence=0.99), number=4),
    ]
    write(scan(4), pages, tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf").split() == ["doubtful", "certain"]
    with pikepdf.open(tmp_path / "a.pdf") as pdf, pdf.open_outline() as outline:
        assert [child.title for child in outline.root[0].children] == [
            "Page 1: not read: too dark",
            "Page 3: read with 71% confidence",
        ]
        assert pdfa.check(pdf, "2b").passed


def with_page(content: bytes, *fonts: str, **xobjects: bytes) -> bytes:
    """A scan whose page has more content before its image: text in standard fonts, and forms."""
    with pikepdf.open(io.BytesIO(scan())) as pdf:
        resources = pdf.pages[0].obj.Resources
        names = {
            f"/{name}": Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name(f"/{name}")) for name in fonts
        }
        resources.Font = Dictionary(names)
        for name, form in xobjects.items():
            stream = pdf.make_stream(form, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, WIDTH, HEIGHT]))
            stream.Resources = Dictionary(Font=Dictionary(names))
            resources.XObject[f"/{name}"] = stream
        pdf.pages[0].contents_add(content, prepend=True)
        buffer = io.BytesIO()
        pdf.save(buffer)
        return buffer.getvalue()


OLD = b"BT 3 Tr /Helvetica 12 Tf 50 700 Td (old layer) Tj ET"


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(with_page(b"q " + OLD + b" Q", "Helvetica"), id="render mode 3"),
        pytest.param(
            with_page(b"3 Tr BT /Helvetica 12 Tf 50 700 Td (old) Tj T* (layer) ' ET", "Helvetica"), id="outside"
        ),
        pytest.param(with_page(b"q /Old Do Q /Old Do", Old=OLD.replace(b"Helvetica", b"F")), id="form"),
        pytest.param(with_page(b"3 Tr /Old Do", Old=b"BT /F 12 Tf (old layer) Tj ET"), id="mode of the caller"),
        pytest.param(with_page(b"BT /Helvetica 12 Tf 50 700 Td (old layer) Tj ET", "Helvetica"), id="under the image"),
    ],
)
def test_another_program_s_text_layer_is_replaced(tmp_path: Path, source: bytes) -> None:
    assert "old" in by_pdfium_bytes(source)
    report = write(source, [page(line("new text"))], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == "new text"
    # The old layer's font is not embedded, and goes with it.
    assert report.pdfa, report.reason
    assert image_streams(source) == image_streams(tmp_path / "a.pdf")


def by_pdfium_bytes(source: bytes) -> str:
    with pypdfium2.PdfDocument(source) as pdf:
        return collapsed(pdf[0].get_textpage().get_text_range())


def test_text_that_is_seen_stays(tmp_path: Path) -> None:
    seen = b"BT /Helvetica 12 Tf 50 700 Td (stamp) Tj 3 Tr ( hidden) Tj ET"
    source = with_page(b"q Q", "Helvetica")
    with pikepdf.open(io.BytesIO(source)) as pdf:
        pdf.pages[0].contents_add(seen)
        pdf.pages[0].contents_add(b"BT 3 Tr 0 0 Td (old) Tj ET")
        buffer = io.BytesIO()
        pdf.save(buffer)
    report = write(buffer.getvalue(), [page(line("new text"))], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == "new text stamp hidden"
    assert not report.pdfa
    assert "font" in report.reason


def test_born_digital_and_unread_pages_keep_their_own_text(tmp_path: Path) -> None:
    source = with_page(OLD, "Helvetica")
    born = page(line("ours"), status="born_digital")
    for each, image in ((born, image_of(text=born)), (page(status="failed"), image_of())):
        write(source, [each], tmp_path / "a.pdf", [image])
        assert by_pdfium(tmp_path / "a.pdf") == "old layer"


def test_a_second_run_over_our_own_pdf_has_the_text_once(tmp_path: Path) -> None:
    write(scan(), [page(line("first reading"))], tmp_path / "a.pdf")
    write((tmp_path / "a.pdf").read_bytes(), [page(line("second reading"))], tmp_path / "b.pdf")
    assert by_pdfium(tmp_path / "b.pdf") == "second reading"


def test_shared_resources_do_not_mix_pages_up(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(scan(2))) as pdf:
        pdf.pages[1].obj.Resources = pdf.make_indirect(pdf.pages[0].obj.Resources)
        pdf.pages[0].obj.Resources = pdf.pages[1].obj.Resources
        buffer = io.BytesIO()
        pdf.save(buffer)
    write(buffer.getvalue(), [page(line("one")), page(line("two"), number=2)], tmp_path / "a.pdf")
    assert by_pdfium(tmp_path / "a.pdf") == "one two"


def test_passwords(tmp_path: Path) -> None:
    def locked(user: str) -> bytes:
        with pikepdf.open(io.BytesIO(scan())) as pdf:
            buffer = io.BytesIO()
            pdf.save(buffer, encryption=pikepdf.Encryption(owner="secret", user=user))
            return buffer.getvalue()

    assert write(locked(""), [page(line("open"))], tmp_path / "a.pdf").pdfa
    with pikepdf.open(tmp_path / "a.pdf") as pdf:
        assert not pdf.is_encrypted
    with pytest.raises(PasswordProtected):
        write(locked("user"), [page(line("shut"))], tmp_path / "b.pdf")
    with pytest.raises(DamagedFile):
        write(b"%PDF-1.4 nothing", [page()], tmp_path / "b.pdf")
    with pytest.raises(DocumentFailed, match="2 pages, but 1 were read"):
        write(scan(2), [page()], tmp_path / "b.pdf")
    assert not (tmp_path / "b.pdf").exists()


def test_scripts_go_and_forms_and_attachments_do_not_stop_it(tmp_path: Path) -> None:
    with pikepdf.open(io.BytesIO(scan())) as pdf:
        pdf.Root.OpenAction = Dictionary(S=Name.JavaScript, JS=b"app.alert(1)")
        pdf.attachments["note.txt"] = b"attached"
        field = Dictionary(FT=Name.Sig, T=b"signature", Type=Name.Annot, Subtype=Name.Widget, Rect=Array([0, 0, 0, 0]))
        pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.make_indirect(field)]), SigFlags=3)
        buffer = io.BytesIO()
        pdf.save(buffer)
    report = write(buffer.getvalue(), [page(line("text"))], tmp_path / "a.pdf")
    assert not report.pdfa
    assert report.reason
    written = (tmp_path / "a.pdf").read_bytes()
    with pikepdf.open(tmp_path / "a.pdf") as pdf, pdf.open_metadata() as xmp:
        assert "/OpenAction" not in pdf.Root
        assert "note.txt" in pdf.attachments
        assert "pdfaid:part" not in xmp
    write(buffer.getvalue(), [page(line("text"))], tmp_path / "a.pdf")
    assert written == (tmp_path / "a.pdf").read_bytes()


def test_the_font_is_still_where_ocrmypdf_brings_it() -> None:
    """The one thing taken from OCRmyPDF, whose package data is not promised."""
    with pikepdf.new() as pdf:
        font = pdf_font.PdfFont(pdf)
        assert font.width("nnnn") == pytest.approx(4 * font.width("n"))
        assert all(ord(char) in font._glyphs for char in "aſæﬁœß„ΩЯ\u0364\u2002")
