"""The three storages of a Dagster instance as SQL, whichever database is behind them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, cast

import dagster as dg
from sqlalchemy.engine import Connection

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import StorageError, printable

RUNLESS = ""
"""The run id of events that no run has reported."""
_BUSY = 60.0
"""Seconds to wait for another user of a SQLite file."""


def events(instance: dg.DagsterInstance) -> AbstractContextManager[Connection]:
    """The events by which assets are known: all of them, but in SQLite those of a run alone."""
    storage = cast(Any, instance.event_log_storage)
    return cast(AbstractContextManager[Connection], storage.index_connection())


def runs(instance: dg.DagsterInstance) -> AbstractContextManager[Connection]:
    """Runs, their tags, and backfills."""
    return cast(AbstractContextManager[Connection], cast(Any, instance.run_storage).connect())


def ticks(instance: dg.DagsterInstance) -> AbstractContextManager[Connection]:
    """What sensors and schedules did."""
    return cast(AbstractContextManager[Connection], cast(Any, instance.schedule_storage).connect())


def shard(instance: dg.DagsterInstance, run_id: str) -> Path | None:
    """The SQLite file with all events of one run; None where there are no such files, or not this one."""
    find = getattr(instance.event_log_storage, "path_for_shard", None)
    path = Path(find(run_id)) if find is not None else None
    return path if path is not None and path.exists() else None


def shards(instance: dg.DagsterInstance) -> Iterator[Path]:
    """The SQLite files of all runs; none where another database keeps events."""
    find = getattr(instance.event_log_storage, "path_for_shard", None)
    if find is not None:
        yield from sorted(Path(find("x")).parent.glob("*-*-*-*-*.db"))


@contextmanager
def shard_events(instance: dg.DagsterInstance, run_id: str) -> Iterator[Connection]:
    """All events of one run in its SQLite file, which must be there."""
    with cast(Any, instance.event_log_storage).run_connection(run_id) as connection:
        yield connection


def remove_shard(path: Path) -> int:
    """Remove the SQLite file of a run that is gone.

    Returns:
        Bytes.
    """
    size = 0
    for file in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        try:
            size += file.stat().st_size
            file.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, file) from error
    return size


def compact(instance: dg.DagsterInstance, run_ids: Iterable[str]) -> bool:
    """Write SQLite files anew, so that what was deleted is not in them any more.

    Args:
        run_ids: Runs whose own files are to be done, beside the common ones.

    Returns:
        Whether there are such files; False where another database keeps everything, and clears up by itself.

    Raises:
        StorageError: A file is in use for too long.
    """
    places: set[Path] = set()
    for connect in (events, runs, ticks):
        with connect(instance) as connection:
            if connection.dialect.name != "sqlite":
                return False
            places.add(Path(str(connection.engine.url.database)))
    places |= {path for run_id in (*run_ids, RUNLESS) if (path := shard(instance, run_id)) is not None}
    for path in sorted(places):
        try:
            connection_of_file = sqlite3.connect(path, timeout=_BUSY)
            try:
                connection_of_file.execute("VACUUM")
                connection_of_file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            finally:
                connection_of_file.close()
        except sqlite3.Error as error:
            raise StorageError(
                f"{printable(path)} cannot be written anew: {error}",
                remedy="Stop archive-pipeline ui and run this again; it goes on.",
            ) from error
    return True
