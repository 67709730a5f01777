"""The reading view in a real browser: from a folder and over http, with and without scripts, in light and dark."""

from __future__ import annotations

import functools
import http.server
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Request, expect, sync_playwright
from playwright.sync_api import Page as Tab

from archive_pipeline.exports import formats
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Point, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

expect.set_options(timeout=30_000)

CHROMIUM = Path("/usr/bin/chromium")
HOSTILE = """<script>window.hacked=1</script>"><img src=x onerror="window.hacked=2">' onload="window.hacked=3"""
STEP = Step(task="recognition", engine="ppocr", version="1", model="latin", model_digest="ab" * 32, parameters={"a": 1})
SIZE = (800, 1100)

pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no Chromium at {CHROMIUM}")


def box(left: int, top: int, right: int, bottom: int) -> tuple[Point, ...]:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line(number: int, text: str, confidence: float | None = 0.99, **values: Any) -> Line:
    top = 100 + 45 * number
    return Line(id=f"l{number}", boundary=box(80, top, 700, top + 34), text=text, confidence=confidence, **values)


def letter() -> tuple[Line, ...]:
    words = (
        Word(text="Je", box=(80, 280, 120, 314), confidence=0.99),
        Word(text="rendiss", box=(130, 280, 300, 314), confidence=0.5),
        Word(text="à", box=(310, 280, 330, 314), confidence=0.99),
    )
    return (
        line(1, "Après la clôture de la session parlementaire, le Préfet fut atten-"),
        line(2, "dait à la gare de DUNKERQUE."),
        line(3, "Waſſer und Œuvre", 0.8),
        line(4, "Je rendiss à", 0.93, words=words),
        line(5, "", None),
        line(6, "olde text", 0.4, correction="old text"),
    )


def many() -> tuple[Line, ...]:
    return tuple(
        Line(id=f"m{n}", boundary=box(80, 20 + 17 * n, 700, 34 + 17 * n), text=f"Zeile {n} mit Gruß", confidence=0.97)
        for n in range(60)
    )


def whole(lines: tuple[Line, ...], **values: Any) -> Region:
    return Region(id="r", boundary=box(0, 0, *SIZE), lines=lines, **values)


def pages() -> list[Page]:
    hebrew = (line(1, "שָׁלוֹם עולם", direction="rtl"), line(2, "ספר הזכרונות", 0.7, direction="rtl"))
    japanese = tuple(
        Line(id=f"v{n}", boundary=box(700 - 60 * n, 100, 740 - 60 * n, 800), text="明治三十七年日記", direction="ttb")
        for n in range(9)
    )
    margin = Region(id="m", type="marginalia", boundary=box(20, 700, 200, 800), text=HOSTILE)
    stamp = Region(id="s", type="stamp", boundary=box(500, 900, 700, 1000))
    common: dict[str, Any] = {"width": SIZE[0], "height": SIZE[1], "steps": (STEP,)}
    return [
        Page(number=1, language="fr", regions=(whole(letter()), margin, stamp), **common),
        Page(number=2, language="de", regions=(whole(many()),), **common),
        Page(number=3, width=1, height=1, status="failed", reason=f"too large {HOSTILE}"),
        Page(number=4, language="he", direction="rtl", regions=(whole(hebrew, type="heading"),), **common),
        Page(number=5, language="ja", direction="ttb", regions=(whole(japanese),), **common),
        Page(number=6, regions=(whole((line(1, HOSTILE), line(2, "javascript:alert(1)", 0.1))),), **common),
        Page(number=7, status="blank", **common),
    ]


