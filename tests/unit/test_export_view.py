"""The reading view as files: everything of the page is there, nothing is inline, equal in two runs, small in memory."""

from __future__ import annotations

import functools
import json
import re
import tempfile
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from archive_pipeline.durable import write_bytes
from archive_pipeline.exports import formats, mets, reading_view
from archive_pipeline.exports.base import ExportDocument, Files, LazySequence
from archive_pipeline.exports.reading_view import search_index, texts
from archive_pipeline.exports.reading_view.links import Links
from archive_pipeline.exports.reading_view.page_view import page_view, percent_of, shade_of
from archive_pipeline.page import Alternative, Line, Page, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

HOSTILE = """<script>alert(1)</script>"onload=' javascript:alert(1) ]]> </textarea>-->&amp;"""
ODD_TEXTS = [
    "",
    "]]>",
    "<&\"'>",
    "a\x00b\x0bc",
    "😀 𝔄",
    "שלום עולם",
    "ſæﬁ oͤ",
    "\ufffe\ud800",
    HOSTILE,
    " ",
    "x" * 10_000,
]
BOX = ((10, 10), (90, 10), (90, 30), (10, 30))
STEP = Step(
    task="recognition", engine="e" + HOSTILE, version="1", model=HOSTILE, parameters={"z": True, HOSTILE: "\x00"}
)

points = st.tuples(st.integers(-50, 250), st.integers(-50, 250))
texts_of_pages = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=12))
ids = st.one_of(st.sampled_from(["1", "l", "l", "é x", "", 'x" onload="y', "search", "main"]), st.text(max_size=5))
words = st.builds(Word, text=texts_of_pages, box=st.just((1, 1, 5, 5)), confidence=st.none() | st.floats(0, 1))
lines = st.builds(
    Line,
    id=ids,
    boundary=st.lists(points, max_size=5).map(tuple),
    text=texts_of_pages,
    confidence=st.none() | st.floats(0, 1),
    words=st.lists(words, max_size=3).map(tuple),
    correction=st.none() | texts_of_pages,
    direction=st.sampled_from(["ltr", "rtl", "ttb"]),
)
regions = st.builds(
    Region,
    id=ids,
    type=st.sampled_from(["text", "heading", "table", "stamp", "graphic", "page-number", "other"]),
    boundary=st.lists(points, max_size=4).map(tuple),
    lines=st.lists(lines, max_size=3).map(tuple),
    text=texts_of_pages,
)
pages_of_all_kinds = st.builds(
    Page,
    number=st.integers(1, 99),
    width=st.integers(1, 200),
    height=st.integers(1, 200),
    status=st.sampled_from(["done", "blank", "born_digital", "skipped", "failed"]),
    reason=texts_of_pages,
    language=st.none() | texts_of_pages | st.just("de-AT"),
    direction=st.sampled_from(["ltr", "rtl", "ttb"]),
    regions=st.lists(regions, max_size=3).map(tuple),
    steps=st.just((STEP,)),
)


def document(pages: Sequence[Page], images: Sequence[PageImage | None] | None = None, **values: Any) -> ExportDocument:
    return ExportDocument(
        key="letter-1",
        title=values.get("title", "A letter"),
        source_digest="0" * 64,
        source_date="2020-05-17T10:11:12+02:00",
        pages=pages,
        images=images or [None] * len(pages),
        image_folder=values.get("image_folder", Path("images")),
        notes=values.get("notes", ()),
    )


def page(number: int = 1, *lines: Line, **values: Any) -> Page:
    region = Region(id="r", boundary=BOX, lines=lines)
    return Page(number=number, width=100, height=100, regions=(region,) if lines else (), **values)


def line(text: str = "Some text", confidence: float | None = 0.97, **values: Any) -> Line:
    return Line(id=values.pop("id", "l"), boundary=BOX, text=text, confidence=confidence, **values)


