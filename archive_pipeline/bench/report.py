"""What the corpus report costs: seconds and memory over many generated documents, of which only the records exist."""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import to_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing.stored_pages import StoredPage
from archive_pipeline.report.make import make_report
from archive_pipeline.report.places import Places
from archive_pipeline.report.webpage import write_html
from archive_pipeline.store import DocumentFolder, Store

_PAGES = 8
_DOUBTFUL = 0.75
_MODELS = ("ppocr-v6-latin", "mccatmus", "kurrent-1890")
_ERRORS = (
    ("PageTimeout", "it took longer than 300 s. Raise ARCHIVE_PAGE_TIMEOUT if the page is worth the wait."),
    ("ChildError", "the page worker was killed for memory."),
)


@dataclass(frozen=True)
class ReportCost:
    """Of one report.

    Attributes:
        memory: Growth of the process's peak, in megabytes.
    """

    documents: int
    pages: int
    seconds: float
    memory: float
    made: float


def bench_report(documents: int, keep: Path | None = None) -> ReportCost:
    """Generate a store and report on it.

    Args:
        documents: How many.
        keep: Where to make it, and leave it; else it is removed again.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        store = Store(keep or Path(name))
        began = time.monotonic()
        make_archive(store, documents)
        made = time.monotonic() - began
        process = psutil.Process()
        before = process.memory_info().rss
        began = time.monotonic()
        places = Places(store.root / "documents")
        report = make_report(store, store.root / "report", places=places)
        write_html(report, store.root / "report")
        seconds = time.monotonic() - began
        memory = (process.memory_info().rss - before) / 1e6
        return ReportCost(documents, report.pages.pages, seconds, memory, made)


def make_archive(store: Store, documents: int, seed: int = 0) -> None:
    """Records of documents that never were: hands, failures, corrections, in fixed proportions.

    Files are written without a flush: what is measured is reading.
    """
    rng = random.Random(seed)  # noqa: S311 - nothing secret
    states: list[DocumentState] = []
    for number in range(documents):
        folder = store.document(DocumentKey(f"box-{number // 100:04d}--letter-{number:06d}.pdf"))
        _write(folder.source, {"origin": f"/nowhere/{folder.key}", "key": folder.key})
        if number % 50 == 7:
            continue  # waiting
        states.append(_document(folder, rng, corrected=number % max(documents // 40, 1) == 0))
    DocumentStates(store.root).write_all(states)


def _document(folder: DocumentFolder, rng: random.Random, *, corrected: bool) -> DocumentState:
    kind = rng.choices(range(3), [6, 3, 1])[0]
    if rng.random() < 0.02:
        return DocumentState(
            folder.key,
            "refused",
            "f",
            "m",
            _when(rng),
            code="DamagedFile",
            reason="it ends in the middle of a page",
            remedy="Open it in a viewer; if it does not open there either, copy or scan it again.",
        )
    rows: list[dict[str, Any]] = []
    level = min(max(rng.gauss((0.985, 0.93, 0.8)[kind], 0.03), 0.3), 0.9995)
    for number in range(1, rng.randint(1, 2 * _PAGES - 1) + 1):
        sure = min(max(level + rng.gauss(0, 0.01), 0.2), 0.9999)
        row = {"page": number, "status": "done", "reason": "", "error": None, "lines": rng.randint(12, 45)}
        row |= {"confidence": round(sure, 4), "image": "i", "layout": "l", "transcription": "t"}
        if (chance := rng.random()) < 0.03:
            row |= {"status": "blank", "reason": "No text was found on this page.", "lines": 0, "confidence": None}
        elif chance < 0.04:
            code, reason = rng.choice(_ERRORS)
            row |= {"status": "failed", "reason": reason, "error": code, "lines": 0, "confidence": None}
        if corrected and number <= 3 and row["status"] == "done":
            _correct(folder, number, sure, _MODELS[kind], rng)
        elif sure < _DOUBTFUL and row["status"] == "done":
            _transcription(folder, number, sure, _MODELS[kind], rng)
        rows.append(row)
    _write(folder.ledger, {"schema_version": 1, "pages": rows})
    sure_of = [row["confidence"] for row in rows if row["confidence"] is not None]
    lines = sum(row["lines"] for row in rows)
    failed = sum(row["status"] == "failed" for row in rows)
    return DocumentState(
        folder.key,
        "failed" if failed == len(rows) else "done",
        "f",
        "m",
        _when(rng),
        segmentation="ppocr-v6-detection",
        recognition=_MODELS[kind],
        code="DocumentFailed" if failed == len(rows) else "",
        reason="no page could be read" if failed == len(rows) else "",
        pages=len(rows),
        failed_pages=failed,
        lines=lines,
        characters=lines * 42,
        confidence=sum(sure_of) / len(sure_of) if sure_of else None,
        language=rng.choice(("fr", "fr", "fr", "de", "")),
        hand=("", "clerk of 1914", "Kurrent of the 1890s")[kind],
        seconds=len(rows) * rng.uniform(1.5, 4),
    )


def _correct(folder: DocumentFolder, number: int, sure: float, model: str, rng: random.Random) -> None:
    """A page that a person went through."""
    _write(folder.correction(number), _transcription(folder, number, sure, model, rng))


def _transcription(folder: DocumentFolder, number: int, sure: float, model: str, rng: random.Random) -> dict[str, str]:
    """A page with about as many errors as twice the doubt, and what it should be: line id -> text."""
    lines, corrections = [], {}
    for place in range(rng.randint(15, 40)):
        true = "".join(rng.choices("abcdefghilmnoprstu ", k=40)).strip()
        read = "".join("x" if rng.random() < 2 * (1 - sure) else char for char in true)
        identity = f"r1l{place}"
        lines.append(Line(id=identity, boundary=((0, 0), (9, 0), (9, 9)), text=read, confidence=sure))
        corrections[identity] = true
    step = Step(task="recognition", engine="kraken", version="1", model=model)
    region = Region(id="r1", boundary=((0, 0), (9, 0), (9, 9)), lines=tuple(lines))
    page = Page(number=number, width=10, height=10, regions=(region,), steps=(step,))
    _write(folder.transcription(number), StoredPage(made_from="t", page=page).model_dump(mode="json"))
    return corrections


def _when(rng: random.Random) -> float:
    return time.time() - 86_400 * 25 * rng.random() ** 2


def _write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_json(data))
