"""Notes how each document stands when work on it ends: what plans and reports go by, without opening its folder."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import digest_of, read_json
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import (
    ArchiveError,
    DocumentBusy,
    DocumentRefused,
    DuplicateDocument,
    Stopped,
    StorageError,
    printable,
)
from archive_pipeline.exports.formats import choose
from archive_pipeline.keys import DocumentKey
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, needs_eye
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import DocumentWork
from archive_pipeline.processing.results import PageOutcome
from archive_pipeline.processing.said import said_of
from archive_pipeline.processing.stored_pages import RENDERING_VERSION, page_to_export
from archive_pipeline.spelling.lists import WordList
from archive_pipeline.spelling.lists import signature as spelling_signature
from archive_pipeline.store import Store
from archive_pipeline.uploads.copies import let_copies_in

_log = logging.getLogger(__name__)


def made_with(
    options: ProcessingOptions,
    segmentation: InstalledModel,
    recognition: InstalledModel,
    direction: Direction | None,
    spelling: Sequence[WordList],
) -> str:
    """Digest of all that a document's results depend on beside its source: another one, and it is worth a new run.

    The version of the program is no part of it: what its parts do to a result is in their own versions.
    """
    return digest_of(
        "made with",
        [RENDERING_VERSION, options.dpi, options.max_pixels, options.born_digital],
        signature(segmentation),
        signature(recognition),
        direction or "ltr",
        spelling_signature(spelling) if spelling else [],
        [each.name for each in choose(options.formats)],
        options.alto_version,
        options.base_url,
    )


@dataclass
class Attempt:
    """What is known of a document while it is worked on; filled in as it becomes known.

    Attributes:
        fingerprint: Of its source with its settings files; empty if there is none.
        done: Pages that were made anew.
        finished: All its stages to the exports are done, for all its pages.
    """

    fingerprint: str = ""
    sha256: str = ""
    work: DocumentWork | None = None
    outcomes: Sequence[PageOutcome] = ()
    done: int = 0
    finished: bool = False


class StandingKeeper:
    """Writes the states of one store's documents."""

    def __init__(self, store: Store, options: ProcessingOptions) -> None:
        self._store = store
        self._options = options
        self._states = DocumentStates(store.root)

    def require_new(self, key: DocumentKey, sha256: str) -> None:
        """Make sure that no other document, whose source is still there, has the same bytes and is done.

        Raises:
            DuplicateDocument: There is one, and such are not made twice here.
        """
        if self._options.duplicates == "make":
            return
        done = {state.key: state for state in self._states.with_bytes(sha256) if state.standing == "done"}
        if key in done:  # it was made in spite of another, and stays
            return
        for other in done.values():
            source: dict[str, Any] = read_json(self._store.document(DocumentKey(other.key)).source) or {}
            if source and Path(source["origin"]).exists():
                raise DuplicateDocument(f"it has the same bytes as {self._name(other.key, source)}, which is done")

    def _name(self, key: str, source: Mapping[str, Any]) -> str:
        """What people know a document by: its path below the upload folder, or else its key."""
        origin, uploads = Path(source["origin"]), self._options.uploads_dir
        inside = uploads is not None and origin.is_relative_to(uploads)
        return printable(origin.relative_to(uploads)) if uploads is not None and inside else key

    def ended(self, key: DocumentKey, attempt: Attempt, seconds: float, error: ArchiveError | None) -> None:
        """Note how a document stands after work on it.

        Nothing is noted of a document that another run is writing, of work that was stopped, or of a few pages or
        stages of it: all that leaves the document as it stood.

        Raises:
            StorageError: It cannot be noted that a document is done. Where work failed, that is the error, and
                this one is logged.
        """
        if isinstance(error, DocumentBusy | Stopped) or (error is None and not attempt.finished):
            return
        if not self._store.document(key).source.exists():  # a key that nobody registered, or forgotten meanwhile
            return
        try:
            before = self._states.of(key)
            base = replace(
                before or DocumentState(key, "failed", "", "", 0.0), fingerprint=attempt.fingerprint, when=time.time()
            )
            if before is not None and attempt.sha256 not in ("", before.sha256):
                # Another document that was refused for having its former bytes is now the only one with them. Before
                # its own state says so: after a kill nobody would know of it any more.
                let_copies_in(self._store.root, before.sha256)
            if error is not None:
                self._states.write(_failed(base, before, attempt, error))
            elif attempt.work is not None:
                self._states.write(_done(base, attempt, attempt.work, seconds))
        except StorageError as problem:
            if error is None:
                raise
            _log.error("%s: how it stands cannot be noted: %s", key, problem)


def _done(base: DocumentState, attempt: Attempt, work: DocumentWork, seconds: float) -> DocumentState:
    choices = work.choices
    failed = characters = doubtful = 0
    for outcome in attempt.outcomes:  # a page at a time: a register of a thousand has no room in memory
        page = page_to_export(work.folder, outcome.number)
        failed += page.status == "failed"
        characters += sum(len(line.best_text) for line in page.lines())
        doubtful += bool(needs_eye(page))
    # As the views and the UI have it: a title page in large letters counts as much as a page of text.
    sure = [outcome.confidence for outcome in attempt.outcomes if outcome.confidence is not None]
    return replace(
        _chosen(base, work),
        standing="done",
        sha256=attempt.sha256,
        made_with=made_with(
            work.options, work.segmentation, work.recognition, choices.direction if choices else None, work.spelling
        ),
        tries=0,
        code="",
        reason="",
        remedy="",
        pages=len(attempt.outcomes),
        failed_pages=failed,
        lines=sum(outcome.lines for outcome in attempt.outcomes),
        characters=characters,
        confidence=round(fmean(sure), 4) if sure else None,
        doubtful=doubtful,
        seconds=round(seconds, 3) if attempt.done else base.seconds,
    )


def _failed(base: DocumentState, before: DocumentState | None, attempt: Attempt, error: ArchiveError) -> DocumentState:
    """What was made of it before is still there, so its figures stay."""
    again = before is not None and before.standing != "done" and before.fingerprint == attempt.fingerprint
    return replace(
        _chosen(base, attempt.work) if attempt.work else base,
        standing="refused" if isinstance(error, DocumentRefused) else "failed",
        sha256=attempt.sha256 or base.sha256,
        tries=base.tries + 1 if again else 1,
        code=error.code,
        reason=error.what,
        remedy=error.remedy,
    )


def _chosen(base: DocumentState, work: DocumentWork) -> DocumentState:
    choices = work.choices
    if choices is None:
        return base
    return replace(
        base,
        segmentation=choices.segmentation_model,
        recognition=choices.model,
        chosen_by="run" if work.options.own else choices.chosen_by,
        direction=choices.direction or "",
        language=choices.language or "",
        hand=choices.hand or "",
        said=said_of(work.said),
        tried=work.tried,
    )