def write(given: ExportDocument, folder: Path, files: Files | None = None) -> dict[str, bytes]:
    """The view's files by their path below it."""
    written = list(reading_view.write(given, folder, files or {}))
    assert len(set(written)) == len(written)
    return {path.relative_to(folder / "view").as_posix(): path.read_bytes() for path in written}


def tree(data: bytes) -> Any:
    """Parsed HTML in which nothing is inline that a strict policy forbids, and all ids and references are sound."""
    root = html.document_fromstring(data.decode())
    assert root.xpath("//script[not(@src)] | //style | //@style | //iframe | //object | //embed | //base") == []
    assert [name for e in root.iter() for name in e.attrib if name.startswith("on")] == []
    assert root.xpath("//meta[@http-equiv='Content-Security-Policy']/@content") == [reading_view.templating.POLICY]
    found = root.xpath("//@id")
    assert len(found) == len(set(found))
    for reference in root.xpath("//@href | //@src"):
        parts = urlsplit(reference)
        assert not parts.scheme
        assert not parts.netloc
        assert parts.path or parts.fragment in found
    assert set(root.xpath("//@data-line | //@for | //@aria-labelledby | //@aria-describedby")) <= set(found)
    return root


def shown_text(element: Any) -> str:
    return str(element.text_content())


@functools.cache
def scratch() -> Path:
    return Path(tempfile.mkdtemp())


@settings(max_examples=20)
@given(pages_of_all_kinds)
def test_any_page_is_shown_whole_and_inert(given_page: Page) -> None:
    name = f"{given_page.number:04d}"
    files = write(document([given_page], title=given_page.reason, notes=(given_page.reason,)), scratch())
    root = tree(files[f"{name}.html"])
    tree(files["index.html"])
    expected = [
        text
        for region in given_page.regions
        for text in ([each.best_text for each in region.lines] or [region.text])
        if text.strip() or region.lines or region.text
    ]
    shown = root.xpath("//*[contains(@class, 'line ')]/span[contains(@class, 'words')]")
    assert len(shown) == len(expected)
    for element, text in zip(shown, expected, strict=True):
        if text.strip():
            assert shown_text(element) == text
        else:
            assert shown_text(element) in (texts.text("line.empty"), texts.text("line.emptied"), text)
    for point in " ".join(root.xpath("//polygon/@points")).split():
        x, y = map(int, point.split(","))
        assert 0 <= x < given_page.width
        assert 0 <= y < given_page.height


def test_the_search_index_leads_to_anchors_that_there_are(tmp_path: Path) -> None:
    given_pages = [page(n, line("first\u2028line"), line(HOSTILE, id="l"), line("", id="e")) for n in (1, 2)]
    files = write(document(given_pages), tmp_path)
    calls = re.findall(r"^archiveView\.add\((.*)\);$", files["search/0001.js"].decode(), re.M)
    found = [json.loads(call) for call in calls]
    assert [entry[:2] for entry in found] == [["0001", 1], ["0002", 2]]
    assert [entry[2] for entry in found[0][2]] == ["first line", HOSTILE]
    anchors = tree(files["0001.html"]).xpath("//*[contains(@class, 'line ')]/@id")
    assert [entry[0] for entry in found[0][2]] == anchors[:2]
    assert tree(files["index.html"]).xpath("//form/@data-pieces") == ["1"]


def test_the_search_index_is_cut_into_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "PIECE", 200)
    files = write(document([page(n, line(f"text of page {n}")) for n in range(1, 12)]), tmp_path)
    pieces = [name for name in files if name.startswith("search/")]
    assert len(pieces) > 2
    together = b"".join(files[name] for name in sorted(pieces)).decode()
    assert re.findall(r"text of page \d+", together) == [f"text of page {n}" for n in range(1, 12)]
    assert tree(files["index.html"]).xpath("//form/@data-pieces") == [str(len(pieces))]


