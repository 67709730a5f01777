"""Documents that a run has begun and not ended: it was killed while it was at them, perhaps because of them.

How a document stands is noted when work on it ends. One that takes its whole run with it would be taken for missing
each time, so a night notes beforehand what it begins, and forgets it when it has ended, in whichever way.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.sqlite_table import SqliteTable

_TIMES = 3


@dataclass(frozen=True)
class Begun:
    """One document.

    Attributes:
        times: How often it was begun in a row without an end.
        when: Last time, in seconds of the epoch.
    """

    key: str
    times: int
    when: float


class BegunDocuments:
    """Those of one store. Every method raises StorageError where its file cannot be read or written."""

    def __init__(self, store: Path) -> None:
        self._table = SqliteTable(store / "begun.sqlite", Begun)

    def begin(self, key: str, now: float) -> None:
        before = self._table.where(key=key)
        self._table.write([Begun(key, before[0].times + 1 if before else 1, now)])

    def end(self, key: str) -> None:
        if self._table.where(key=key):
            self._table.remove([key])

    def resting(self, since: float) -> tuple[set[str], set[str]]:
        """Documents that took their run with them: in the night that began then, and for the third time in a row."""
        begun = self._table.all().values()
        return {each.key for each in begun if each.when >= since}, {each.key for each in begun if each.times >= _TIMES}
