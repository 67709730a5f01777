"""What processing reports to whoever runs it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import PageStatus
from archive_pipeline.processing.options import Stage

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageOutcome:
    """One page as the ledger has it.

    Attributes:
        number: From 1.
        reason: Why it is skipped, failed or blank; empty for a page that is done.
        lines: Text lines found.
        confidence: Mean over characters, 0 to 1; None where nothing was read.
        reused: Nothing of this page was made anew in this run.
        seconds: Wall time spent on it in this run.
        error: Code of the error by which it failed; empty if it did not.
    """

    number: int
    status: PageStatus
    reason: str = ""
    lines: int = 0
    confidence: float | None = None
    reused: bool = False
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class StageResult:
    """One stage of one document, finished.

    Attributes:
        data_version: Digest of what the stage produced: equal output has an equal version.
        outcomes: Every page of the document, in order.
        preview: A small JPEG of one page with its lines drawn on it (layouts and transcriptions), else None.
        notes: Sentences about the whole document that a person should read.
        chosen: What the document is read with, and who chose it; as :meth:`Choices.told
            <archive_pipeline.processing.choice.Choices.told>` has it.
    """

    stage: Stage
    key: DocumentKey
    data_version: str
    outcomes: tuple[PageOutcome, ...]
    seconds: float
    preview: bytes | None = None
    notes: tuple[str, ...] = field(default=())
    chosen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Progress(Protocol):
    """Told what happens while it happens; called from one thread."""

    def document_started(self, key: DocumentKey, pages: int) -> None: ...

    def page_finished(self, key: DocumentKey, outcome: PageOutcome) -> None: ...

    def document_finished(self, key: DocumentKey, error: ArchiveError | None) -> None: ...


class LogProgress:
    """Writes one line a page to the log; the event itself hangs on the record as ``record.progress``.

    A log line is what a container leaves behind, and what a terminal's progress bar is drawn from, too.
    """

    def document_started(self, key: DocumentKey, pages: int) -> None:
        _log.info("%s: %d pages", key, pages, extra={"progress": (key, pages)})

    def page_finished(self, key: DocumentKey, outcome: PageOutcome) -> None:
        how = "unchanged" if outcome.reused else f"finished in {outcome.seconds:.1f} s"
        reason = f" ({printable(outcome.reason)})" if outcome.reason else ""
        _log.info(
            "%s page %d: %s, %s%s",
            key,
            outcome.number,
            how,
            outcome.status.replace("_", " "),
            reason,
            extra={"progress": (key, outcome)},
        )

    def document_finished(self, key: DocumentKey, error: ArchiveError | None) -> None:
        if error is None:
            _log.info("%s: done", key, extra={"progress": (key, None)})
        else:
            _log.error("%s", error, extra={"progress": (key, error)})


class NoProgress:
    """Tells nobody."""

    def document_started(self, key: DocumentKey, pages: int) -> None: ...

    def page_finished(self, key: DocumentKey, outcome: PageOutcome) -> None: ...

    def document_finished(self, key: DocumentKey, error: ArchiveError | None) -> None: ...