def test_a_failed_page_says_so_with_its_reason_in_the_list_and_on_the_page(tmp_path: Path) -> None:
    failed = Page(number=2, width=1, height=1, status="failed", reason=f"too large {HOSTILE}\x00")
    files = write(document([page(1, line()), failed, page(3, status="skipped", reason="not asked for")]), tmp_path)
    root = tree(files["0002.html"])
    assert f"too large {HOSTILE}" in shown_text(root.xpath("//div[@class='notice failed']")[0])
    assert "no image" in shown_text(root.xpath("//section[@class='scan']")[0])
    assert root.xpath("//a[@rel='prev']/@href") == ["0001.html"]
    assert root.xpath("//a[@rel='next']/@href") == ["0003.html"]
    rows = tree(files["index.html"]).xpath("//tbody/tr")
    assert f"too large {HOSTILE}" in shown_text(rows[1])
    assert [row.get("class") for row in rows] == [None, "eye", None]
    assert "not asked for" in shown_text(tree(files["0003.html"]))


def test_the_list_of_pages_counts_lines_doubts_and_corrections(tmp_path: Path) -> None:
    lines = (line(), line("dim", 0.5), line("", None), line("olde", 0.3, correction="old"))
    root = tree(write(document([page(1, *lines), page(2, status="blank")]), tmp_path)["index.html"])
    cells = [[shown_text(cell).strip() for cell in row] for row in root.xpath("//tbody/tr")]
    assert cells == [["Page 1", "Read", "4", "85.2 %", "2", "1"], ["Page 2", "Blank", "0", "", "", ""]]
    summary = " ".join(shown_text(root.xpath("//p[@class='summary']")[0]).split())
    assert summary == "2 pages 4 lines 85.2 % mean confidence 2 doubtful lines 1 corrected line"


def test_provenance_is_told(tmp_path: Path) -> None:
    index = tree(write(document([page(1, steps=(STEP,)), page(2, steps=(STEP,))]), tmp_path)["index.html"])
    told = shown_text(index.xpath("//section[@class='provenance']")[0])
    for expected in ("0" * 64, "2020-05-17T08:11:12Z", "letter-1", HOSTILE, "true"):
        assert expected in told
    assert len(index.xpath("//section[@class='provenance']/ol/li")) == 1


def test_a_corrected_line_shows_the_correction_and_keeps_the_machine_s_text(tmp_path: Path) -> None:
    words = (Word(text="olde", box=(10, 10, 40, 30), confidence=0.2),)
    root = tree(write(document([page(1, line("olde", 0.2, correction="old", words=words))]), tmp_path)["0001.html"])
    (shown,) = root.xpath("//*[@id='line-l']")
    assert "corrected" in shown.get("class")
    assert shown.get("data-percent") is None
    assert shown_text(shown.xpath("./span[@class='words']")[0]) == "old"
    assert "olde" in shown_text(shown.xpath("./details")[0])


def test_words_that_are_doubtful_stand_out_only_where_they_are_the_line() -> None:
    words = (
        Word(text="sure", box=(0, 0, 1, 1), confidence=0.99),
        Word(text="dim", box=(0, 0, 1, 1), confidence=0.899),
        Word(text="end", box=(0, 0, 1, 1)),
    )
    (shown,) = page_view(page(1, line("sure dim end", words=words))).lines()
    assert [(part.text, part.percent) for part in shown.parts] == [("sure ", None), ("dim", 89), (" end", None)]
    (other,) = page_view(page(1, line("sure dim", words=words))).lines()
    assert [part.text for part in other.parts] == ["sure dim"]


def test_what_was_proposed_for_a_word_is_a_hint_and_no_text(tmp_path: Path) -> None:
    others = (Alternative(text=HOSTILE, source="list"), Alternative(text="other", source="list"))
    words = (Word(text="word", box=(0, 0, 1, 1), confidence=0.94, alternatives=others),)
    written = write(document([page(1, line("word", words=words))]), tmp_path)["0001.html"]
    (shown,) = tree(written).xpath("//span[contains(@class, 'word ')]")
    assert shown.get("title") == f"Confidence 94 %; perhaps: {HOSTILE}, other"
    assert shown_text(shown) == "word"


