"""Every pair of engines in sealed page workers: whole documents, stops and kills."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from htrvx.schemas import Validator
from kraken_models import install, ppocr_network, write
from lxml import etree
from rapidfuzz.distance import Levenshtein

from archive_pipeline.demo import texts
from archive_pipeline.demo.pages import typed_page, write_pdf
from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.results import PageOutcome, StageResult
from archive_pipeline.store import Store

PAIRS = [
    ("ppocr", "ppocr-v6-latin"),
    ("kraken", "ppocr-v6-latin"),
    ("ppocr", "kraken-read"),
    ("kraken", "kraken-read"),
    # surya's pairs come here; its models are put into the store by the fixture `models`.
]
EACH_ONCE = [PAIRS[0], PAIRS[3]]
"""Pairs in which every engine comes once: for what takes longer."""

LINES = [line for line in texts.LETTER[2] if line][:5]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store with kraken's models."""
    folder = tmp_path_factory.mktemp("store")
    network = ppocr_network(ModelLibrary().installed("ppocr-v6-latin").read())
    install(write(network, tmp_path_factory.mktemp("made") / "kraken-read.safetensors"), folder)
    return folder


@pytest.fixture(scope="module")
def letter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pages of five lines."""
    path = tmp_path_factory.mktemp("letter") / "letter.pdf"
    write_pdf(path, (typed_page(number, LINES, number)[0] for number in (1, 2, 3)))
    return path


@dataclass
class Watch:
    """Notes the pages that are finished, and does something after the first."""

    after_first: Any = None
    finished: list[PageOutcome] = field(default_factory=list)

    def document_started(self, key: DocumentKey, pages: int) -> None: ...

    def page_finished(self, key: DocumentKey, outcome: PageOutcome) -> None:
        self.finished.append(outcome)
        if len(self.finished) == 1 and self.after_first is not None:
            self.after_first()

    def document_finished(self, key: DocumentKey, error: ArchiveError | None) -> None: ...


@dataclass(frozen=True)
class Archive:
    """A store with the letter in it, and a pair of engines to read it."""

    store: Store
    key: DocumentKey
    options: ProcessingOptions

    def process(self, watch: Watch) -> list[StageResult]:
        with Processor(self.store, self.options, watch) as processor:
            return list(processor.process(self.key))

    def pages(self) -> Iterator[Page]:
        folder = self.store.document(self.key).exports / "pages"
        return (Page.model_validate_json(path.read_bytes()) for path in sorted(folder.glob("*.json")))


def named(pair: tuple[str, str]) -> str:
    return "+".join(pair)


@pytest.fixture(params=PAIRS, ids=named)
def archive(request: pytest.FixtureRequest, tmp_path: Path, models: Path, letter: Path) -> Archive:
    engine, recognition = request.param
    options = ProcessingOptions(
        engine=engine, recognition_model=recognition, models_dir=models, workers=1, max_failed_pages=0.9
    )
    store = Store(tmp_path / "store")
    return Archive(store, store.register(letter, tmp_path), options)


def test_a_document_gives_valid_exports_with_the_text_that_is_there(archive: Archive) -> None:
    results = archive.process(Watch())
    assert [outcome.status for outcome in results[-1].outcomes] == ["done"] * 3
    folder = archive.store.document(archive.key).exports
    for kind in ("page", "alto"):
        schema = Validator(kind).xmlschema
        found = sorted((folder / kind).glob("*.xml"))
        assert len(found) == 3
        for path in found:
            assert schema.validate(etree.parse(path)), schema.error_log.last_error
    with pikepdf.open(folder / "document.pdf") as pdf:
        assert len(pdf.pages) == 3
    expected = "\n".join(LINES)
    for page in archive.pages():
        assert Levenshtein.distance(page.text, expected) <= 0.03 * len(expected)
        assert [step.task for step in page.steps][-2:] == ["segmentation", "recognition"]
        assert page.steps[-1].model == archive.options.recognition_model


@pytest.mark.parametrize("archive", EACH_ONCE, indirect=True, ids=named)
def test_a_stop_in_the_middle_keeps_what_is_done_and_goes_on_later(archive: Archive) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    watch = Watch(stop)
    with pytest.raises(KeyboardInterrupt):
        archive.process(watch)
    done = [outcome.number for outcome in watch.finished]
    assert 1 <= len(done) < 3
    assert not list(archive.store.root.rglob("*.tmp"))
    again = Watch()
    archive.process(again)
    assert {outcome.number for outcome in again.finished if outcome.reused} == set(done)
    assert [page.status for page in archive.pages()] == ["done"] * 3


@pytest.mark.parametrize("archive", EACH_ONCE, indirect=True, ids=named)
def test_a_worker_that_is_killed_costs_its_page_and_no_other(archive: Archive) -> None:
    with Processor(archive.store, archive.options) as processor:
        watch = Watch(lambda: threading.Thread(target=kill_soon, args=(processor,)).start())
        processor._progress = watch
        results = list(processor.process(archive.key))
    outcomes = {outcome.number: outcome for outcome in results[-1].outcomes}
    failed = [outcome for outcome in outcomes.values() if outcome.status == "failed"]
    assert len(failed) == 1
    assert "killed by SIGKILL" in failed[0].reason
    assert [outcomes[number].status for number in (1, 2, 3) if number != failed[0].number] == ["done", "done"]
    again = Watch()
    archive.process(again)
    assert [page.status for page in archive.pages()] == ["done"] * 3
    assert [outcome.number for outcome in again.finished if not outcome.reused] == [failed[0].number]


def kill_soon(processor: Processor) -> None:
    """Kill the page worker while it has another page: an idle one would be replaced, and nobody would know."""
    (worker,) = processor._pool._all
    assert worker._child is not None
    child, end = worker._child, time.monotonic() + 60
    while not child._lock.locked() and time.monotonic() < end:
        time.sleep(0.001)
    os.kill(child.pid, signal.SIGKILL)