@dataclass(frozen=True)
class View:
    """The view from a folder or over http, and everything that went wrong in the browser."""

    context: BrowserContext
    base: str
    problems: list[str]

    def open(self, name: str, **options: Any) -> Tab:
        tab = self.context.new_page()
        tab.on("console", lambda message: self.problems.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: self.problems.append(str(error)))
        tab.goto(f"{self.base}/{name}", **options)
        return tab


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("view # 100% ü")
    (folder / "store").mkdir()
    records: list[PageImage | None] = []
    for page in pages():
        if page.status == "failed":
            records.append(None)
            continue
        image = Image.new("RGB", SIZE, "#e9e2d0")
        drawing = ImageDraw.Draw(image)
        for each in page.lines():
            drawing.rectangle(each.box, outline="#8a7f66")
        name = f"{page.number:04d}.jpg"
        image.save(folder / "store" / name, quality=60)
        records.append(
            PageImage(number=page.number, file=name, sha256="", width=SIZE[0], height=SIZE[1], method="image-file")
        )
    document = ExportDocument(
        key="letter-1",
        title=f"Lettres {HOSTILE}",
        source_digest="0" * 64,
        source_date=None,
        pages=pages(),
        images=records,
        image_folder=folder / "store",
        notes=(HOSTILE,),
    )
    formats.write_exports(document, folder / "exports", ["text", "page", "view"])
    return folder / "exports"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield launched
        launched.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address(exports: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(exports))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/view"
        server.shutdown()


@pytest.fixture(params=["folder", "http"])
def view(request: pytest.FixtureRequest, browser: Browser, exports: Path) -> Iterator[View]:
    """Fails the test if the browser complained of anything or asked for anything that is not in the folder."""
    base = (exports / "view").as_uri() if request.param == "folder" else request.getfixturevalue("address")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    problems: list[str] = []
    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective + e.blockedURI))"
    )
    root = base.removesuffix("view")
    context.on("request", lambda sent: problems.append(f"asked for {sent.url}") if root not in sent.url else None)

    def failed(sent: Request) -> None:
        # Aborted is what was still loading when a test went on to the next page.
        if sent.failure != "net::ERR_ABORTED":
            problems.append(f"{sent.url}: {sent.failure}")

    context.on("requestfailed", failed)
    yield View(context, base, problems)
    context.close()
    assert problems == []


def expect_page(tab: Tab, number: int) -> None:
    expect(tab.locator("h1")).to_contain_text(f"Page {number}")
    tab.wait_for_load_state()  # keys work once the scripts are there


def active(tab: Tab) -> tuple[str | None, str | None]:
    """What is lit: the line of the text, and the line of the shape."""
    found = tab.evaluate(
        "[...document.querySelectorAll('.line.active')].map(e => e.id)"
        ".concat('|', [...document.querySelectorAll('a.active')].map(e => e.dataset.line))"
    )
    middle = found.index("|")
    text, image = found[:middle], found[middle + 1 :]
    assert max(len(text), len(image)) <= 1
    return (text or [None])[0], (image or [None])[0]


@pytest.mark.parametrize("query", ["APRES la cloture", "clôture de", "attendait a la gare", "dunkerque"])
def test_search_finds_whatever_the_capitals_accents_and_line_ends(view: View, query: str) -> None:
    tab = view.open("index.html")
    tab.keyboard.press("/")
    # At once: typed letter by letter, the beginning of the query may be found first.
    tab.keyboard.insert_text(query)
    expect(tab.locator("#search-status")).to_have_text("1 place on one page.")
    marked = "".join(tab.locator("#search-results mark").all_text_contents())
    assert tab.evaluate("archiveView.fold", marked) == tab.evaluate("archiveView.fold", query)


@pytest.mark.parametrize(
    ("query", "anchor"),
    [
        ("wasser", "1.*l3"),
        ("oeuvre", "1.*l3"),
        ("שלום", "4.*l1"),
        ("三", "5.*v0"),
        ("clôture gare", "1.*l1"),
        ("rendiss a old", "1.*l4"),
    ],
)
def test_search_knows_old_letters_vowel_points_single_signs_and_words_apart(
    view: View, query: str, anchor: str
) -> None:
    tab = view.open("index.html")
    tab.locator("#search").fill(query)
    expect(tab.locator("#search-results a").first).to_have_attribute("href", re.compile(f"000{anchor}$"))


