"""One process at a time in the folder of a training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from archive_pipeline.durable import clear_temporary, make_folder, storage_error
from archive_pipeline.errors import DocumentBusy


@contextmanager
def alone_in(folder: Path) -> Iterator[Path]:
    """Be the one process that trains in a folder, which is made if need be; what a killed one left half is removed.

    Raises:
        DocumentBusy: Another process is.
        StorageError: The folder cannot be written.
    """
    make_folder(folder)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise DocumentBusy("another process is training in this folder", document=str(folder)) from None
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        clear_temporary(folder)
        yield folder
    finally:
        lock.release()
