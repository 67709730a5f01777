"""What was found out about a document, and the table in which it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from archive_pipeline.sqlite_table import SqliteTable

Check = Literal["pages_complete", "confidence", "nothing_lost", "text_layer", "valid_exports"]
CHECKS: tuple[Check, ...] = get_args(Check)
Severity = Literal["loss", "eye"]
"""``loss``: something that was there is not there any more. ``eye``: a person should look at it."""
Standing = Literal["loss", "eye", "fine"]

_MOST_FINDINGS = 40
"""Kept of a document: a volume whose every page is damaged must not swell the table."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be.

    Attributes:
        page: Where, from 1; None for the document.
        what: In a few words, without the document and page.
    """

    check: Check
    severity: Severity
    what: str
    page: int | None = None


@dataclass(frozen=True)
class Examination:
    """One document, as a row of the table.

    Attributes:
        standing: Of its worst finding.
        version: Of the files that were looked at: while it is the same, there is nothing new to find.
        when: Seconds of the epoch.
        text_compared: Pages whose text in the PDF was compared with what was read.
        found: The findings as JSON; see :func:`findings_of`.
        more: Findings that were left out.
    """

    key: str
    standing: Standing
    version: str
    when: float
    pages: int = 0
    confidence: float | None = None
    text_compared: int = 0
    found: str = "[]"
    more: int = 0


def examination(
    key: str,
    version: str,
    when: float,
    findings: Sequence[Finding],
    *,
    pages: int = 0,
    confidence: float | None = None,
    text_compared: int = 0,
) -> Examination:
    """The row for these findings; losses first, and of very many only some of each check."""
    ordered = sorted(findings, key=lambda each: (each.severity != "loss", each.page or 0))
    kept = [each for check in CHECKS for each in [one for one in ordered if one.check == check][: _MOST_FINDINGS // 4]]
    standing: Standing = "fine" if not findings else "loss" if ordered[0].severity == "loss" else "eye"
    rows = [[each.check, each.severity, each.page, each.what] for each in kept]
    found = json.dumps(rows, ensure_ascii=False)
    return Examination(key, standing, version, when, pages, confidence, text_compared, found, len(findings) - len(kept))


def findings_of(row: Examination) -> list[Finding]:
    """What a row says."""
    return [Finding(check, severity, what, page) for check, severity, page, what in json.loads(row.found)]


class Examinations:
    """The table of one store.

    Every method raises StorageError or NoSpaceLeft where the file cannot be read or written.
    """

    def __init__(self, store: Path) -> None:
        self._table = SqliteTable(store / "checks.sqlite", Examination, ("standing",))

    def of(self, key: str) -> Examination | None:
        return next(iter(self._table.where(key=key)), None)

    def write(self, rows: Sequence[Examination]) -> None:
        self._table.write(rows)

    def forget(self, keys: Sequence[str]) -> None:
        """Forget documents that are not there any more."""
        self._table.remove(keys)

    def versions(self) -> dict[str, str]:
        """The version that was looked at, of every document."""
        with self._table.open() as connection:
            return dict(connection.execute('SELECT "key", "version" FROM rows'))

    def totals(self) -> tuple[int, int]:
        """Documents that were looked at, and pages whose text in the PDF was compared."""
        with self._table.open() as connection:
            row = connection.execute("SELECT COUNT(*), TOTAL(text_compared) FROM rows").fetchone()
        return int(row[0]), int(row[1])

    def not_fine(self) -> Iterator[Examination]:
        """The documents that somebody should look at."""
        yield from self._table.where(standing="loss")
        yield from self._table.where(standing="eye")