def test_a_result_leads_to_its_line_which_is_marked_and_back(view: View) -> None:
    tab = view.open("index.html#q=attendait")
    tab.locator("#search-results a").click()
    expect(tab).to_have_url(re.compile(r"0001\.html\?q=attendait#line-l1$"))
    expect(tab.locator("#transcript mark")).to_have_text(["atten", "dait"])
    assert active(tab) == ("line-l1", "line-l1")
    assert tab.locator("a.found").count() == 2
    expect(tab.locator("#marked-status")).to_have_text("1 place with “attendait” is marked.")
    tab.get_by_role("button", name="Remove the marks").click()
    assert tab.locator("#transcript mark").count() == 0
    assert tab.locator("#line-l1 .words").text_content() == letter()[0].text
    tab.go_back()
    expect(tab.locator("#search-status")).to_have_text("1 place on one page.")


def test_marks_keep_to_their_places_where_several_are_in_a_line_and_across_words(view: View) -> None:
    tab = view.open("0001.html?q=re")
    assert tab.locator("#line-l4 mark").all_text_contents() == ["re"]
    assert tab.locator("#line-l4 .words").text_content() == "Je rendiss à"
    tab = view.open("0001.html?q=" + "e rend")
    assert tab.locator("#line-l4 mark").all_text_contents() == ["e ", "rend"]


def test_many_results_are_shown_when_they_are_asked_for(view: View) -> None:
    tab = view.open("index.html")
    tab.locator("#search").fill("ei")
    expect(tab.locator("#search-status")).to_have_text("60 places on one page.")
    tab.locator("#search").fill("e")
    expect(tab.locator("#search-status")).to_have_text("Type at least two letters.")
    tab.locator("#search").fill("nowhere to be found")
    expect(tab.locator("#search-status")).to_have_text("“nowhere to be found” was not found.")
    tab.locator("#search").fill("  ")
    expect(tab.locator("#search-status")).to_be_empty()


def test_a_search_index_that_is_gone_is_named(browser: Browser, exports: Path) -> None:
    tab = browser.new_page()
    tab.route("**/search/*.js", lambda route: route.abort())
    tab.goto((exports / "view" / "index.html").as_uri())
    tab.locator("#search").fill("gare")
    expect(tab.locator("#search-status")).to_contain_text("search/0001.js could not be loaded")
    tab.close()


def test_pointer_and_focus_light_a_line_in_image_and_text(view: View) -> None:
    tab = view.open("0001.html")
    tab.locator("#line-l2 .words").hover()
    assert active(tab) == ("line-l2", "line-l2")
    tab.locator("a[data-line=line-l4] polygon").hover()
    assert active(tab) == ("line-l4", "line-l4")
    tab.locator("h1").hover()
    assert active(tab) == (None, None)
    tab.locator("a[data-line=line-l3] polygon").click()
    expect(tab.locator("#line-l3")).to_be_focused()
    expect(tab).to_have_url(re.compile("#line-l3$"))
    tab.locator("h1").hover()
    assert active(tab) == ("line-l3", "line-l3")
    tab.keyboard.press("Escape")
    assert active(tab) == (None, None)


def test_the_other_side_scrolls_to_the_line(view: View) -> None:
    tab = view.open("0002.html")
    tab.locator("#line-m14 .words").hover()
    expect(tab.locator("a[data-line=line-m14] polygon")).to_be_in_viewport(ratio=1)
    tab.locator("a[data-line=line-m30] polygon").hover()
    expect(tab.locator("#line-m30")).to_be_in_viewport()
    for _ in range(3):
        tab.keyboard.press("+")
    tab.locator("#line-m59 .words").hover()
    expect(tab.locator("a[data-line=line-m59] polygon")).to_be_in_viewport()
    tab.keyboard.press("Escape")
    tab.evaluate("scrollTo(0, 0)")
    tab.locator("h1").hover()
    tab.keyboard.press("j")
    expect(tab.locator("#line-m0")).to_be_focused()
    expect(tab.locator("a[data-line=line-m0] polygon")).to_be_in_viewport()


