"""ALTO: valid by the schema, in order, with tags, provenance, hyphens and corrections where other tools look."""

from __future__ import annotations

import copy
import dataclasses
import functools

import pytest
from htrvx.schemas import Validator
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from archive_pipeline.exports import alto
from archive_pipeline.exports.base import ExportOptions
from archive_pipeline.exports.hyphenation import Hyphenation, hyphenations
from archive_pipeline.exports.line_words import words_of
from archive_pipeline.page import Alternative, Line, Page, Region, Word
from archive_pipeline.rendering.model import PageImage

from .test_export_pages import STEP, corrected_page, document, pages

NS = {"a": alto.NAMESPACE}
SQUARE = ((0, 0), (99, 0), (99, 99), (0, 99))
OLDER = ExportOptions(alto_version="4.2")
NEWER = ExportOptions(alto_version="4.4")


@functools.cache
def alto_schema() -> etree.XMLSchema:
    return Validator("alto").xmlschema


def render(page: Page, options: ExportOptions = OLDER, image: PageImage | None = None) -> etree._Element:
    """The page as ALTO, valid by the schema of 4.2.

    What 4.3 and 4.4 add (``BASEDIRECTION`` with its four values, ``Page/@LANG``) is taken out before, for there is no
    schema of 4.4 to check against.
    """
    source = dataclasses.replace(document([page]), options=options)
    root = etree.fromstring(alto.render(source, page, image))
    older = copy.deepcopy(root)
    for element in older.iter():
        assert element.attrib.pop("BASEDIRECTION", "ltr") in {"ltr", "rtl", "ttb"}
    older.find("a:Layout/a:Page", NS).attrib.pop("LANG", None)
    alto_schema().assertValid(older)
    return root


def page_of(*lines: Line, **more: object) -> Page:
    return Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=SQUARE, lines=lines),), **more)


def line_of(text: str, **more: object) -> Line:
    return Line(**{"id": "l", "boundary": ((10, 10), (90, 10), (90, 30), (10, 30)), "text": text, **more})


def test_what_was_proposed_for_a_word_is_an_alternative_and_no_text() -> None:
    words = (
        Word(text="olde", box=(10, 10, 40, 30), alternatives=(Alternative(text="old", source="wbritish en"),)),
        Word(text="text", box=(50, 10, 90, 30)),
    )
    root = render(page_of(line_of("olde text", words=words), line_of("olde text", words=words, correction="old text")))
    first, second = root.iterfind(".//a:TextLine", NS)
    assert contents(first) == ["olde", "text"]
    found = [(each.get("PURPOSE"), each.text) for each in first.iterfind(".//a:ALTERNATIVE", NS)]
    assert found == [("wbritish en", "old")]
    assert [each.get("PURPOSE") for each in second.iterfind(".//a:ALTERNATIVE", NS)] == [alto.MACHINE]


def contents(line: etree._Element) -> list[str]:
    return line.xpath("a:String/@CONTENT", namespaces=NS)


