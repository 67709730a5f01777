"""Fixity in rounds: every night those documents that were verified longest ago, so that all have their turn.

By when a document was last verified, not by its name and the date: a night that fell out, or ended early, makes the
round longer and leaves nobody out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, DocumentBusy
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.fixity import Damage, verify_document
from archive_pipeline.sqlite_table import SqliteTable
from archive_pipeline.store import Store

_DAY = 86_400.0


@dataclass(frozen=True)
class Verified:
    """How a document was when it was last verified.

    Attributes:
        when: Seconds of the epoch.
        sources: When its source was last read, too; 0 if never.
        damage: JSON list of ``[kind, path, what, remedy]``.
    """

    key: str
    when: float
    sources: float = 0.0
    damage: str = "[]"

    @property
    def damages(self) -> list[tuple[str, str, str, str]]:
        return [(kind, path, what, remedy) for kind, path, what, remedy in json.loads(self.damage)]


@dataclass(frozen=True)
class Rounds:
    """How often documents have their turn.

    Attributes:
        nights: In so many nights everything stored is verified.
        source_days: A source is read again after so many days; 0 for never.
    """

    nights: int = 7
    source_days: int = 28
    max_file_mb: int = 8_192
    max_pages: int = 20_000


class FixityBook:
    """When each document of a store was verified, and what was found."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._table = SqliteTable(store.root / "fixity.sqlite", Verified)

    def all(self) -> dict[str, Verified]:
        return self._table.all()

    def forget(self, key: str) -> None:
        """Leave nothing of a document in the file."""
        self._table.remove([key])

    def next_round(self, rounds: Rounds) -> list[DocumentKey]:
        """Documents whose turn it is: what was damaged, then what was verified longest ago or never."""
        book, keys = self.all(), self._store.keys()
        self._table.remove(book.keys() - set(keys))
        last = {key: book[key].when if key in book else 0.0 for key in keys}
        damaged = {key for key in keys if key in book and book[key].damages}
        rest = sorted((key for key in keys if key not in damaged), key=last.__getitem__)
        return [*sorted(damaged), *rest[: ceil(len(keys) / rounds.nights)]]

    def verify(self, keys: Sequence[DocumentKey], rounds: Rounds, now: float) -> Iterator[Verified]:
        """Verify documents and note each at once, so that a kill costs one document.

        What is being written, or was never processed, is passed over; it keeps its place in the line.

        Args:
            now: Seconds of the epoch.
        """
        book = self.all()
        for key in keys:
            folder = self._store.document(key)
            if not folder.root.is_dir():  # forgotten since the round began: to lock it would make it again
                continue
            before = book.get(key)
            last = before.sources if before else 0.0
            worried = before is not None and any(kind == "source" for kind, *_ in before.damages)
            # A scan may lie on a disk that is taken away after its document is done: what is gone is no damage.
            late = rounds.source_days > 0 and now - last >= (rounds.source_days - 0.5) * _DAY
            due = (late or worried) and _has_source(self._store, key)
            try:
                found = verify_document(folder, sources=due, max_file_mb=rounds.max_file_mb, max_pages=rounds.max_pages)
            except DocumentBusy:
                continue
            except ArchiveError as error:
                found = [Damage("pages", folder.root, error.what, error.remedy)]
            told = [[each.kind, str(each.path), each.what, each.remedy] for each in found]
            row = Verified(key, now, now if due else last, json.dumps(told))
            self._table.write([row])
            yield row


def _has_source(store: Store, key: DocumentKey) -> bool:
    try:
        record = read_json(store.document(key).source)
    except ArchiveError:
        return False
    return record is not None and Path(record.get("origin", "")).exists()
