"""What lies in the store and nothing refers to: found, counted, removed.

Only what a kill left, what is made again, and readings that another model has replaced long ago. A source is never
touched, nor anything with a person's corrections. What a run may still be writing is passed over: it holds a lock, or
the thing is young.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from archive_pipeline.durable import TEMPORARY_SUFFIX, read_json, storage_error
from archive_pipeline.errors import ArchiveError, DocumentBusy
from archive_pipeline.intake.names import REFUSED_SUFFIX
from archive_pipeline.processing.pool import IN_USE
from archive_pipeline.store import DocumentFolder, Store

Kind = Literal["work", "temporary", "image", "earlier reading", "empty document"]
_YOUNG = 3600.0
"""Seconds for which a thing without a lock may still be somebody's."""
_DAY = 86_400.0
_TEMPORARY = re.compile(rf"\..+\.\d+\.[0-9a-f]{{8}}{re.escape(TEMPORARY_SUFFIX)}")


@dataclass(frozen=True)
class Garbage:
    """Something that nothing refers to.

    Attributes:
        size: In bytes.
    """

    kind: Kind
    path: Path
    size: int


def collect(store: Store, uploads: Path, *, remove: bool, keep_days: int = 90) -> Iterator[Garbage]:
    """Find what nothing refers to, one after another, and remove it unless it is only asked for.

    Args:
        keep_days: Days for which the reading of a page is kept that another model has replaced.

    Raises:
        StorageError: Something cannot be removed.
    """
    now = time.time()
    yield from _scratch(store.root / "work", now, remove=remove)
    for place in (store.root, store.root / "forgetting"):
        yield from _temporary(place, now, remove=remove)
    # Beside scans only halves of our own notes, and only where this process is one that may write them.
    if os.access(uploads, os.W_OK):
        yield from _temporary(uploads, now, remove=remove, only=REFUSED_SUFFIX)
    documents = store.keys()
    for key in documents:
        try:
            yield from _document(store, store.document(key), now, now - keep_days * _DAY, remove=remove)
        except DocumentBusy:  # it is being worked on; the next time finds it
            continue


def _scratch(work: Path, now: float, *, remove: bool) -> Iterator[Garbage]:
    """Folders of page workers that were killed: nobody holds their locks."""
    for path in sorted(work.iterdir()) if work.is_dir() else ():
        with ExitStack() as held:
            try:
                if not _old(path, now):
                    continue
                if (path / IN_USE).exists():
                    held.enter_context(FileLock(path / IN_USE).acquire(timeout=0))
            except (Timeout, FileNotFoundError):  # in use, or just removed by another
                continue
            yield _taken("work", path, remove=remove)


def _temporary(folder: Path, now: float, *, remove: bool, only: str = "") -> Iterator[Garbage]:
    """Files that a killed process had not renamed yet. Below documents, their own lock is asked (:func:`_document`)."""
    for path in sorted(folder.glob(f".*{TEMPORARY_SUFFIX}")):
        if only in path.name and _TEMPORARY.fullmatch(path.name) and path.is_file() and _old(path, now):
            yield _taken("temporary", path, remove=remove)


def _document(store: Store, folder: DocumentFolder, now: float, before: float, *, remove: bool) -> Iterator[Garbage]:
    if _is_empty(folder) and _old(folder.root, now):
        # Nobody may register it meanwhile.
        with store.registering():
            if _is_empty(folder):
                yield _taken("empty document", folder.root, remove=remove)
                return
    # The lock itself clears temporary files away, so they are counted before.
    found = [path for path in sorted(folder.root.rglob(f".*{TEMPORARY_SUFFIX}")) if _old(path, now)]
    orphans = _orphaned_images(folder)
    readings = _old_readings(folder, before)
    if found or orphans or readings:
        counted = [Garbage("temporary", path, _size(path)) for path in found]
        if not remove:
            yield from counted
            yield from (Garbage("image", path, _size(path)) for path in orphans)
            yield from (Garbage("earlier reading", path, _size(path)) for path in readings)
            return
        with folder.lock():
            yield from counted
            for path in _orphaned_images(folder):
                yield _taken("image", path, remove=True)
            for path in _old_readings(folder, before):
                yield _taken("earlier reading", path, remove=True)


def _old_readings(folder: DocumentFolder, before: float) -> list[Path]:
    """Readings that another model replaced before that time, in seconds of the epoch."""
    found = sorted((folder.root / "earlier").glob("[0-9]*.json"))
    return [path for path in found if _modified(path, before) < before]


def _is_empty(folder: DocumentFolder) -> bool:
    """Whether nothing is stored in it: what looking for a wrong key, or a kill before it was registered, left.

    A document whose record was lost is none such: its text may be all that there is, if its scan was taken away.
    """
    return not folder.source.exists() and all(
        path.name == "lock" or path.name.endswith(TEMPORARY_SUFFIX) or path.is_dir() for path in folder.root.rglob("*")
    )


def _orphaned_images(folder: DocumentFolder) -> list[Path]:
    """Page images that no record names. A record is written after its image, so a young one may still get its."""
    if not folder.images.is_dir():
        return []
    named = set()
    for record in folder.images.glob("[0-9]*.json"):
        try:
            named.add((read_json(record) or {}).get("file"))
        except ArchiveError:
            return []  # damaged: that is for `store verify`
    now = time.time()
    return [
        path
        for path in sorted(folder.images.glob("[0-9]*"))
        if path.suffix != ".json" and path.name not in named and path.is_file() and _old(path, now)
    ]


def _old(path: Path, now: float) -> bool:
    return now - _modified(path, now) > _YOUNG


def _modified(path: Path, gone: float) -> float:
    """When a file was written, in seconds of the epoch; ``gone`` if it has just been removed."""
    try:
        return path.lstat().st_mtime
    except FileNotFoundError:
        return gone


def _size(path: Path) -> int:
    if path.is_dir() and not path.is_symlink():
        return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir())
    return path.lstat().st_size


def _taken(kind: Kind, path: Path, *, remove: bool) -> Garbage:
    found = Garbage(kind, path, _size(path))
    if remove:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise storage_error(error, path) from error
    return found
