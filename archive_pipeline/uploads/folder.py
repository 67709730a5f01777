"""What lies in the upload folder, looked at from outside."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import DirEntry
from pathlib import Path

from archive_pipeline.errors import ArchiveError, NotReadable, UnsupportedType
from archive_pipeline.intake.expand import documents_in
from archive_pipeline.intake.names import MISNAMED_SETTINGS, SETTINGS_FILE, is_image, is_settings, set_aside
from archive_pipeline.intake.source import list_folder


@dataclass(frozen=True)
class Seen:
    """A document, or something that is none.

    Attributes:
        path: Below the upload folder.
        version: Changes when a size, a time or a page's name does.
        identity: Device and inode: the same after it was renamed or moved on the same volume.
        problem: Why it cannot enter; None if nothing is known against it.
        settings: Changes when a settings file that holds for it does; empty if there is none.
    """

    path: str
    version: str
    identity: str
    problem: ArchiveError | None = None
    settings: str = ""


def look(root: Path) -> Iterator[Seen]:
    """All documents below the upload folder, and what is refused by its outside, in natural order.

    Left alone without a word: hidden files, files that are still being written by their name, and what operating
    systems leave behind (:func:`archive_pipeline.intake.names.set_aside`). Links are not followed, so there are no
    loops; a subfolder that cannot be listed is refused and stops nothing else.

    Raises:
        NotReadable: The upload folder itself cannot be listed.
    """
    pending = [(root, "")]
    while pending:
        folder, around = pending.pop()
        try:
            entries = [entry for entry in list_folder(folder) if not set_aside(entry.name)]
        except NotReadable as error:
            if folder == root:
                raise
            yield from _unlisted(root, folder, error)
            continue
        whole, names = documents_in(entries)
        whole = whole and folder != root
        settings = {entry.name: entry for entry in entries if is_settings(entry.name)}
        here = _settings(around, settings, "")
        if whole:
            yield from _folder(root, folder, entries, here)
        folders = [folder / entry.name for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]
        pending.extend((each, here) for each in folders)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False) or entry.name in settings or (whole and entry.name in names):
                continue
            own = _settings(here, settings, f"{entry.name}.")
            yield from _file(root, folder, entry, own, wanted=entry.name in names)


def _settings(around: str, entries: Mapping[str, DirEntry[str]], prefix: str) -> str:
    """What tells the settings of a place from earlier ones: those around it, and files of its own."""
    for name in (SETTINGS_FILE, MISNAMED_SETTINGS):
        entry = entries.get(prefix + name)
        if entry is None:
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except OSError:  # gone since the folder was listed; the next look tells
            continue
        outside = f"{around} {entry.name!a} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        around = hashlib.sha256(outside.encode()).hexdigest()[:16]
    return around


def _file(root: Path, folder: Path, entry: DirEntry[str], settings: str, *, wanted: bool) -> Iterator[Seen]:
    path = str((folder / entry.name).relative_to(root))
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:  # gone since the folder was listed; the next look tells
        return
    problem = None if wanted else _why_not(status.st_mode, path)
    # Of what is refused the change of its mode counts, too: it may become readable.
    version = f"{status.st_size}-{status.st_mtime_ns}" + (f"-{status.st_ctime_ns}" if problem else "")
    yield Seen(path, version, _identity(status.st_dev, status.st_ino), problem, settings)


def _why_not(mode: int, path: str) -> UnsupportedType:
    if stat.S_ISLNK(mode):
        return UnsupportedType("it is a link", document=path, remedy="Put the file itself into the upload folder.")
    if not stat.S_ISREG(mode):
        return UnsupportedType("it is no regular file", document=path)
    return UnsupportedType("its name is that of no scan", document=path)


def _folder(root: Path, folder: Path, entries: list[DirEntry[str]], settings: str) -> Iterator[Seen]:
    digest = hashlib.sha256()
    try:
        status = folder.stat()
        for entry in entries:
            if is_image(entry.name) and entry.is_file(follow_symlinks=False):
                page = entry.stat(follow_symlinks=False)
                digest.update(f"{entry.name!a} {page.st_size} {page.st_mtime_ns}\n".encode())
    except OSError:
        return
    path, identity = str(folder.relative_to(root)), _identity(status.st_dev, status.st_ino)
    yield Seen(path, digest.hexdigest()[:32], identity, settings=settings)


def _unlisted(root: Path, folder: Path, error: NotReadable) -> Iterator[Seen]:
    try:
        status = folder.stat()
    except OSError:
        return
    path = str(folder.relative_to(root))
    error.document = path
    yield Seen(path, f"{status.st_mtime_ns}-{status.st_ctime_ns}", _identity(status.st_dev, status.st_ino), error)


def _identity(device: int, inode: int) -> str:
    return f"{device}:{inode}"
