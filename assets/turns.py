"""Which documents of a run have their turn: a night's passes over what is current, and begins nothing at its end."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

from archive_pipeline.errors import ArchiveError, DocumentBusy, UsageError
from archive_pipeline.nights.begun import BegunDocuments
from archive_pipeline.nights.plan import why_of
from archive_pipeline.nights.today import Today
from resources.archive import ArchiveResource


class Turns:
    """Decides for one document after another.

    Args:
        only: The documents that the run is for, of those in its range; None for all of them, as they are.
        until: No document is begun after that: a time with its offset (ISO 8601), or seconds of the epoch.

    Attributes:
        current: Documents that have become current since the run was asked for.
        elsewhere: Documents that another run is writing.
        late: Documents for which there was no time.

    Raises:
        UsageError: ``until`` is no time, or a setting names no model.
    """

    def __init__(self, archive: ArchiveResource, only: Collection[str] | None, until: str | None) -> None:
        self._only = None if only is None else frozenset(only)
        self._until = float("inf") if until is None else _moment(until)
        self._states = archive.states
        self._begun = BegunDocuments(archive.store.root)
        # What a plan took to be stale may have been done by somebody else since.
        self._today = None if only is None or self.is_over else Today(archive.store, archive.options())
        self.current: list[str] = []
        self.elsewhere: list[str] = []
        self.late: list[str] = []

    def leaves(self, key: str, error: ArchiveError) -> bool:
        """Whether a document that could not be begun is left to those who have it; a person's run fails with it."""
        if self._only is None or not isinstance(error, DocumentBusy):
            return False
        self.elsewhere.append(key)
        return True

    @property
    def is_over(self) -> bool:
        return time.time() >= self._until

    def has(self, key: str) -> bool:
        """Whether a document is to be begun now."""
        if self._only is not None and key not in self._only:
            return False
        if self.is_over:
            self.late.append(key)
            return False
        if self._today is not None:
            state = self._states.of(key)
            if why_of(state, self._today(key, state)) is None:
                self.current.append(key)
                return False
            self._begun.begin(key, time.time())
        return True

    def ended(self, key: str) -> None:
        """Note that work on a document has ended, in whichever way: it has not taken the run with it."""
        self._begun.end(key)

    def sentence(self) -> str:
        """What was not done and why; empty if all was."""
        words = []
        if self.current:
            words.append(f"{len(self.current)} documents have become current in the meantime.")
        if self.elsewhere:
            words.append(f"{len(self.elsewhere)} documents are being written by another run.")
        if self.late:
            left = f"{', '.join(self.late[:10])}{' and more' if len(self.late) > 10 else ''}"
            words.append(f"The night has ended: {len(self.late)} documents are left for the next one: {left}.")
        return " ".join(words)


def _moment(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise UsageError(
            f"'{text}' is no time until which documents may be begun",
            remedy="Give one with its offset, such as 2026-11-27T06:00:00+01:00.",
        )
    return moment.timestamp()
