"""What is shown while documents are processed: bars on a terminal, plain log lines elsewhere."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.results import PageOutcome


@dataclass
class RunRecord:
    """What happened to each document, in order of events."""

    outcomes: dict[DocumentKey, dict[int, PageOutcome]] = field(default_factory=dict)
    errors: dict[DocumentKey, ArchiveError | None] = field(default_factory=dict)
    notes: dict[DocumentKey, list[str]] = field(default_factory=dict)

    def error_of(self, key: DocumentKey) -> ArchiveError | None:
        """Why a document is not done; None if it is."""
        return self.errors.get(key, ArchiveError("it was not begun", document=key, remedy="Run it again."))


class _Recorder(logging.Handler):
    """Takes progress events off the log records that they hang on."""

    def __init__(self, record: RunRecord, bars: Progress | None) -> None:
        super().__init__(logging.INFO)
        self._record = record
        self._bars = bars
        self._tasks: dict[DocumentKey, TaskID] = {}

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(record, "progress", None)
        if event is None:
            return
        key, what = event
        if isinstance(what, int):
            if self._bars is not None:
                self._tasks[key] = self._bars.add_task(key, total=what)
        elif isinstance(what, str):
            self._record.notes.setdefault(key, []).append(what)
        elif isinstance(what, PageOutcome):
            self._record.outcomes.setdefault(key, {})[what.number] = what
            if self._bars is not None:
                self._bars.advance(self._tasks[key])
        else:
            self._record.errors[key] = what


@contextmanager
def shown(quiet: bool = False) -> Iterator[RunRecord]:
    """Show progress on stderr while the block runs, and record it."""
    record = RunRecord()
    logger = logging.getLogger("archive_pipeline")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    console = Console(stderr=True)
    bars = None
    handlers: list[logging.Handler] = []
    if console.is_terminal and not quiet:
        bars = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=console
        )
    elif not quiet:
        plain = logging.StreamHandler(sys.stderr)
        plain.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        handlers.append(plain)
    handlers.append(_Recorder(record, bars))
    for handler in handlers:
        logger.addHandler(handler)
    try:
        if bars is not None:
            with bars:
                yield record
        else:
            yield record
    finally:
        for handler in handlers:
            logger.removeHandler(handler)
