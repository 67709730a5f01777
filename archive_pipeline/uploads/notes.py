"""Notes beside refused files, for people who never open the UI: ``NAME.refused.txt``.

The only thing that is ever written into a folder that people drop things into. A note is ours by its first line: a file
of that name which a person wrote is left alone.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import StorageError, printable
from archive_pipeline.intake.names import REFUSED_SUFFIX
from archive_pipeline.uploads.register import Upload

_FIRST_LINE = "This file could not be taken into the archive."
_MOST = 4096
"""Bytes of a note that are looked at."""
_SECONDS = 1.0
"""Time for the notes of one look: a folder full of other things must not hold up the scans beside it."""


def leave_notes(uploads: Path, known: dict[str, Upload]) -> str:
    """Write and take away notes, and note that in ``known``; what there is no time for waits for the next call.

    A note is left before the register knows of it: what is killed in between is done once more.

    Returns:
        Why a note could not be left or taken away; empty if all could. One folder's trouble holds up no other.
    """
    problems: dict[str, str] = {}
    until = time.monotonic() + _SECONDS
    for path, upload in known.items():
        refused = upload.state == "refused"
        if refused == bool(upload.noted) or (folder := path.rpartition("/")[0]) in problems:
            continue
        if time.monotonic() >= until:
            break
        try:
            if refused:
                write_note(uploads, upload)
            else:
                remove_note(uploads, path)
        except StorageError as error:
            problems[folder] = error.what
        except OSError as error:
            problems[folder] = f"{printable(error.filename or uploads)}: {error.strerror}"
        else:
            known[path] = replace(upload, noted=int(refused))
    return next(iter(problems.values()), "")


def write_note(uploads: Path, upload: Upload) -> None:
    """Say beside a file what is wrong with it, and what to do.

    Raises:
        StorageError: The folder cannot be written.
    """
    note = _note(uploads, upload.path)
    text = "\n".join(
        [
            _FIRST_LINE,
            "",
            f"File:       {printable(Path(upload.path).name)}",
            f"Reason:     {printable(upload.reason)}",
            f"What to do: {printable(upload.remedy) or 'Ask whoever runs the archive.'}",
            "",
            "This note goes away by itself when the file is accepted, replaced or removed.",
            "",
        ]
    )
    # To write it would make the folder again that somebody has just removed.
    if not note.parent.is_dir() or (os.path.lexists(note) and not _ours(note)):
        return
    # Under a random name that must not exist: whoever uploads could have put a link where a fixed one is written.
    write_bytes(note, text.encode("utf-8", "surrogateescape"))


def remove_note(uploads: Path, path: str) -> None:
    """Take away the note beside a file that is refused no longer.

    Raises:
        OSError: The folder cannot be written.
    """
    note = _note(uploads, path)
    if os.path.lexists(note) and _ours(note):
        note.unlink(missing_ok=True)


def _note(uploads: Path, path: str) -> Path:
    place = uploads / path
    # Names have an end: of a very long one the note bears the beginning.
    room = 255 - len(REFUSED_SUFFIX) - 5
    name = os.fsdecode(os.fsencode(place.name)[:room])
    return place.with_name(f"{name}{REFUSED_SUFFIX}")


def _ours(note: Path) -> bool:
    if note.is_symlink() or not note.is_file():
        return False
    with note.open("rb") as file:
        return file.read(_MOST).startswith(_FIRST_LINE.encode())