@settings(max_examples=25)
@given(pages, st.sampled_from([OLDER, NEWER]))
def test_any_page_is_valid_alto_inside_the_page_with_all_its_words(page: Page, options: ExportOptions) -> None:
    root = render(page, options)
    for element in root.xpath("//*[@HPOS]"):
        left, top, width, height = (int(element.get(name)) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT"))
        assert 0 <= left < left + width <= page.width
        assert 0 <= top < top + height <= page.height
    for points in root.xpath("//@POINTS | //@BASELINE"):
        numbers = list(map(int, points.split(" ")))
        assert all(0 <= x < page.width for x in numbers[::2])
        assert all(0 <= y < page.height for y in numbers[1::2])
    words = [
        word
        for region in page.regions
        for text in ([line.best_text for line in region.lines] if region.lines else [region.text])
        for word in text.split()
    ]
    written = root.xpath("//a:String/@CONTENT | //a:HYP/@CONTENT", namespaces=NS)
    assert "".join(written) == "".join(words)


def test_two_thousand_lines_and_a_very_long_one_are_valid() -> None:
    lines = [line_of("x y", id=f"l{index}") for index in range(2000)]
    assert len(render(page_of(*lines)).findall(".//a:TextLine", NS)) == 2000
    assert len(render(page_of(line_of("ab " * 3333))).findall(".//a:String", NS)) == 3333


def test_a_failed_page_without_an_image_says_why() -> None:
    page = Page(number=7, width=1, height=1, status="failed", reason="too\x00 large")
    root = render(page)
    element = root.find("a:Layout/a:Page", NS)
    assert element.get("PAGECLASS") == "failed"
    assert element.get("QUALITY_DETAIL") == "too large"
    assert element.get("PHYSICAL_IMG_NR") == "7"
    assert root.findtext(".//a:fileName", namespaces=NS) == "0007"
    assert root.find("a:Tags", NS) is None


def test_the_image_and_every_step_are_told() -> None:
    image = PageImage(number=1, file="0001.jpg", sha256="1" * 64, width=9, height=9, dpi=300, method="image-file")
    root = render(page_of(steps=(STEP,)), image=image)
    assert root.findtext(".//a:MeasurementUnit", namespaces=NS) == "pixel"
    assert root.findtext(".//a:fileName", namespaces=NS) == "0001.jpg"
    assert root.findtext(".//a:fileIdentifier[@fileIdentifierLocation='sha256']", namespaces=NS) == "1" * 64
    step, export = root.findall(".//a:Processing", NS)
    assert step.findtext("a:processingDateTime", namespaces=NS) == "2020-05-17T08:11:12Z"
    assert step.findtext("a:processingStepSettings", namespaces=NS) == "model=m; model-sha256=ab; a=1; z=True"
    assert step.findtext(".//a:softwareVersion", namespaces=NS) == "3.10"
    assert export.findtext("a:processingStepDescription", namespaces=NS) == "export"
    references = root.find("a:Layout/a:Page", NS).get("PROCESSINGREFS").split()
    assert references == [step.get("ID"), export.get("ID")]


def test_types_are_tags_with_names_of_segmonto() -> None:
    line = line_of("x")
    regions = tuple(
        Region(id=kind, type=kind, boundary=SQUARE, lines=(line,))
        for kind in ("text", "heading", "marginalia", "page-number", "stamp", "table")
    )
    root = render(Page(number=1, width=100, height=100, regions=regions))
    labels = {tag.get("ID"): tag.get("LABEL") for tag in root.find("a:Tags", NS)}
    assert [labels[block.get("TAGREFS")] for block in root.iterfind(".//a:TextBlock", NS)] == [
        "MainZone",
        "MainZone:heading",
        "MarginTextZone",
        "NumberingZone",
        "StampZone",
        "TableZone",
    ]
    lines = [labels[element.get("TAGREFS")] for element in root.iterfind(".//a:TextLine", NS)]
    assert lines == ["DefaultLine", "HeadingLine", *["DefaultLine"] * 4]


def test_a_picture_is_an_illustration_and_a_stamp_with_text_is_text() -> None:
    regions = (
        Region(id="g", type="graphic", boundary=SQUARE),
        Region(id="s", type="stamp", boundary=SQUARE, text="ARCHIVES  NATIONALES"),
    )
    root = render(Page(number=1, width=100, height=100, regions=regions))
    assert root.find(".//a:Illustration", NS).get("ID") == "g"
    line = root.find(".//a:TextBlock/a:TextLine", NS)
    assert contents(line) == ["ARCHIVES", "NATIONALES"]
    assert line.get("BASELINE") is None
    assert root.find(f".//a:OtherTag[@ID='{line.get('TAGREFS')}']", NS).get("LABEL") == "CustomLine:block"


def test_strings_of_right_to_left_text_are_in_reading_order() -> None:
    line = line_of("שלום עולם", direction="rtl", baseline=((10, 28), (90, 28)))
    first, second = render(page_of(line)).findall(".//a:String", NS)
    assert [first.get("CONTENT"), second.get("CONTENT")] == ["שלום", "עולם"]
    assert int(first.get("HPOS")) > int(second.get("HPOS"))
    block = render(page_of(line, line_of("abc")), NEWER).find(".//a:TextBlock", NS)
    assert block.get("BASEDIRECTION") == "ltr"
    assert [each.get("BASEDIRECTION") for each in block.iterfind("a:TextLine", NS)] == ["rtl", None]


def test_the_language_is_where_the_version_has_it() -> None:
    page = page_of(line_of("x"), language="de-Latf")
    assert render(page).find(".//a:TextBlock", NS).get("LANG") == "de-Latf"
    assert render(page, NEWER).find("a:Layout/a:Page", NS).get("LANG") == "de-Latf"
    assert "LANG" not in render(page_of(line_of("x"), language="old French")).find(".//a:TextBlock", NS).attrib


def test_words_of_the_machine_keep_boxes_and_confidences() -> None:
    words = (Word(text="olde", box=(10, 10, 40, 30), confidence=0.5), Word(text="text", box=(50, 10, 200, 30)))
    first, second = render(page_of(line_of("olde text", words=words))).findall(".//a:String", NS)
    assert (first.get("HPOS"), first.get("WIDTH"), first.get("WC")) == ("10", "30", "0.5")
    assert (second.get("HPOS"), second.get("WIDTH"), second.get("WC")) == ("50", "50", None)


def test_words_without_boxes_share_the_line_and_its_confidence() -> None:
    strings = render(page_of(line_of("ab cd", confidence=0.7))).findall(".//a:String", NS)
    places = [(int(s.get("HPOS")), int(s.get("HPOS")) + int(s.get("WIDTH"))) for s in strings]
    assert 10 <= places[0][0] < places[0][1] < places[1][0] < places[1][1] <= 91
    assert [(s.get("VPOS"), s.get("HEIGHT"), s.get("WC")) for s in strings] == [("10", "21", "0.7")] * 2


@pytest.mark.parametrize(
    ("machine", "correction", "alternatives"),
    [
        ("olde text", "old text", ["olde", None]),
        ("a b c", "a c", ["a b", None]),
        ("b a", "a", ["b a"]),
        ("a c", "a b c", [None, "", None]),
        ("foobar x", "foo bar x", ["foobar", "", None]),
        ("f o o x", "foo x", ["f o o", None]),
        ("same", "same", [None]),
        ("gone", "", ["gone"]),
        ("", "new text", ["", ""]),
    ],
)
def test_alternatives_of_a_corrected_line_are_the_machine_s_text(
    machine: str, correction: str, alternatives: list[str | None]
) -> None:
    line = render(page_of(line_of(machine, correction=correction, confidence=0.9))).find(".//a:TextLine", NS)
    assert line.get("CS") == "true"
    assert contents(line) == (correction.split() or [""])
    assert not line.xpath(".//@WC")
    read = [string.find("a:ALTERNATIVE[@PURPOSE='machine']", NS) for string in line.iterfind("a:String", NS)]
    assert [None if each is None else each.text or "" for each in read] == alternatives


def test_a_hyphen_that_is_certain_parts_a_word() -> None:
    one, two, three = render(page_of(line_of("ein Bei¬"), line_of("ſpiel, peut-"), line_of("être"))).findall(
        ".//a:TextLine", NS
    )
    assert contents(one) == ["ein", "Bei"]
    assert one.find("a:HYP", NS).get("CONTENT") == "¬"
    assert one.xpath("a:String/@SUBS_TYPE", namespaces=NS) == ["HypPart1"]
    assert two.xpath("a:String/@SUBS_TYPE", namespaces=NS) == ["HypPart2"]
    assert {*one.xpath(".//@SUBS_CONTENT"), *two.xpath(".//@SUBS_CONTENT")} == {"Beiſpiel,"}
    assert contents(two) == ["ſpiel,", "peut-"]
    assert two.find("a:HYP", NS) is None
    assert not three.xpath(".//@SUBS_TYPE")


def test_a_word_over_three_lines_and_a_hyphen_at_the_end_have_no_whole_word() -> None:
    assert hyphenations(["a¬", "b¬", "c"]) == [
        Hyphenation("¬"),
        Hyphenation("¬", "bc"),
        Hyphenation("", None, "bc"),
    ]
    assert hyphenations(["a\u00ad"]) == [Hyphenation("\u00ad")]
    assert hyphenations(["¬", "1¬", "", "a b"]) == [Hyphenation()] * 4
    assert hyphenations(["a¬", "(b)"]) == [Hyphenation("¬"), Hyphenation()]


def test_words_of_an_upright_line_are_above_each_other() -> None:
    boundary = ((10, 10), (30, 10), (30, 90), (10, 90))
    line = Line(id="l", boundary=boundary, baseline=((28, 90), (28, 10)), text="up wards")
    page = Page(number=1, width=100, height=100)
    first, second = words_of(line, (10, 10, 31, 91), page)
    assert first.box[1] > second.box[3]
    assert all(word.box[0] == 10 and word.box[2] == 30 for word in (first, second))


def test_ids_of_regions_and_lines_stay_what_they_are() -> None:
    page = page_of(
        line_of("a b", id="l_w0"), line_of("c", id="MainZone"), line_of("d", id="l_w0"), line_of("e", id="1")
    )
    root = render(page)
    assert root.xpath("//a:TextLine/@ID", namespaces=NS) == ["l_w0", "MainZone", "l_w0_2", "_1"]
    corrected = render(corrected_page())
    assert len(corrected.xpath("//@ID")) == len(set(corrected.xpath("//@ID")))