def test_keys_turn_pages_and_walk_through_lines(view: View) -> None:
    tab = view.open("0001.html")
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    expect(tab.locator("#line-l2")).to_be_focused()
    tab.keyboard.press("k")
    expect(tab.locator("#line-l1")).to_be_focused()
    tab.keyboard.press("ArrowLeft")
    expect_page(tab, 1)
    tab.keyboard.press("ArrowRight")
    expect_page(tab, 2)
    tab.keyboard.press("ArrowRight")
    expect_page(tab, 3)
    tab.keyboard.press("ArrowLeft")
    expect_page(tab, 2)
    tab.keyboard.press("/")
    tab.keyboard.type("jk?")
    expect(tab.locator("#search")).to_have_value("jk?")
    tab.locator("#search").fill("gruss")
    tab.keyboard.press("Enter")
    expect(tab.locator("#search-status")).to_have_text("60 places on one page.")


def test_the_list_of_keys_opens_and_single_keys_can_be_turned_off(view: View) -> None:
    tab = view.open("0001.html")
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog")).to_be_visible()
    tab.get_by_label("single characters").uncheck()
    tab.keyboard.press("Escape")
    expect(tab.get_by_role("dialog")).not_to_be_visible()
    tab.keyboard.press("j")
    tab.keyboard.press("?")
    expect(tab.get_by_role("dialog")).not_to_be_visible()
    assert active(tab) == (None, None)
    tab.keyboard.press("ArrowRight")
    expect_page(tab, 2)
    tab.get_by_role("button", name="Keys").click()
    expect(tab.get_by_label("single characters")).not_to_be_checked()


def test_the_filter_shows_what_is_doubtful_and_is_remembered(view: View) -> None:
    tab = view.open("0001.html")

    def shown() -> list[str]:
        found: list[str] = tab.evaluate(
            "[...document.querySelectorAll('.line')].filter(e => e.offsetParent).map(e => e.id)"
        )
        return found

    assert len(shown()) == 7
    expect(tab.locator("#filter-status")).to_have_text("2 of 7 lines are doubtful.")
    tab.get_by_label("Only doubtful lines").check()
    assert shown() == ["line-l3", "line-l5"]
    tab.locator("#threshold").fill("95")
    assert shown() == ["line-l3", "line-l4", "line-l5"]
    expect(tab.locator("#threshold-value")).to_have_text("95 %")
    tab.locator("h1").click()
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    expect(tab.locator("#line-l4")).to_be_focused()
    tab.reload()
    assert shown() == ["line-l3", "line-l4", "line-l5"]
    tab.locator("#threshold").fill("50")
    expect(tab.locator("#filter-status")).to_have_text("1 of 7 lines is doubtful.")
    tab.goto(f"{view.base}/0001.html#line-l1")
    expect(tab.locator("#line-l1")).to_be_visible()


def test_only_pages_that_need_an_eye(view: View) -> None:
    tab = view.open("index.html")
    tab.get_by_label("Only pages that need an eye").check()
    shown = [row for row in tab.locator("tbody tr").all() if row.is_visible()]
    assert [row.get_attribute("id") for row in shown] == ["page-0003", "page-0004", "page-0006"]
    expect(tab.locator("#eye-status")).to_have_text("3 pages need an eye.")