def test_every_step_has_a_name_for_people() -> None:
    for task in get_args(Step.model_fields["task"].annotation):
        assert f"step.{task}" in texts.TEXTS
        assert task in mets._STEPS


def test_confidence_is_rounded_down_and_shaded_in_steps() -> None:
    assert [percent_of(value) for value in (0, 0.29, 0.8999, 0.9, 0.99999, 1)] == [0, 29, 89, 90, 99, 100]
    steps = [shade_of(percent) for percent in (None, 0, 74, 75, 89, 90, 94, 95)]
    assert steps == ["unknown", "poor", "poor", "doubtful", "doubtful", "fair", "fair", "sure"]


def test_a_block_without_lines_is_read_and_found_like_a_line() -> None:
    block = Region(id="b", boundary=BOX, text="All of it")
    (shown,) = page_view(Page(number=1, width=100, height=100, regions=(block,))).lines()
    assert (shown.anchor, shown.text, shown.points) == ("line-b", "All of it", "10,10 90,10 90,30 10,30")


def test_directions_and_language(tmp_path: Path) -> None:
    lines = (line("שלום", direction="rtl"), line("明治", direction="ttb"), line("abc"))
    root = tree(write(document([page(1, *lines, language="he")]), tmp_path)["0001.html"])
    runs = [(run.get("class"), run.get("dir")) for run in root.xpath("//div[contains(@class, 'run')]")]
    assert runs == [("run", "rtl"), ("run vertical", None), ("run", None)]
    assert root.xpath("//span[@class='words']/@dir") == ["rtl", "ltr", "ltr"]
    assert root.xpath("//div[@id='transcript']/@lang") == ["he"]
    for odd in ("", "a language", 'x"y', "x-é", None):
        root = tree(write(document([page(1, *lines, language=odd)]), tmp_path)["0001.html"])
        assert root.xpath("//div[@id='transcript']/@lang") == [""]


def test_links_lead_to_the_exports_of_the_page(tmp_path: Path) -> None:
    names = [
        "document.pdf",
        "page/0001.xml",
        "page/0002.xml",
        "alto/0002.xml",
        "ocr-d/0001.xml",
        "iiif/annotations/0001.json",
        "iiif/manifest.json",
        "document.txt",
        "lines.csv",
    ]
    paths = {name: tmp_path / name for name in [*names, "images/0001.jpg", "lines.parquet"]}
    for path in paths.values():
        write_bytes(path, b"")
    files = {
        "pdf": [paths["document.pdf"]],
        "images": [paths["images/0001.jpg"]],
        "text": [paths["document.txt"]],
        "page": [paths["page/0001.xml"], paths["page/0002.xml"]],
        "alto": [paths["alto/0002.xml"]],
        "iiif": [paths["iiif/annotations/0001.json"], paths["iiif/manifest.json"]],
        "mets": [paths["ocr-d/0001.xml"]],
        "lines": [paths["lines.csv"], paths["lines.parquet"]],
    }
    image = PageImage(number=1, file="0001.jpg", sha256="", width=100, height=100, method="image-file")
    lost = image.model_copy(update={"number": 2, "file": "0002.jpg"})
    written = write(document([page(1, line()), page(2, line())], [image, lost]), tmp_path, files)
    first, second = tree(written["0001.html"]), tree(written["0002.html"])
    assert first.xpath("//nav[@class='exports']//a/@href") == [
        "../document.pdf#page=1",
        "../page/0001.xml",
    ]
    assert second.xpath("//nav[@class='exports']//a/text()") == ["Searchable PDF", "PAGE XML", "ALTO XML"]
    assert first.xpath("//img/@src") == ["../images/0001.jpg"]
    assert second.xpath("//img") == []
    assert len(second.xpath("//svg//polygon")) == 1
    whole = tree(written["index.html"]).xpath("//nav[@class='exports']//a")
    assert [link.text for link in whole] == [
        "Searchable PDF",
        "Plain text",
        "IIIF manifest",
        "Table of lines (lines.csv)",
        "Table of lines (lines.parquet)",
    ]
    for link in [*whole, *first.xpath("//nav[@class='exports']//a")]:
        assert (tmp_path / "view" / unquote(urlsplit(link.get("href")).path)).is_file()


