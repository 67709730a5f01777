"""Taking in what was dropped into the folder for ground truth, as a run does that the sensor asked for."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from archive_pipeline.errors import ArchiveError, ChildNotStarted, DocumentBusy, Stopped, StorageError, UsageError
from archive_pipeline.processing.pool import IN_USE
from archive_pipeline.training_sets.importing import Imported, import_truth
from archive_pipeline.training_sets.inbox import dropped_path
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore
from archive_pipeline.uploads.register import UploadRegister

_A_MOMENT, _YOUNG = 60.0, 3600.0
"""Seconds for which what is unpacked may be somebody's who does not hold its lock yet, and where there is none."""


def take_in(
    name: str,
    folder: Path,
    register: UploadRegister,
    truths: TruthStore,
    options: ReadOptions,
    work: Path,
    *,
    replace: bool = False,
) -> Imported:
    """Take in the set of a name; what is refused is in the register, and is tried again when it changes.

    A set that was not dropped, but stored by command, is given as it is.

    Args:
        folder: For ground truth.
        work: Folder for what is unpacked. What killed imports have left there is removed.
        replace: Let it take the place of a set of that name that was not dropped.

    Raises:
        UsageError: There is no set of that name, or another one has it.
        DocumentRefused, PageFailed, ChildError: It cannot be taken in.
        DocumentBusy, ChildNotStarted: It is being imported by somebody else, or nothing can be; it is offered again.
        NoSpaceLeft, StorageError: It cannot be written. The set that was there is there still.
    """
    clear_work(work)
    path = dropped_path(register, name)
    if path is None:
        stored = truths.load(name)
        if stored is None:
            raise UsageError(
                f"there is no ground truth {name}", remedy="Drop a folder or ZIP of that name for ground truth."
            )
        return Imported(stored, changed=False)
    try:
        done = import_truth(folder / path, name, truths, options, replace=replace, dropped=True, work=work)
    except (DocumentBusy, ChildNotStarted, Stopped):
        # Nothing is wrong with it: it is taken in when that is over.
        register.offer_again(name, time.time())
        raise
    except StorageError as error:
        # Not its fault, but it has to be said where people look for it. Where that cannot be written, the run says it.
        with suppress(StorageError):
            register.refuse(name, _of_what_was_dropped(error, path), time.time())
        raise
    except ArchiveError as error:
        register.refuse(name, _of_what_was_dropped(error, path), time.time())
        raise
    register.accept(name, time.time())
    return done


def clear_work(work: Path) -> None:
    """Remove what killed imports have unpacked: nobody holds their locks."""
    now = time.time()
    for place in sorted(work.glob("truth-*")) if work.is_dir() else ():
        with suppress(Timeout, FileNotFoundError):
            has_lock = (place / IN_USE).exists()
            # A folder that is just being made has no lock yet, or nobody holds it yet.
            if now - place.stat().st_mtime < (_A_MOMENT if has_lock else _YOUNG):
                continue
            with FileLock(place / IN_USE).acquire(timeout=0):
                shutil.rmtree(place, ignore_errors=True)


def _of_what_was_dropped(error: ArchiveError, path: str) -> ArchiveError:
    if not error.remedy:
        error.remedy = "Mend it and drop it again; see ground-truth.md."
    return error.at(document=path)