def test_the_colours_that_were_chosen_stay(view: View) -> None:
    tab = view.open("index.html")
    light = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    tab.get_by_role("button", name="Dark").click()
    dark = tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert dark != light
    tab.goto(f"{view.base}/0001.html")
    assert tab.evaluate("getComputedStyle(document.documentElement).backgroundColor") == dark
    expect(tab.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")


def test_image_and_lines_lie_exactly_over_each_other(view: View) -> None:
    tab = view.open("0001.html")
    for key in ("", "-", "+", "+"):
        if key:
            tab.keyboard.press(key)
        image = tab.locator("img").bounding_box()
        corner = tab.locator("a[data-line=line-l2] polygon").evaluate(
            "e => { const p = e.points[2].matrixTransform(e.getScreenCTM()); return [p.x, p.y]; }"
        )
        assert image is not None
        scale = image["width"] / SIZE[0]
        assert image["height"] / SIZE[1] == pytest.approx(scale, rel=0.01)
        assert image["height"] < 800 or key != "-"
        assert corner == pytest.approx([image["x"] + 700 * scale, image["y"] + 224 * scale], abs=1)


def test_without_scripts_there_are_text_image_and_links_but_no_dead_controls(
    browser: Browser, exports: Path, address: str
) -> None:
    for base in ((exports / "view").as_uri(), address):
        context = browser.new_context(java_script_enabled=False)
        tab = context.new_page()
        tab.goto(f"{base}/index.html")
        assert [b for b in tab.locator("button, input").all() if b.is_visible()] == []
        tab.get_by_role("link", name="Page 1", exact=True).click()
        expect(tab.locator("#line-l2 .words")).to_have_text("dait à la gare de DUNKERQUE.")
        assert [b for b in tab.locator("button, input").all() if b.is_visible()] == []
        expect(tab.get_by_role("img", name="Image of page 1")).to_be_visible()
        tab.locator("summary").click()
        expect(tab.get_by_text("olde text")).to_be_visible()
        tab.locator("a[data-line=line-l3] polygon").click()
        expect(tab).to_have_url(re.compile("#line-l3$"))
        tab.get_by_role("link", name="Next").click()
        tab.get_by_role("link", name="Next").click()
        expect(tab.locator(".notice.failed")).to_contain_text("too large")
        expect(tab.get_by_text("There is no image of this page.")).to_be_visible()
        context.close()


def test_links_lead_to_the_other_exports(view: View, exports: Path) -> None:
    tab = view.open("0001.html")
    links = [link.get_attribute("href") or "" for link in tab.locator(".exports a").all()]
    assert links == ["../text/0001.txt", "../page/0001.xml"]
    assert all((exports / "view" / link).resolve().is_file() for link in links)


def test_writing_directions(view: View) -> None:
    tab = view.open("0004.html")
    first = tab.locator("#line-l1 .words")
    expect(first).to_have_css("direction", "rtl")
    assert first.evaluate("e => e.closest('[lang]').lang") == "he"
    tab = view.open("0005.html")
    expect(tab.locator("#line-v0")).to_have_css("writing-mode", "vertical-rl")
    first_box, second_box = (tab.locator(f"#line-{n}").bounding_box() for n in ("v0", "v1"))
    assert first_box is not None
    assert second_box is not None
    assert first_box["x"] > second_box["x"]
    assert first_box["height"] > 3 * first_box["width"]


@pytest.mark.parametrize("name", [f"{name}.html" for name in ("index", "0001", "0003", "0006")])
def test_hostile_text_stays_text(view: View, name: str) -> None:
    tab = view.open(name)
    if name == "index.html":
        tab.locator("#search").fill("<script>")
        expect(tab.locator("#search-results mark").first).to_have_text("<script>")
    elif name != "0003.html":
        tab.goto(f"{view.base}/{name}?q=%3Cimg%20src%3Dx#line-%22%3E")
        expect(tab.locator("#transcript mark").first).to_have_text("<img src=x")
    assert HOSTILE in (tab.locator("body").text_content() or "")
    assert tab.evaluate("window.hacked") is None
    assert tab.locator("img[src=x], [onerror], [onload], [style], style, script:not([src])").count() == 0
    assert tab.locator("a[href^='javascript:']").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", "0001", "0003", "0004", "0005", "0006", "0007"])
def test_axe_finds_nothing_serious(browser: Browser, exports: Path, name: str, scheme: Any) -> None:
    tab = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 800})
    tab.goto((exports / "view" / f"{name}.html").as_uri() + ("?q=gare" if name == "0001" else ""))
    if name == "index":
        tab.locator("#search").fill("gare")
        expect(tab.locator("#search-results a")).to_have_count(1)
    found = Axe().run(tab).response["violations"]
    if name == "0001":
        tab.keyboard.press("j")
        tab.keyboard.press("?")
        found += Axe().run(tab).response["violations"]
    tab.close()
    serious = [v for v in found if v["impact"] in ("serious", "critical")]
    assert serious == [], json.dumps(serious, indent=1)[:3000]


@pytest.mark.parametrize("width", [360, 640, 1280, 2560])
@pytest.mark.parametrize("name", ["index", "0001", "0003", "0004", "0005", "0006"])
def test_nothing_runs_out_of_the_page_at_any_width(browser: Browser, exports: Path, name: str, width: int) -> None:
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto((exports / "view" / f"{name}.html").as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()
