"""What an archivist does in a browser, from an upload to a second reading, on ``archive-pipeline ui``."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import IS_THERE, Browser, chromium
from ui_process import Ui

from archive_pipeline.demo.pages import make_pdf
from archive_pipeline.document_states import DocumentStates

pytestmark = pytest.mark.skipif(not IS_THERE, reason="no chromium or chromedriver: see CONTRIBUTING.md")
_PICTURES = os.environ.get("ARCHIVE_PICTURES")
"""Where pictures of each step are kept; those of docs/archivist.md were made so."""


@pytest.fixture
def ui(cli: Any) -> Iterator[Ui]:
    (cli.home / "uploads").mkdir(parents=True)
    running = Ui(cli.home, ARCHIVE_QUIET_SECONDS="1", ARCHIVE_NIGHT="off")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    pictures = Path(_PICTURES) if _PICTURES else tmp_path
    pictures.mkdir(parents=True, exist_ok=True)
    with chromium(pictures) as opened:
        yield opened


def _until(what: Callable[[], bool], ui: Ui, seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, ui.log.read_text("utf-8")[-3000:]
        time.sleep(0.5)


def test_an_upload_is_seen_done_and_read_a_refusal_is_found_and_a_document_is_read_again(
    cli: Any, ui: Ui, browser: Browser
) -> None:
    uploads, states = cli.home / "uploads", DocumentStates(cli.home / "store")
    results = f"http://127.0.0.1:{ui.results_port}"
    make_pdf(uploads / "letters-1914.pdf", pages=1, lines=6)
    (uploads / "minutes.pdf").write_bytes(b"This was a PDF once.\n" * 20)
    (uploads / "inventory.docx").write_bytes(b"x")
    dagster = f"http://127.0.0.1:{ui.port}"

    browser.open(f"{dagster}/assets/document_exports?view=partitions")
    browser.find("//*[text()='letters-1914.pdf']", 120)
    browser.picture("appeared")

    _until(lambda: (state := states.of("letters-1914.pdf")) is not None and state.standing == "done", ui)
    browser.open(f"{dagster}/assets/document_exports?view=partitions&partition=letters-1914.pdf")
    view = browser.find("//a[contains(@href, '/letters-1914.pdf/view/index.html')]", 60)
    browser.picture("done")
    assert view.get_attribute("href") == f"{results}/letters-1914.pdf/view/index.html"

    _until(lambda: (state := states.of("minutes.pdf")) is not None and state.standing == "refused", ui)
    browser.open(f"{dagster}/assets/uploads")
    browser.find("//*[text()='minutes.pdf']", 60)
    browser.find("//*[contains(text(), 'it looks like a text file')]")
    browser.find("//*[text()='inventory.docx']")
    browser.picture("refused")
    note = uploads / "minutes.pdf.refused.txt"
    _until(note.exists, ui)
    assert "it looks like a text file" in note.read_text("utf-8")

    browser.open(results)
    browser.find("//tr[contains(., 'minutes.pdf') and contains(., 'it looks like a text file')]")
    browser.picture("results")
    browser.click("//tr[contains(., 'letters-1914.pdf')]//a[text()='reading view']")
    browser.find("//h1[contains(., 'letters-1914.pdf')]")
    browser.picture("view")
    browser.click("//a[normalize-space()='Page 1']")
    first = (cli.home / "store/documents/letters-1914.pdf/exports/document.txt").read_text("utf-8").splitlines()[0]
    assert len(first.split()) > 3
    browser.find(f"//*[normalize-space()='{first}']")
    browser.picture("page")

    browser.open(f"{dagster}/locations/documents/jobs/documents_job/playground")
    browser.click("//input[@placeholder='Partition']")
    browser.write("letters-1914.pdf")
    browser.click("//*[@role='menuitem' or contains(@class, 'MenuItem')][contains(., 'letters-1914.pdf')]")
    config = "ops:\n  documents:\n    config:\n      engine: kraken\n"
    editor = "document.querySelector('.CodeMirror')"

    def typed() -> bool:
        # A partition that is chosen brings a configuration of its own, some time later, and takes the place of ours.
        browser.do(f"if ({editor}) {editor}.CodeMirror.setValue(arguments[0])", config)
        time.sleep(5)
        said = str(browser.do("return document.body.innerText"))
        same = browser.do(f"return {editor} && {editor}.CodeMirror.getValue()") == config
        return same and "Generating configuration" not in said and "No errors" in said

    time.sleep(3)
    _until(typed, ui)
    browser.picture("launchpad")
    browser.click("//button[contains(., 'Launch Run') and not(@disabled)]")
    _until(lambda: (state := states.of("letters-1914.pdf")) is not None and state.segmentation == "kraken-blla", ui)
    state = states.of("letters-1914.pdf")
    assert state is not None
    assert (state.standing, state.chosen_by) == ("done", "run")
    browser.picture("launched")
