"""A table of dataclasses in one small SQLite file: many readers, one writer at a time, all of a write or none."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import StorageError, printable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Row = TypeVar("Row", bound="DataclassInstance")
else:
    Row = TypeVar("Row")

_BUSY = 30.0
"""Seconds to wait for another writer."""


class SqliteTable(Generic[Row]):
    """Rows of one dataclass whose first field is the key.

    The fields are strings, numbers and None. A string that is not UTF-8 (a file name with lone surrogates) is kept as
    bytes and comes back as it was.

    Args:
        path: The SQLite file.
        row: The dataclass.
        indexed: Further fields that are searched by.
        read_only: Write nothing, not even a file that is not there yet: it then has no rows.
    """

    def __init__(self, path: Path, row: type[Row], indexed: Iterable[str] = (), *, read_only: bool = False) -> None:
        self._path, self._row, self._read_only = path, row, read_only
        self._columns = [field.name for field in fields(row)]
        # Names of our own fields only, quoted since some are words of SQL; values always go as parameters.
        self._quoted = {field.name: f'"{field.name}"' for field in fields(row)}
        self._key = self._quoted[self._columns[0]]
        names = ", ".join(self._quoted.values())
        self._create = f"CREATE TABLE IF NOT EXISTS rows ({names}, PRIMARY KEY ({self._key}))"
        self._indices = [f"CREATE INDEX IF NOT EXISTS rows_{name} ON rows ({self._quoted[name]})" for name in indexed]
        self._insert = f"INSERT OR REPLACE INTO rows ({names}) VALUES ({', '.join('?' * len(self._columns))})"  # noqa: S608
        self._select = f"SELECT {names} FROM rows"  # noqa: S608
        self._delete = f"DELETE FROM rows WHERE {self._key} = ?"  # noqa: S608

    @contextmanager
    def open(self) -> Iterator[sqlite3.Connection]:
        """A connection in a transaction that is committed when the block ends well.

        Raises:
            StorageError, NoSpaceLeft: It cannot be read or written.
        """
        connection = None
        try:
            connection = self._connect()
            with connection:
                yield connection
        except OSError as error:
            raise storage_error(error, self._path) from error
        except sqlite3.Error as error:
            if "full" in str(error):
                raise storage_error(OSError(28, str(error)), self._path) from error
            raise StorageError(
                f"{printable(self._path)} cannot be used: {error}",
                remedy="Look at the disk; if the file is damaged, remove it: it is made again.",
            ) from error
        finally:
            if connection is not None:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        if self._read_only:
            return sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", timeout=_BUSY, uri=True)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=_BUSY)
        # A power cut must not bring back what was before.
        connection.execute("PRAGMA synchronous = FULL")
        # What is forgotten is to be gone: removed rows are overwritten.
        connection.execute("PRAGMA secure_delete = ON")
        self._prepare(connection)
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Make the table, or give one that an earlier version made the columns that were added since."""
        connection.execute(self._create)
        there = {row[1] for row in connection.execute("PRAGMA table_info(rows)")}
        for field in fields(self._row):
            if field.name not in there:
                default = "NULL" if field.default is None else repr(field.default)
                connection.execute(f"ALTER TABLE rows ADD COLUMN {self._quoted[field.name]} DEFAULT {default}")
        for statement in self._indices:
            connection.execute(statement)

    def all(self) -> dict[str, Row]:
        """Every row by its key."""
        if self._is_missing:
            return {}
        with self.open() as connection:
            rows = [self._of(row) for row in connection.execute(self._select)]
        return {str(getattr(row, self._columns[0])): row for row in rows}

    def where(self, **conditions: str) -> list[Row]:
        """Rows whose fields are these, by key."""
        clause = " AND ".join(f"{self._quoted[name]} = ?" for name in conditions)
        if self._is_missing:
            return []
        query = f"{self._select} WHERE {clause} ORDER BY {self._key}"
        with self.open() as connection:
            return [self._of(row) for row in connection.execute(query, [_stored(each) for each in conditions.values()])]

    @property
    def _is_missing(self) -> bool:
        return self._read_only and not self._path.exists()

    def write(self, rows: Iterable[Row]) -> None:
        """Keep these, all or none."""
        with self.open() as connection:
            connection.executemany(self._insert, [tuple(map(_stored, astuple(row))) for row in rows])

    def counts(self, field: str) -> Counter[str]:
        """How many rows have each value of a field of text."""
        name = self._quoted[field]
        with self.open() as connection:
            rows = connection.execute(f"SELECT {name}, count(*) FROM rows GROUP BY {name}")  # noqa: S608
            return Counter({str(value): number for value, number in rows})

    def change(self, change: Callable[[Row], Row | None], **conditions: str) -> bool:
        """Replace rows whose fields are these; what ``change`` gives None for is left. No other writer comes between.

        The key of a row must stay.

        Returns:
            Whether a row was replaced.
        """
        clause = " AND ".join(f"{self._quoted[name]} = ?" for name in conditions)
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = connection.execute(
                f"{self._select} WHERE {clause}", [_stored(each) for each in conditions.values()]
            )
            changed = [new for row in found.fetchall() if (new := change(self._of(row))) is not None]
            connection.executemany(self._insert, [tuple(map(_stored, astuple(row))) for row in changed])
        return bool(changed)

    def update(self, before: Mapping[str, Row], after: Mapping[str, Row]) -> None:
        """Keep what is other in ``after`` than in ``before``, and forget what is not in it, all or none.

        A row that is not as in ``before`` any more was changed by somebody else meanwhile, and stays as it is.
        """
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            one = f"{self._select} WHERE {self._key} = ?"

            def is_mine(key: str) -> bool:
                row = connection.execute(one, (_stored(key),)).fetchone()
                return (None if row is None else self._of(row)) == before.get(key)

            changed = [key for key, row in after.items() if row != before.get(key) and is_mine(key)]
            gone = [key for key in before.keys() - after.keys() if is_mine(key)]
            connection.executemany(self._insert, [tuple(map(_stored, astuple(after[key]))) for key in changed])
            connection.executemany(self._delete, [(_stored(key),) for key in gone])

    def remove(self, keys: Iterable[str]) -> None:
        """Forget these, all or none."""
        with self.open() as connection:
            connection.executemany(self._delete, [(_stored(key),) for key in keys])

    def _of(self, row: tuple[Any, ...]) -> Row:
        if bytes not in map(type, row):  # nearly all, of a hundred thousand
            return self._row(*row)
        return self._row(*(os.fsdecode(value) if isinstance(value, bytes) else value for value in row))


def _stored(value: object) -> object:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return os.fsencode(value)
    return value
