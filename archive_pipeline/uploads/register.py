"""What became of each upload: one small SQLite file in the store.

It is the memory of the sensor, whose own cursor must stay small, and the list of what was refused and why. Runs write
their refusals into it while the sensor reads: SQLite's locks keep them apart.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import ArchiveError, StorageError, printable

State = Literal["waiting", "asked", "taken", "refused", "gone"]
_BUSY = 30.0
"""Seconds to wait for another writer."""


@dataclass(frozen=True)
class Upload:
    """One path below the upload folder.

    Attributes:
        key: Of its document; empty as long as it has none.
        state: ``waiting`` until it is quiet; ``asked`` when a run was asked for, ``taken`` when that was heard;
            ``refused``; ``gone`` when the file is not there any more.
        first_seen, since: Seconds of the epoch: when the path came up, and since when it is as it is.
        token: Of the look in which the run was asked for.
        code, reason, remedy: Why it was refused.
        noted: 1 if a note lies beside it.
    """

    path: str
    version: str
    identity: str
    state: State
    first_seen: float
    since: float
    key: str = ""
    token: str = ""
    code: str = ""
    reason: str = ""
    remedy: str = ""
    noted: int = 0

    def refused(self, error: ArchiveError, now: float) -> Upload:
        """The same, refused."""
        return replace(
            self, state="refused", since=now, token="", code=error.code, reason=error.what, remedy=error.remedy, noted=0
        )

    def accepted(self, state: State, now: float) -> Upload:
        """The same in a state that has no reason."""
        return replace(self, state=state, since=now, token="", code="", reason="", remedy="")


_COLUMNS = [field.name for field in fields(Upload)]
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS uploads ({", ".join(f"{name} NOT NULL" for name in _COLUMNS)}, PRIMARY KEY (path));
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (key);
CREATE INDEX IF NOT EXISTS uploads_by_state ON uploads (state);
"""
_WRITE = f"INSERT OR REPLACE INTO uploads ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608 - names of our own fields
_READ = f"SELECT {', '.join(_COLUMNS)} FROM uploads"  # noqa: S608


class UploadRegister:
    """The uploads of one store."""

    def __init__(self, store: Path) -> None:
        self._path = store / "uploads.sqlite"

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self._path, timeout=_BUSY)
            # A power cut after a look must not bring back what was before it.
            connection.execute("PRAGMA synchronous = FULL")
            connection.executescript(_SCHEMA)
            with connection:
                yield connection
        except OSError as error:
            raise storage_error(error, self._path) from error
        except sqlite3.Error as error:
            raise StorageError(f"{printable(self._path)} cannot be used: {error}") from error
        finally:
            if connection is not None:
                connection.close()

    def all(self) -> dict[str, Upload]:
        """Every upload by its path.

        Raises:
            StorageError: The register cannot be read.
        """
        with self._open() as connection:
            return {(upload := _upload(row)).path: upload for row in connection.execute(_READ)}

    def write(self, uploads: Iterable[Upload]) -> None:
        """Keep these, all or none.

        Raises:
            StorageError, NoSpaceLeft: They cannot be written.
        """
        with self._open() as connection:
            connection.executemany(_WRITE, [_row(upload) for upload in uploads])

    def in_state(self, state: State) -> list[Upload]:
        """The uploads of one state, by path."""
        with self._open() as connection:
            return [_upload(row) for row in connection.execute(f"{_READ} WHERE state = ? ORDER BY path", (state,))]

    def of_key(self, key: str) -> Upload | None:
        """The upload of a document, if it came by the upload folder."""
        with self._open() as connection:
            row = connection.execute(f"{_READ} WHERE key = ? AND state != 'gone'", (key,)).fetchone()
            return _upload(row) if row else None

    def refuse(self, key: str, error: ArchiveError, now: float) -> None:
        """Note that a run could not take a document; a change of the file has it tried again."""
        upload = self.of_key(key)
        if upload is not None:
            self.write([upload.refused(error, now)])

    def accept(self, key: str, now: float) -> None:
        """Note that a document which was refused before could be taken after all."""
        upload = self.of_key(key)
        if upload is not None and upload.state == "refused":
            self.write([upload.accepted("taken", now)])


def _row(upload: Upload) -> tuple[object, ...]:
    # A name that is not UTF-8 has lone surrogates, which SQLite's text has not: it is kept as bytes.
    return tuple(
        os.fsencode(value) if isinstance(value, str) and not _is_text(value) else value for value in astuple(upload)
    )


def _upload(row: tuple[Any, ...]) -> Upload:
    values: list[Any] = [os.fsdecode(value) if isinstance(value, bytes) else value for value in row]
    return Upload(*values)


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
