"""What planning a night costs: seconds and memory at a number of documents, on empty files and invented states."""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.nights.outsides import Outsides
from archive_pipeline.nights.today import Today
from archive_pipeline.nights.tonight import ask, plan_tonight
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import Upload, UploadRegister

_IN_A_FOLDER = 500
_SETTINGS_EVERY = 10
"""Every so many folders has an ``archive.yaml``."""


@dataclass(frozen=True)
class Planning:
    """What was measured.

    Attributes:
        seconds, cpu: Of the whole plan, with all states read and all sources looked at.
        worth: Documents that are worth a run.
        unseen: Documents for which there was no time.
        asked: Documents that one look of a night asks for, in so many runs.
        peak_mb: Largest memory of this process so far.
    """

    seconds: float
    cpu: float
    worth: int
    unseen: int
    asked: tuple[int, int]
    peak_mb: float


def invent_archive(home: Path, documents: int) -> tuple[Store, ProcessingOptions, list[str]]:
    """An archive that no run has ever seen.

    Of a hundred documents, 90 are current, four changed, three missing, two made with something else and one failed.

    Returns:
        Its store, options, and keys in the order of registration.
    """
    uploads, store = home / "uploads", Store(home / "store")
    options = ProcessingOptions(uploads_dir=uploads)
    paths = list(_files(uploads, documents))
    keys = [f"{path.parent.name}-{path.name}" for path in paths]
    UploadRegister(store.root).write(
        Upload(str(path.relative_to(uploads)), "v", str(number), "taken", 0.0, 0.0, key)
        for number, (path, key) in enumerate(zip(paths, keys, strict=True))
    )
    outsides = Outsides(uploads, max_file_mb=options.max_file_mb, max_pages=options.max_pages)
    states = (
        _state(key, n, outsides.fingerprint(str(path))) for n, (key, path) in enumerate(zip(keys, paths, strict=True))
    )
    # What they should be made with is only known of documents that have a state.
    today = Today(store, options, dict(zip(keys, map(str, paths), strict=True)))
    wanted = today(keys[0], _state(keys[0], 0, ""))
    DocumentStates(store.root).write_all(
        replace(
            state,
            made_with="other" if n % 100 < 2 else wanted.made_with,
            segmentation=wanted.models[0],
            recognition=wanted.models[1],
        )
        for n, state in enumerate(states)
        if n % 100 not in (2, 3, 4)
    )
    return store, options, keys


def bench_plan(store: Store, options: ProcessingOptions, keys: list[str]) -> Planning:
    """Plan one night."""
    began, worked = time.perf_counter(), time.process_time()
    tonight = plan_tonight(keys, store, options, 10)
    found = list(ask(tonight.batches, 8 * 3600.0, 0.0, 8 * 3600.0))
    return Planning(
        time.perf_counter() - began,
        time.process_time() - worked,
        len(tonight.plan),
        tonight.unseen,
        (sum(len(batch.keys) for batch in found), len(found)),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


def _files(uploads: Path, documents: int) -> Iterator[Path]:
    for number in range(documents):
        folder = uploads / f"box{number // _IN_A_FOLDER:05d}"
        if number % _IN_A_FOLDER == 0:
            folder.mkdir(parents=True)
            if number // _IN_A_FOLDER % _SETTINGS_EVERY == 0:
                (folder / "archive.yaml").write_bytes(b"language: fr\n")
        path = folder / f"{number:06d}.png"
        path.write_bytes(b"x")
        yield path


def _state(key: str, number: int, fingerprint: str) -> DocumentState:
    state = DocumentState(
        key, "done", fingerprint, "", 0.0, chosen_by="settings", pages=1 + number % 7, confidence=0.9, seconds=20.0
    )
    if number % 100 in (5, 6, 7, 8):
        return replace(state, fingerprint="other")
    return replace(state, standing="failed", code="ChildError", tries=1) if number % 100 == 9 else state
