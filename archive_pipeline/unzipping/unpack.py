"""Unpacking into a flat folder, under names of ours: no name in a ZIP ever becomes a path on the disk."""

from __future__ import annotations

import errno
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import ArchiveError, BadArchive, NoSpaceLeft, printable
from archive_pipeline.rendering.reader import independent
from archive_pipeline.unzipping.entries import Entry, checked_entries, require_small_directory
from archive_pipeline.unzipping.limits import ZipLimits

_CHUNK = 1 << 18
# How the standard library says that an archive is damaged.
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError, struct.error)


class Unpacked(BaseModel):
    """What came of a ZIP.

    Attributes:
        files: Name in the ZIP -> name in the folder.
        ignored: Names that were passed over, with the reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, str]
    ignored: dict[str, str] = {}


def unpack(
    file: BinaryIO, folder: Path, why_not: Callable[[str], str | None], limits: ZipLimits, begin: str = "entry"
) -> Unpacked:
    """Unpack those files that are wanted; all entries are checked, wanted or not.

    Args:
        file: The ZIP, open; in a sealed child.
        folder: Where to; the files are called ``entry-000001`` and so on.
        why_not: Why a file of that name is not wanted; None for one that is.

    Raises:
        BadArchive, TooLarge, PasswordProtected: It is refused, as a whole.
        NoSpaceLeft: It has no room in the folder.
    """
    with independent(file) as own, independent(file) as other:
        try:
            require_small_directory(own)
            with zipfile.ZipFile(own) as archive:
                entries = checked_entries(archive, other, limits)
                ignored = {entry.name: why for entry in entries if (why := why_not(entry.name)) is not None}
                wanted = [entry for entry in entries if entry.name not in ignored]
                _require_room(folder, wanted)
                files = {}
                for number, entry in enumerate(wanted, start=1):
                    files[entry.name] = f"{begin}-{number:06d}"
                    _unpack(archive, entry, folder / files[entry.name])
        except ArchiveError:
            raise
        except _DAMAGED as error:
            raise BadArchive(f"the ZIP is damaged: {printable(str(error))[:200]}") from None
        except OSError as error:
            if error.errno == errno.EINVAL:  # a place before the beginning of the file
                raise BadArchive("the ZIP is damaged: a place in it cannot be") from None
            raise
    return Unpacked(files=files, ignored=ignored)


def _require_room(folder: Path, entries: list[Entry]) -> None:
    needed = sum(entry.info.file_size for entry in entries)
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize
    if needed > free:
        raise NoSpaceLeft(f"it unpacks to {needed / (1 << 20):.1f} MB, and there are {free / (1 << 20):.1f} MB left")


def _unpack(archive: zipfile.ZipFile, entry: Entry, path: Path) -> None:
    written = 0
    try:
        with archive.open(entry.info) as packed, path.open("xb") as target:
            # Never beyond what the entry says of itself, by which it was let in; its end checks the CRC.
            while chunk := packed.read(_CHUNK):
                written += len(chunk)
                target.write(chunk)
    except _DAMAGED as error:
        raise BadArchive(f"{printable(entry.name)} is damaged: {printable(str(error))[:200]}") from None
    if written != entry.info.file_size:
        raise BadArchive(f"{printable(entry.name)} is damaged: it has {written} bytes, not {entry.info.file_size}")
