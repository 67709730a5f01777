"""The page model."""

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from archive_pipeline.page import Line, Page, Region, bounding_box, clean_text

SQUARE = ((0, 0), (9, 0), (9, 9), (0, 9))


@given(st.text())
def test_clean_text_can_be_written_in_xml_and_is_stable(text: str) -> None:
    clean = clean_text(text)
    element = etree.Element("a")
    element.text = clean
    assert etree.fromstring(etree.tostring(element)).text in (clean, None if clean == "" else clean)
    assert clean_text(clean) == clean


def test_clean_text_keeps_the_long_s_and_composes_accents() -> None:
    assert clean_text("Wiſſenſchaft e\u0301") == "Wiſſenſchaft é"


def test_a_page_comes_back_from_json_the_same() -> None:
    line = Line(id="l", boundary=SQUARE, baseline=((0, 8), (9, 8)), text="x", confidence=0.5, correction="y")
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=SQUARE, lines=(line,)),))
    assert Page.model_validate_json(page.model_dump_json()) == page


def test_the_text_of_a_page_takes_the_correction_where_there_is_one() -> None:
    lines = tuple(
        Line(id=f"l{i}", boundary=SQUARE, text=text, correction=better)
        for i, (text, better) in enumerate([("abc", None), ("dsf", "def"), ("gone", "")])
    )
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=SQUARE, lines=lines),))
    assert page.text == "abc\ndef"


def test_confidence_is_the_mean_over_characters() -> None:
    lines = (
        Line(id="a", boundary=SQUARE, text="aaa", confidence=1.0),
        Line(id="b", boundary=SQUARE, text="b", confidence=0.2),
        Line(id="c", boundary=SQUARE, text="", confidence=0.0),
    )
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=SQUARE, lines=lines),))
    assert page.confidence is not None
    assert abs(page.confidence - 0.8) < 1e-9


def test_the_right_and_bottom_of_a_box_are_exclusive() -> None:
    assert bounding_box(SQUARE) == (0, 0, 10, 10)
