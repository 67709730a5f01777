"""TEI: every page, region and line has its zone, and every piece of the text points to one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from archive_pipeline.exports import tei
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.rendering.model import PageImage

NS = {"t": tei.NAMESPACE}
ID = "{http://www.w3.org/XML/1998/namespace}id"
BOX = ((10, 20), (60, 20), (60, 30), (10, 30))
STEP = Step(task="recognition", engine="pp ocr", version="v3.1-rc", model="m\x01", model_digest="ab")


def make(pages: Sequence[Page]) -> ExportDocument:
    images = [
        None
        if page.status == "failed"
        else PageImage(
            number=page.number,
            file=f"{page.number:04d}.jpg",
            sha256="",
            width=page.width,
            height=page.height,
            method="image-file",
        )
        for page in pages
    ]
    return ExportDocument(
        key="letter-1",
        title="Letter & <1>\x01",
        source_digest="0" * 64,
        source_date="2020-05-17T10:11:12+02:00",
        pages=pages,
        images=images,
        image_folder=Path("images"),
        notes=("A note.",),
    )


def write(pages: Sequence[Page], folder: Path) -> etree._Element:
    """The document, in which all ids differ and all references lead somewhere."""
    (path,) = tei.write(make(pages), folder)
    root = etree.parse(path).getroot()
    ids = [element.get(ID) for element in root.xpath("//*[@xml:id]")]
    assert len(ids) == len(set(ids))
    assert {reference[1:] for reference in root.xpath("//@facs | //@resp")} <= set(ids)
    return root


def region(kind: str, text: str = "text", name: str = "r") -> Region:
    line = Line(id="l", boundary=BOX, text=text)
    return Region.model_validate({"id": name, "type": kind, "boundary": BOX, "lines": (line,)})


def page(number: int, *regions: Region, language: str | None = None) -> Page:
    return Page(number=number, width=100, height=80, regions=regions, steps=(STEP,), language=language)


def test_pages_regions_and_lines_have_zones_that_the_text_points_to(tmp_path: Path) -> None:
    lines = (Line(id="1", boundary=BOX, text="one"), Line(id="1", boundary=((5, 5),), text="]]> <two> 😀"))
    root = write([page(1, Region(id="1", boundary=BOX, lines=lines))], tmp_path)
    surface = root.find(".//t:surface", NS)
    assert [surface.get(name) for name in ("ulx", "uly", "lrx", "lry")] == ["0", "0", "100", "80"]
    assert dict(surface.find("t:graphic", NS).attrib) == {
        "url": "images/0001.jpg",
        "width": "100px",
        "height": "80px",
    }
    zones = {zone.get(ID): zone.get("points") for zone in surface.iterfind(".//t:zone", NS)}
    assert root.find(".//t:pb", NS).get("facs") == f"#{surface.get(ID)}"
    breaks = root.findall(".//t:ab/t:lb", NS)
    assert zones[breaks[0].get("facs")[1:]] == "10,20 60,20 60,30 10,30"
    assert [(b.get("n"), b.tail.strip()) for b in breaks] == [("1", "one"), ("2", "]]> <two> 😀")]


def test_types_of_regions_become_the_elements_of_the_guidelines(tmp_path: Path) -> None:
    kinds = ["header", "page-number", "text", "heading", "heading", "marginalia", "table", "footer", "graphic"]
    regions = [region(kind, kind) for kind in kinds[:-1]] + [Region(id="g", type="graphic", boundary=BOX)]
    body = write([page(1, *regions)], tmp_path).find(".//t:body", NS)
    assert [etree.QName(child).localname for child in body] == ["pb", "fw", "fw", "ab", "div"]
    assert [etree.QName(child).localname for child in body[-1]] == ["head", "head", "note", "ab", "fw"]
    assert [element.get("type") for element in body.iter(f"{{{tei.NAMESPACE}}}fw")] == ["header", "pageNum", "footer"]
    assert body.find(".//t:note", NS).get("place") == "margin"


def test_a_division_lasts_over_the_end_of_a_page(tmp_path: Path) -> None:
    pages = [page(1, region("heading"), region("text")), page(2, region("text")), page(3, region("heading"))]
    first, second = write(pages, tmp_path).findall(".//t:body/t:div", NS)
    assert [etree.QName(child).localname for child in first] == ["head", "ab", "pb", "ab", "pb"]
    assert [etree.QName(child).localname for child in second] == ["head"]


def test_corrections_have_a_person_and_doubt_has_the_machine(tmp_path: Path) -> None:
    lines = (
        Line(id="a", boundary=BOX, text="olde", correction="old", confidence=0.1),
        Line(id="b", boundary=BOX, text="dim", confidence=0.59),
        Line(id="c", boundary=BOX, text="clear", confidence=0.6),
        Line(id="d", boundary=BOX, text="gone", correction=""),
        Line(id="e", boundary=BOX),
    )
    root = write([page(1, Region(id="r", boundary=BOX, lines=lines))], tmp_path)
    assert [(seg.text or "", seg.get("resp")) for seg in root.iterfind(".//t:seg", NS)] == [
        ("old", "#corrector"),
        ("", "#corrector"),
    ]
    (doubtful,) = root.findall(".//t:unclear", NS)
    assert (doubtful.text, doubtful.get("cert"), doubtful.get("resp")) == ("dim", "low", "#machine")
    assert "".join(root.find(".//t:ab", NS).itertext()).split() == ["old", "dim", "clear"]
    without = write([page(1, region("text"))], tmp_path)
    assert [person.get(ID) for person in without.iterfind(".//t:respStmt", NS)] == ["machine"]


def test_a_page_that_was_not_read_is_a_gap_with_the_reason(tmp_path: Path) -> None:
    failed = Page(number=1, width=1, height=1, status="failed", reason="too <large>")
    root = write([failed, Page(number=2, width=9, height=9, status="blank")], tmp_path)
    (gap,) = root.findall(".//t:gap", NS)
    assert (gap.get("reason"), gap.findtext("t:desc", namespaces=NS)) == ("failed", "too <large>")
    first, second = root.findall(".//t:surface", NS)
    assert first.get("lrx") is None
    assert first.find("t:graphic", NS) is None
    assert second.find("t:graphic", NS) is not None


def test_blocks_without_lines_keep_their_text(tmp_path: Path) -> None:
    block = Region(id="r", type="table", boundary=BOX, text="a block")
    (found,) = write([page(1, block)], tmp_path).findall(".//t:ab", NS)
    assert (found.text, found.get("type")) == ("a block", "table")


def test_the_header_says_what_the_text_was_made_from(tmp_path: Path) -> None:
    root = write([page(1, region("text"), language="fr"), page(2, language="no language")], tmp_path)
    header = root.find("t:teiHeader", NS)
    assert {idno.get("type"): idno.text for idno in header.iterfind(".//t:idno", NS)} == {
        "key": "letter-1",
        "sha256": "0" * 64,
    }
    assert header.findtext(".//t:date", namespaces=NS) == "2020-05-17T08:11:12Z"
    assert [language.get("ident") for language in header.iterfind(".//t:language", NS)] == ["fr"]
    engine = header.findall(".//t:application", NS)[1]
    assert (engine.get("ident"), engine.get("version")) == ("pp_ocr", "3.1")
    assert engine.findtext("t:label", namespaces=NS) == "pp ocr v3.1-rc: recognition"
    assert [desc.text for desc in engine.iterfind("t:desc", NS)] == ["model: m", "SHA-256 of the model: ab"]


points = st.tuples(st.integers(-50, 250), st.integers(-50, 250))
pages = st.lists(
    st.builds(
        Page,
        number=st.just(1),
        width=st.integers(1, 200),
        height=st.integers(1, 200),
        status=st.sampled_from(["done", "blank", "failed"]),
        reason=st.text(max_size=5),
        regions=st.lists(
            st.builds(
                Region,
                id=st.text(max_size=3),
                type=st.sampled_from(["text", "heading", "marginalia", "page-number"]),
                boundary=st.lists(points, max_size=4).map(tuple),
                lines=st.lists(
                    st.builds(
                        Line,
                        id=st.text(max_size=3),
                        boundary=st.lists(points, max_size=4).map(tuple),
                        text=st.text(max_size=9),
                    ),
                    max_size=3,
                ).map(tuple),
                text=st.text(max_size=9),
            ),
            max_size=3,
        ).map(tuple),
    ),
    min_size=1,
    max_size=3,
)


@settings(max_examples=20)
@given(drawn=pages)
def test_no_text_is_lost(drawn: list[Page], tmp_path_factory: pytest.TempPathFactory) -> None:
    numbered = [page.model_copy(update={"number": n}) for n, page in enumerate(drawn, 1)]
    root = write(numbered, tmp_path_factory.mktemp("tei"))
    for gap in root.findall(".//t:gap", NS):
        gap.getparent().remove(gap)
    assert "".join(root.find(".//t:body", NS).itertext()).split() == " ".join(p.text for p in numbered).split()
    assert len(root.findall(".//t:lb", NS)) == sum(len(list(p.lines())) for p in numbered)


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    document = make([page(1, region("heading")), page(2, region("text"))])
    first, second = (next(tei.write(document, tmp_path / name)).read_bytes() for name in "ab")
    assert first == second