def test_every_format_has_a_name_for_people() -> None:
    assert set(texts.FORMATS) | {"images", "view"} == set(formats.FORMATS)


def test_an_image_that_is_not_among_the_files_is_not_linked(tmp_path: Path) -> None:
    image = PageImage(number=1, file="../secret.jpg", sha256="", width=1, height=1, method="image-file")
    assert Links(tmp_path, {"images": [tmp_path / "images" / "0001.jpg"]}).image(image) is None


def test_the_view_is_equal_in_two_runs_and_brings_the_images_along(tmp_path: Path) -> None:
    write_bytes(tmp_path / "store" / "0001.jpg", b"jpeg")
    image = PageImage(number=1, file="0001.jpg", sha256="", width=100, height=100, method="image-file")
    given_document = document([page(1, line())], [image], image_folder=tmp_path / "store", title=HOSTILE)

    def run(folder: Path) -> dict[str, bytes]:
        formats.write_exports(given_document, folder, ["view", "text"])
        return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = run(tmp_path / "a")
    assert first == run(tmp_path / "a") == run(tmp_path / "b")
    assert first["images/0001.jpg"] == b"jpeg"
    root = tree(first["view/index.html"])
    assert shown_text(root.find(".//h1")) == HOSTILE
    for name in set(root.xpath("//@src | //link/@href | //tbody//a/@href")):
        assert f"view/{name}" in first


def test_memory_does_not_grow_with_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "PIECE", 5_000)
    monkeypatch.setattr(reading_view, "write_bytes", lambda path, data: None)
    monkeypatch.setattr(search_index, "write_bytes", lambda path, data: None)

    def load(index: int) -> Page:
        return page(index + 1, *(line(f"{index} {n} " + "word " * 20, id=f"l{n}") for n in range(12)))

    def peak(count: int) -> int:
        tracemalloc.start()
        for _ in reading_view.write(
            replace(document([]), pages=LazySequence(count, load), images=[None] * count), tmp_path, {}
        ):
            pass
        (_, highest), _ = tracemalloc.get_traced_memory(), tracemalloc.stop()
        return highest

    peak(2)
    # A page that is held has ten times that; the list of pages keeps a little of each.
    assert peak(50) - peak(20) < 30 * 4000


def test_every_text_is_used_and_the_scripts_texts_reach_the_scripts(tmp_path: Path) -> None:
    folder = resources.files(reading_view)
    sources = "".join(
        entry.read_text("utf-8")
        for name in ("templates", "assets")
        for entry in folder.joinpath(name).iterdir()
        if not entry.name.endswith((".css", ".svg"))
    )
    made_up = ("status.", "notice.", "step.", "region.")
    for key in texts.TEXTS:
        name = re.sub(r"^script\.|\.(one|other)$", "", key)
        assert f'"{name}"' in sources or f"'{name}'" in sources or key.startswith(made_up), key
    script = write(document([page(1)]), tmp_path)["assets/texts.js"].decode()
    assert json.loads(script.removeprefix("archiveView.setTexts(").removesuffix(");\n")) == texts.script_texts()


def test_no_pages_at_all_make_a_document_that_says_so(tmp_path: Path) -> None:
    files = write(document([], title="\x00"), tmp_path)
    root = tree(files["index.html"])
    assert "0 pages" in shown_text(root)
    assert shown_text(root.find(".//h1")) == "letter-1"


def test_two_thousand_lines_have_two_thousand_anchors(tmp_path: Path) -> None:
    root = tree(write(document([page(1, *(line(),) * 2000)]), tmp_path)["0001.html"])
    assert len(root.xpath("//svg/a")) == len(root.xpath("//*[contains(@class, 'line ')]")) == 2000
