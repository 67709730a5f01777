"""Reading PAGE and ALTO back: what we wrote is what we read, and other tools' flavours are understood."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.errors import BadTranscription, NotReadable
from archive_pipeline.exports import alto, page_xml, polygons
from archive_pipeline.exports.base import ExportOptions, Identifiers
from archive_pipeline.exports.line_words import inside
from archive_pipeline.exports.tracks import baseline_in
from archive_pipeline.ground_truth.files import read
from archive_pipeline.ground_truth.xml import PageFile, direction_of, region_type
from archive_pipeline.page import Alternative, Line, Page, Point, Region, Word, bounding_box, clean_text
from archive_pipeline.rendering.model import PageImage

from .test_export_pages import document, pages

PAGE_2013 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2013-07-15"
PAGE_2019 = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
PROPERTY = settings(max_examples=25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transcriptions")


@pytest.fixture
def parse(tmp_path: Path) -> Callable[[str], PageFile]:
    def write_and_read(content: str) -> PageFile:
        path = tmp_path / "page.xml"
        path.write_text(content, encoding="utf-8")
        return read(path)

    return write_and_read


def page_file(body: str, namespace: str = PAGE_2013, attributes: str = "") -> str:
    return (
        f'<PcGts xmlns="{namespace}"><Metadata><Creator>Transkribus</Creator></Metadata>'
        f'<Page imageFilename="a b.jpg" imageWidth="100" imageHeight="200" {attributes}>{body}</Page></PcGts>'
    )


def alto_file(body: str, *, version: int = 4, page: str = 'WIDTH="100" HEIGHT="200"', head: str = "") -> str:
    return (
        f'<alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#">{head}'
        f'<Layout><Page ID="p" PHYSICAL_IMG_NR="0" {page}>{body}</Page></Layout></alto>'
    )


def region_xml(name: str, text: str, more: str = "", tag: str = "TextRegion") -> str:
    return (
        f'<{tag} id="{name}" {more}><Coords points="0,0 9,0 9,9"/><TextLine id="{name}l">'
        f'<Coords points="0,0 9,0 9,9"/><TextEquiv><Unicode>{text}</Unicode></TextEquiv></TextLine></{tag}>'
    )


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def distinct(points: list[Point]) -> tuple[Point, ...]:
    """Without immediate repetitions: on a page of one pixel all corners are one."""
    return tuple(point for point, _ in itertools.groupby(points))


def words_in(text: str | None) -> list[str] | None:
    return None if text is None else text.split()


def written(page: Page) -> list[tuple[Region, Region]]:
    """Regions with what every export does to them: ids that are valid and unique, shapes inside the page.

    Returns:
        Each region as it is, and as it is written but for the lines' text.
    """
    ids = Identifiers()
    ids.take(f"page_{page.number:04d}")
    names = [ids.take(region.id) for region in page.regions]
    return [
        (
            region,
            region.model_copy(
                update={
                    "id": name,
                    "boundary": distinct(polygons.polygon(region.boundary, page)),
                    "text": "" if region.lines else region.text,
                    "lines": tuple(
                        line.model_copy(
                            update={
                                "boundary": distinct(polygons.polygon(line.boundary or line.baseline, page)),
                                "baseline": distinct(baseline_in(page, region, line)),
                            }
                        )
                        for line in region.lines
                    ),
                }
            ),
        )
        for region, name in zip(page.regions, names, strict=True)
    ]


def assert_same_frame(found: Page, page: Page) -> None:
    assert (found.number, found.width, found.height, found.status) == (
        page.number,
        page.width,
        page.height,
        page.status,
    )
    assert found.reason == clean_text(page.reason)


@PROPERTY
@given(pages)
def test_our_page_xml_reads_back_as_it_was(folder: Path, page: Page) -> None:
    path = folder / "page.xml"
    path.write_bytes(page_xml.render(document([page]), page, None))
    file = read(path)
    found = file.page
    assert_same_frame(found, page)
    assert file.image == f"{page.number:04d}"
    assert found.dpi == pytest.approx(page.dpi)
    assert (found.language or "") == clean_text(page.language or "")
    assert found.direction == page.direction
    for read_region, (region, expected) in zip(found.regions, written(page), strict=True):
        assert read_region.type == region.type
        assert (read_region.id, read_region.boundary, read_region.text) == (
            expected.id,
            expected.boundary,
            expected.text,
        )
        for read_line, line in zip(read_region.lines, expected.lines, strict=True):
            assert (read_line.text, read_line.correction, read_line.direction) == (
                line.text,
                line.correction,
                line.direction,
            )
            assert (read_line.boundary, read_line.baseline) == (line.boundary, line.baseline)
            assert read_line.confidence == (rounded(line.confidence) if line.text else None)
            words = () if line.correction is not None else line.words
            assert [(word.text, word.confidence) for word in read_line.words] == [
                (word.text, rounded(word.confidence)) for word in words
            ]
            assert [word.box for word in read_line.words] == [
                bounding_box(tuple(polygons.corners(word.box, page))) for word in words
            ]


@PROPERTY
@given(pages, st.sampled_from(["4.2", "4.4"]))
def test_our_alto_reads_back_as_it_was(folder: Path, page: Page, version: str) -> None:
    path = folder / "alto.xml"
    options = ExportOptions(alto_version=version)
    path.write_bytes(alto.render(dataclasses.replace(document([page]), options=options), page, None))
    found = read(path).page
    assert_same_frame(found, page)
    for read_region, (region, expected) in zip(found.regions, written(page), strict=True):
        assert read_region.type == region.type
        assert (read_region.id, read_region.boundary) == (expected.id, expected.boundary)
        assert read_region.text.split() == expected.text.split()
        for read_line, line in zip(read_region.lines, expected.lines, strict=True):
            assert read_line.text.split() == line.text.split()
            assert words_in(read_line.correction) == words_in(line.correction)
            assert (read_line.boundary, read_line.baseline) == (line.boundary, line.baseline)
            if version == "4.4":
                assert read_line.direction == line.direction
            if line.correction is not None:
                assert read_line.confidence is None
            elif [word.text for word in line.words] == line.text.split():
                assert list(read_line.words) == [
                    Word(text=word.text, box=inside(word.box, page), confidence=rounded(word.confidence))
                    for word in line.words
                ]
            elif line.text.split():
                assert read_line.confidence == pytest.approx(line.confidence, abs=1e-4)


@pytest.mark.parametrize("render", [page_xml.render, alto.render])
def test_the_image_is_named_and_known_by_its_digest(tmp_path: Path, render: Callable[..., bytes]) -> None:
    image = PageImage(number=3, file="0003.jpg", sha256="1" * 64, width=9, height=9, dpi=300, method="image-file")
    page = Page(number=3, width=9, height=9, dpi=300, image_digest="2" * 64, language="la")
    path = tmp_path / "0003.xml"
    path.write_bytes(render(document([page]), page, image))
    file = read(path)
    assert (file.image, file.page.number, file.page.image_digest) == ("0003.jpg", 3, "2" * 64)


def test_the_machine_s_text_of_a_corrected_line_survives(tmp_path: Path) -> None:
    shape = ((0, 0), (9, 0), (9, 9))
    line = Line(id="l", boundary=shape, baseline=((0, 7), (9, 7)), text="the olde tex t¬", correction="olde text¬")
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=line.boundary, lines=(line,)),))
    for name, render in (("page", page_xml.render), ("alto", alto.render)):
        path = tmp_path / name
        path.write_bytes(render(document([page]), page, None))
        assert next(read(path).page.lines()) == line


def test_what_a_word_list_proposed_is_not_taken_for_text(tmp_path: Path) -> None:
    shape = ((0, 0), (9, 0), (9, 9))
    word = Word(text="olde", box=(1, 1, 8, 8), confidence=0.5, alternatives=(Alternative(text="old", source="list"),))
    line = Line(id="l", boundary=shape, baseline=((0, 7), (9, 7)), text="olde", words=(word,))
    page = Page(number=1, width=10, height=10, regions=(Region(id="r", boundary=shape, lines=(line,)),))
    for name, render in (("page", page_xml.render), ("alto", alto.render)):
        path = tmp_path / name
        path.write_bytes(render(document([page]), page, None))
        assert b">old<" in path.read_bytes()
        found = next(read(path).page.lines())
        assert (found.best_text, found.correction) == ("olde", None)
        assert [each.text for each in found.words] == ["olde"]


def test_transkribus_page_is_read_in_its_order(parse: Callable[[str], PageFile]) -> None:
    order = (
        '<ReadingOrder><OrderedGroup id="ro"><RegionRefIndexed index="1" regionRef="a"/>'
        '<RegionRefIndexed index="0" regionRef="b"/></OrderedGroup></ReadingOrder>'
    )
    body = (
        region_xml("a", "second", 'custom="readingOrder {index:0;} structure {type:marginalia;}"')
        + region_xml("b", "first", 'type="page-number"')
        + region_xml("c", "unnamed is last")
    )
    file = parse(page_file(order + body))
    assert file.image == "a b.jpg"
    assert [line.text for line in file.page.lines()] == ["first", "second", "unnamed is last"]
    assert [region.type for region in file.page.regions] == ["page-number", "marginalia", "text"]
    without = parse(page_file(body)).page
    assert [line.text for line in without.lines()] == ["second", "first", "unnamed is last"]


def test_lines_follow_the_order_that_transkribus_gives_them(parse: Callable[[str], PageFile]) -> None:
    lines = "".join(
        f'<TextLine id="l{index}" custom="readingOrder {{index:{index};}}"><Coords points="0,0 9,0 9,9"/>'
        f"<TextEquiv><Unicode>{index}</Unicode></TextEquiv></TextLine>"
        for index in (2, 0, 1)
    )
    page = parse(page_file(f'<TextRegion id="r"><Coords points="0,0 9,0 9,9"/>{lines}</TextRegion>')).page
    assert [line.text for line in page.lines()] == ["0", "1", "2"]


def test_cells_of_a_table_and_regions_in_regions_are_regions(parse: Callable[[str], PageFile]) -> None:
    table = (
        f'<TableRegion id="t"><Coords points="0,0 9,0 9,9"/>{region_xml("c1", "cell", tag="TableCell")}</TableRegion>'
    )
    nested = region_xml("o", "outer").replace("</TextRegion>", region_xml("i", "inner") + "</TextRegion>")
    page = parse(page_file(table + nested)).page
    assert [(region.id, region.type) for region in page.regions] == [("c1", "table"), ("o", "text"), ("i", "text")]


def test_several_readings_of_another_tool_are_no_correction(parse: Callable[[str], PageFile]) -> None:
    line = (
        '<TextLine id="l"><Coords points="0,0 9.4,0 9,9"/><Baseline points="0,8 9,8"/>'
        '<Word id="w"><Coords points="0,0 4,0 4,9 0,9"/><TextEquiv conf="97"><Unicode>a</Unicode></TextEquiv></Word>'
        '<TextEquiv index="1" conf="0.2"><Unicode>b</Unicode></TextEquiv>'
        '<TextEquiv index="0" conf="0.8"><Unicode>a</Unicode></TextEquiv></TextLine>'
    )
    page = parse(page_file(f'<TextRegion id="r"><Coords points=""/>{line}</TextRegion>', PAGE_2019)).page
    (found,) = page.lines()
    assert (found.text, found.correction, found.confidence) == ("a", None, 0.8)
    assert found.words == (Word(text="a", box=(0, 0, 5, 10)),)
    assert found.boundary == ((0, 0), (9, 0), (9, 9))


def test_words_are_the_text_of_a_line_without_one(parse: Callable[[str], PageFile]) -> None:
    words = "".join(
        f'<Word id="w{text}"><Coords points="0,0 4,0 4,9"/><TextEquiv><Unicode>{text}</Unicode></TextEquiv></Word>'
        for text in "ab"
    )
    body = f'<TextRegion id="r"><TextLine id="l"><Coords points="0,0 9,9"/>{words}</TextLine></TextRegion>'
    assert next(parse(page_file(body)).page.lines()).text == "a b"


def test_a_graphic_region_s_type_is_not_a_text_type(parse: Callable[[str], PageFile]) -> None:
    body = "".join(
        f'<GraphicRegion id="g{kind}" type="{kind}"><Coords points="0,0 9,0 9,9"/></GraphicRegion>'
        for kind in ("stamp", "handwritten-annotation", "other")
    )
    assert [region.type for region in parse(page_file(body)).page.regions] == ["stamp", "graphic", "graphic"]


def test_escriptorium_s_alto_is_read(parse: Callable[[str], PageFile]) -> None:
    head = (
        "<Description><MeasurementUnit>pixel</MeasurementUnit><sourceImageInformation><fileName>f.jpg</fileName>"
        '</sourceImageInformation></Description><Tags><OtherTag ID="B" LABEL="MarginTextZone:note"/></Tags>'
    )
    line = (
        '<TextLine ID="l" BASELINE="10 20 50 22" HPOS="10" VPOS="5" WIDTH="40" HEIGHT="20">'
        '<Shape><Polygon POINTS="10 5 50 5 50 25 10 25"/></Shape>'
        '<String CONTENT="two  words" HPOS="10" VPOS="5" WIDTH="40" HEIGHT="20"/></TextLine>'
    )
    file = parse(alto_file(f'<PrintSpace><TextBlock ID="b" TAGREFS="B">{line}</TextBlock></PrintSpace>', head=head))
    (region,) = file.page.regions
    assert (file.image, region.type, region.boundary) == ("f.jpg", "marginalia", ())
    assert region.lines == (
        Line(id="l", boundary=((10, 5), (50, 5), (50, 25), (10, 25)), baseline=((10, 20), (50, 22)), text="two  words"),
    )


def test_alto_2_with_margins_composed_blocks_and_one_number_as_baseline_is_read(
    parse: Callable[[str], PageFile],
) -> None:
    def block(name: str, *strings: str, end: str = "") -> str:
        inner = "<SP/>".join(
            f'<String CONTENT="{s}" HPOS="1" VPOS="2" WIDTH="3" HEIGHT="4" WC="0.5"/>' for s in strings
        )
        return (
            f'<TextBlock ID="{name}"><TextLine ID="{name}l" HPOS="1" VPOS="2" WIDTH="30" HEIGHT="10" BASELINE="11.4">'
            f"{inner}{end}</TextLine></TextBlock>"
        )

    hyphenated = block("t", "exam", end='<HYP CONTENT="-"/>')
    page = parse(
        alto_file(
            f"<TopMargin>{block('m', 'top')}</TopMargin><PrintSpace HEIGHT='200' WIDTH='100'>"
            f"<ComposedBlock ID='c' TYPE='table'>{hyphenated}</ComposedBlock>"
            f"<Illustration ID='i' HPOS='1' VPOS='1' WIDTH='5' HEIGHT='5'/></PrintSpace>",
            version=2,
            page="",
        )
    ).page
    assert (page.width, page.height, page.number) == (100, 200, 1)
    assert [(region.id, region.type) for region in page.regions] == [("m", "text"), ("t", "table"), ("i", "graphic")]
    assert page.regions[2].boundary == ((1, 1), (5, 1), (5, 5), (1, 5))
    top, hyphen = page.lines()
    assert (top.baseline, top.confidence, top.words[0].box) == (((1, 11), (30, 11)), 0.5, (1, 2, 4, 6))
    assert hyphen.text == "exam-"


def test_blocks_follow_the_reading_order_of_alto_4_3(parse: Callable[[str], PageFile]) -> None:
    order = (
        '<ReadingOrder><OrderedGroup ID="g"><ElementRef ID="e1" REF="l2"/><ElementRef ID="e2" REF="b1"/>'
        "</OrderedGroup></ReadingOrder>"
    )
    blocks = "".join(
        f'<TextBlock ID="b{n}"><TextLine ID="l{n}"><String CONTENT="{n}"/></TextLine></TextBlock>' for n in (1, 2, 3)
    )
    page = parse(alto_file(f"<PrintSpace>{blocks}</PrintSpace>", head=order)).page
    assert [line.text for line in page.lines()] == ["2", "1", "3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<PcGts>", r"line 1: .*PcGts"),
        ("<TEI/>", "neither PAGE nor ALTO but TEI"),
        ('<!DOCTYPE PcGts [<!ENTITY x "y">]><PcGts>&x;</PcGts>', "document type declaration"),
        ("<PcGts>\n</PcGts>", "line 1, PcGts: there is no Page"),
        ('<PcGts><Page imageWidth="0" imageHeight="9"/></PcGts>', "imageWidth and imageHeight"),
        ('<PcGts>\n<Page imageWidth="x" imageHeight="9"/></PcGts>', "line 2, Page: imageWidth='x' is no number"),
        (page_file('\n<TextRegion id="r"><Coords points="1,2 3"/></TextRegion>'), "line 2, Coords: points='1,2 3'"),
        (page_file('<TextRegion id="r"><Coords points="a,b"/></TextRegion>'), "are no points"),
        ("<alto><Layout/></alto>", "there is no Layout/Page"),
        (alto_file("", page=""), "WIDTH and HEIGHT"),
        (alto_file('</Page><Page ID="q" PHYSICAL_IMG_NR="2">'), "several pages"),
        (alto_file("", head="<Description><MeasurementUnit>mm10</MeasurementUnit></Description>"), "measures in mm10"),
        (alto_file("", page='WIDTH="1e99" HEIGHT="1"'), "WIDTH='1e99' is no number"),
    ],
)
def test_a_bad_file_is_refused_with_the_line_and_what_to_do(
    parse: Callable[[str], PageFile], content: str, message: str
) -> None:
    with pytest.raises(BadTranscription, match=message) as caught:
        parse(content)
    assert "page.xml" in str(caught.value)
    assert str(caught.value).endswith(BadTranscription.default_remedy)


def test_a_missing_file_is_an_error_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(NotReadable, match="No such file"):
        read(tmp_path / "none.xml")


def test_names_of_types_are_those_of_every_tool() -> None:
    assert region_type(["MainZone:column#1"]) == "text"
    assert region_type([None, "GraphicZone-FigDesc"]) == "graphic"
    assert region_type(["QuireMarksZone"]) == "footer"
    assert region_type(["my own type", "page-number"]) == "page-number"
    assert region_type(["my own type"]) is None


def test_direction_is_that_of_most_letters() -> None:
    assert direction_of("שלום abc") == "rtl"
    assert direction_of("1914") == "ltr"
