"""hOCR: well-formed XHTML whose properties follow the grammar, and whose text HTML readers take out unchanged."""

from __future__ import annotations

import re

from hypothesis import given, settings
from lxml import etree, html

from archive_pipeline.exports import hocr
from archive_pipeline.page import Line, Page, Region, Word
from archive_pipeline.rendering.model import PageImage

from .test_export_pages import STEP, corrected_page, document, pages

NS = {"h": hocr.NAMESPACE}
PROPERTY = re.compile(
    r'image "[^";]*"|bbox \d+ \d+ \d+ \d+|ppageno \d+|scan_res \d+ \d+|baseline -?\d+(\.\d+)? -?\d+|textangle \d+'
    r"|x_wconf \d{1,3}|x_size \d+(\.\d+)?|x_type [a-z-]+|x_corrected 1"
)
SQUARE = ((0, 0), (99, 0), (99, 99), (0, 99))


def render(page: Page, image: PageImage | None = None) -> etree._Element:
    return etree.fromstring(hocr.render(document([page]), page, image))


def of_class(root: etree._Element, name: str) -> list[etree._Element]:
    return root.xpath(f"//h:*[@class='{name}']", namespaces=NS)


def title_of(root: etree._Element, name: str) -> str:
    return of_class(root, name)[0].get("title")


def page_with(*lines: Line, **more: object) -> Page:
    return Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=SQUARE, lines=lines),), **more)


@settings(max_examples=25)
@given(pages)
def test_any_page_is_well_formed_hocr_with_boxes_inside_the_page(page: Page) -> None:
    root = render(page)
    for element in root.xpath("//h:body//h:*[@class]", namespaces=NS):
        for each in element.get("title").split("; "):
            assert PROPERTY.fullmatch(each), each
        left, top, right, bottom = map(int, re.search(r"bbox (\d+) (\d+) (\d+) (\d+)", element.get("title")).groups())
        assert 0 <= left < right <= page.width
        assert 0 <= top < bottom <= page.height
    assert len(root.xpath("//@id")) == len(set(root.xpath("//@id")))
    lines = [line for region in page.regions for line in region.lines]
    # As hocr-tools read it: with an HTML parser.
    data = hocr.render(document([page]), page, None)
    read = html.fromstring(data.split(b"?>", 1)[1]).xpath("//*[@class='ocr_line']")
    blocks = [region.text for region in page.regions if not region.lines and region.text.strip()]
    assert len(read) == len(lines) + len(blocks)
    text = "".join("".join(element.itertext()) for element in read)
    expected = [
        word
        for region in page.regions
        for each in ([line.best_text for line in region.lines] if region.lines else [region.text])
        for word in each.split()
    ]
    assert "".join(text.split()) == "".join(expected)


def test_elements_are_nested_as_converters_need_them() -> None:
    root = render(corrected_page())
    path = "h:body/h:div[@class='ocr_page']/h:div[@class='ocr_carea']/h:p[@class='ocr_par']/h:span[@class='ocr_line']"
    first, second = root.xpath(f"/h:html/{path}", namespaces=NS)
    assert ["".join(line.itertext()) for line in (first, second)] == ["olde text", "old text"]
    assert "x_wconf 50" in first[0].get("title")
    assert second.get("title").endswith("x_corrected 1")
    assert "x_wconf" not in second[0].get("title")


def test_the_head_says_what_the_page_was_made_from() -> None:
    image = PageImage(number=3, file="0003.jpg", sha256="1" * 64, width=9, height=9, dpi=300, method="image-file")
    page = Page(number=3, width=9, height=9, dpi=299.7, status="failed", reason="too\x07 large", steps=(STEP,))
    root = render(page, image)
    metas = {each.get("name"): each.get("content") for each in root.iterfind(".//h:meta", NS)}
    assert {"ocr-system", "ocr-capabilities"} < metas.keys()
    assert metas["ocr-number-of-pages"] == "1"
    assert metas["page-status"] == "failed"
    assert metas["page-status-reason"] == "too large"
    assert metas["image-sha256"] == "1" * 64
    assert metas["source-date"] == "2020-05-17T08:11:12Z"
    assert metas["processing-step"] == "recognition: ppocr 3.10; model=m; model-sha256=ab; a=1; z=True"
    assert root.findtext(".//h:title", namespaces=NS) == "Letter & <1>.pdf, page 3 (failed: too large)"
    assert title_of(root, "ocr_page") == 'image "0003.jpg"; bbox 0 0 9 9; ppageno 2; scan_res 300 300'
    assert not of_class(root, "ocr_carea")


def test_a_baseline_is_relative_to_the_bottom_left_of_the_box() -> None:
    boundary = ((105, 66), (822, 66), (822, 112), (105, 112))
    line = Line(id="l", boundary=boundary, baseline=((105, 95), (822, 106)), text="eurotext")
    page = Page(number=1, width=900, height=200, regions=(Region(id="r", boundary=(), lines=(line,)),))
    # The specification's own example.
    assert "bbox 105 66 823 113; baseline 0.0153 -18" in title_of(render(page), "ocr_line")


def test_an_upright_line_has_an_angle_and_vertical_script_a_writing_mode() -> None:
    boundary = ((10, 10), (20, 10), (20, 90), (10, 90))
    up = Line(id="u", boundary=boundary, baseline=((18, 90), (18, 10)), text="up")
    down = Line(id="d", boundary=boundary, baseline=((12, 10), (12, 90)), text="down")
    script = Line(id="v", boundary=boundary, baseline=((15, 10), (15, 90)), text="縦書き", direction="ttb")
    first, second, third = of_class(render(page_with(up, down, script)), "ocr_line")
    assert "textangle 90" in first.get("title")
    assert "textangle 270" in second.get("title")
    assert "textangle" not in third.get("title")
    assert third.get("style") == "writing-mode: vertical-rl"
    assert not any("baseline" in line.get("title") for line in (first, second, third))


def test_direction_and_language_are_those_of_html() -> None:
    hebrew = Line(id="h", boundary=SQUARE, text="שלום", direction="rtl")
    latin = Line(id="l", boundary=SQUARE, text="abc")
    root = render(page_with(hebrew, latin, direction="rtl", language="he"))
    assert root.get("lang") == root.get("{http://www.w3.org/XML/1998/namespace}lang") == "he"
    assert of_class(root, "ocr_page")[0].get("dir") == "rtl"
    assert [line.get("dir") for line in of_class(root, "ocr_line")] == ["rtl", "ltr"]


def test_text_of_a_block_is_a_line_and_a_picture_is_a_photo() -> None:
    regions = (
        Region(id="b", boundary=SQUARE, text="whole block"),
        Region(id="g", type="graphic", boundary=SQUARE),
    )
    root = render(Page(number=1, width=100, height=100, regions=regions))
    assert ["".join(line.itertext()) for line in of_class(root, "ocr_line")] == ["whole block"]
    assert [each.get("id") for each in of_class(root, "ocr_photo")] == ["g"]


def test_a_confidence_is_a_whole_number_of_percent() -> None:
    words = (Word(text="a", box=(0, 0, 9, 9), confidence=0.996), Word(text="b", box=(10, 0, 19, 9), confidence=0.0))
    root = render(page_with(Line(id="l", boundary=SQUARE, text="a b", words=words)))
    assert [word.get("title") for word in of_class(root, "ocrx_word")] == [
        "bbox 0 0 9 9; x_wconf 100",
        "bbox 10 0 19 9; x_wconf 0",
    ]
