"""How a model becomes visible: staged under a lock, then there at once, by a rename.

::

    <models>/.staging/<id>.lock      held by the one process that fetches or imports that model; a kill releases it
    <models>/.staging/<id>/          what it has so far; taken up by the next one
    <models>/<digest>/               all files of a model, whole, checked and flushed
    <models>/.damaged/<digest>-1/    a copy that was set aside because a byte of it had changed
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from archive_pipeline.durable import NO_SPACE, storage_error
from archive_pipeline.errors import NoSpaceLeft

_THERE = {errno.ENOTEMPTY, errno.EEXIST}  # what a rename onto a folder with files raises
STAGING, DAMAGED = ".staging", ".damaged"


@contextmanager
def staged(root: Path, model_id: str, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """The staging folder of a model, for one process at a time.

    What is left in it when the block is left stays for the next process, unless the volume is full.

    Args:
        waiting: Called once if another process has it.

    Raises:
        StorageError, NoSpaceLeft: An ``OSError`` of the block, or the folder cannot be made.
    """
    folder = root / STAGING / model_id
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder.with_name(f"{model_id}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
    except OSError as error:
        raise storage_error(error, root) from None
    try:
        folder.mkdir(exist_ok=True)
        yield folder
    except NoSpaceLeft:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        # Here, and not after the lock is given up: the next process may have begun to fill it again.
        if error.errno in NO_SPACE:
            shutil.rmtree(folder, ignore_errors=True)
        raise storage_error(error, folder) from None
    finally:
        lock.release()


def publish(staging: Path, root: Path, digest: str) -> Path:
    """Make the files of a staging folder, each of them flushed already, visible at once.

    If the same model is there already, for another entry, only what it lacks is added: the same bytes may have another
    name there.

    Returns:
        ``<models>/<digest>``.
    """
    target = root / digest
    _flush(staging)
    try:
        staging.rename(target)
    except OSError as error:
        if error.errno not in _THERE:
            raise
        # Here for another entry, perhaps since a moment ago: the lock is of one id alone.
        for path in staging.iterdir():
            if not (target / path.name).exists():
                path.rename(target / path.name)
        _flush(target)
        shutil.rmtree(staging)
    _flush(root)
    return target


def set_aside(root: Path, digest: str) -> Path:
    """Take a damaged model out of sight, and keep it: somebody may want to know what happened to it."""
    folder = root / DAMAGED
    folder.mkdir(exist_ok=True)
    number = 1
    while (aside := folder / f"{digest}-{number}").exists():
        number += 1
    (root / digest).rename(aside)
    _flush(root)
    return aside


def remove_folder(folder: Path, root: Path) -> None:
    """Remove a folder of the store: out of sight first, so that a kill leaves no model with half its files."""
    gone = root / STAGING / f"{folder.name}.gone"
    gone.parent.mkdir(exist_ok=True)
    shutil.rmtree(gone, ignore_errors=True)
    folder.rename(gone)
    _flush(root)
    shutil.rmtree(gone)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
