"""One document as it lies on the disk, and the conditions to enter that need no look inside."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Literal

from archive_pipeline.errors import EmptyFile, NoPages, NotReadable, TooLarge, UnsupportedType
from archive_pipeline.intake.names import SETTINGS_FILE, is_image, natural_order, set_aside

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a block device",
    stat.S_IFCHR: "a character device",
}


@dataclass(frozen=True)
class Source:
    """The files of one document.

    Attributes:
        path: As it was given.
        kind: ``file``, or ``folder`` of page images.
        files: In the order of their pages. A TIFF file may have several.
        size: Of all files, in bytes.
        ignored: What a folder has beside its pages, each with the reason: ``name: reason``.
    """

    path: Path
    kind: Literal["file", "folder"]
    files: tuple[Path, ...]
    size: int
    ignored: tuple[str, ...] = ()


def discover(path: Path, *, max_file_mb: int, max_pages: int) -> Source:
    """Look at a document from outside.

    A document may be a link to a file or folder. Inside a folder links are not followed: they are ignored and named,
    so that no folder can bring in a file from elsewhere.

    Args:
        max_file_mb: Largest file, in megabytes of 2^20 bytes.
        max_pages: Most files of a folder. The pages in a file are counted when it is opened.

    Raises:
        NotReadable: There is nothing, or this user may not read it.
        UnsupportedType: It is neither a regular file nor a folder.
        EmptyFile: The file has no bytes. (An empty file in a folder is a page that fails by itself.)
        TooLarge: A file has too many bytes, or a folder too many files.
        NoPages: The folder has no image file.
    """
    status = look_at(path)
    if stat.S_ISDIR(status.st_mode):
        return _discover_folder(path, max_file_mb, max_pages)
    _require_regular(status, str(path))
    if status.st_size == 0:
        raise EmptyFile("the file is empty", document=str(path))
    _require_access(path, os.R_OK)
    _require_size(status.st_size, max_file_mb, path, path)
    return Source(path, "file", (path,), status.st_size)


def _discover_folder(folder: Path, max_file_mb: int, max_pages: int) -> Source:
    files: list[Path] = []
    ignored: list[str] = []
    size = 0
    for entry in list_folder(folder):
        if entry.name == SETTINGS_FILE:
            continue
        reason = _not_a_page(entry)
        if reason:
            ignored.append(f"{entry.name}: {reason}")
            continue
        try:
            status = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            ignored.append(f"{entry.name}: gone while the folder was read")
            continue
        file = folder / entry.name
        _require_access(file, os.R_OK)
        _require_size(status.st_size, max_file_mb, file, folder)
        files.append(file)
        size += status.st_size
    if not files:
        raise NoPages("the folder has no image files", document=str(folder))
    if len(files) > max_pages:
        raise TooLarge(f"the folder has {len(files)} image files, the limit is {max_pages}", document=str(folder))
    return Source(folder, "folder", tuple(files), size, tuple(ignored))


def list_folder(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, in natural order.

    Raises:
        NotReadable: It cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: natural_order(entry.name))
    except OSError as error:
        raise NotReadable(f"the folder cannot be listed: {error.strerror}", document=str(folder)) from None


def _not_a_page(entry: os.DirEntry[str]) -> str | None:
    """Why this is not a page of the folder that it is in; None if it is one."""
    if reason := set_aside(entry.name):
        return reason
    if entry.is_symlink():
        return "a link; put the file itself here"
    if entry.is_dir(follow_symlinks=False):
        return "a folder; it is a document of its own if it has pages"
    if not entry.is_file(follow_symlinks=False):
        return "not a regular file"
    if entry.name.endswith(f".{SETTINGS_FILE}"):
        return f"settings of one page; a document of several pages takes those in {SETTINGS_FILE}"
    return None if is_image(entry.name) else "not an image file by its name"


def open_file(source: Source, index: int) -> BufferedReader:
    """Open one file of a document to hand it to a sealed child.

    Things may have changed since :func:`discover`, so it is looked at again: a named pipe does not block, a device or
    folder is refused, and a file of a folder that has become a link is not followed.

    Args:
        index: In ``source.files``, from 0.

    Raises:
        NotReadable: It is gone, or this user may not read it.
        UnsupportedType: It is not a regular file any more.
    """
    path = source.files[index]
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags if source.kind == "file" else flags | os.O_NOFOLLOW)
    except OSError as error:
        raise NotReadable(f"it cannot be opened: {error.strerror}", document=str(path)) from None
    file = os.fdopen(descriptor, "rb")
    try:
        _require_regular(os.fstat(descriptor), str(path))
    except UnsupportedType:
        file.close()
        raise
    return file


def look_at(path: Path) -> os.stat_result:
    """``stat`` of a file or folder that somebody named; links are followed.

    Raises:
        NotReadable: There is nothing, or it cannot be reached.
    """
    try:
        return path.stat()
    except FileNotFoundError:
        what = "the link leads nowhere" if path.is_symlink() else "there is no such file or folder"
        raise NotReadable(what, document=str(path)) from None
    except (OSError, ValueError) as error:
        raise NotReadable(f"it cannot be looked at: {error}", document=str(path)) from None


def _require_regular(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "neither a regular file nor a folder")
        raise UnsupportedType(f"it is {kind}", document=name)


def _require_access(path: Path, mode: int) -> None:
    if not os.access(path, mode):
        raise NotReadable("this user may not read it", document=str(path))


def _require_size(size: int, max_file_mb: int, file: Path, document: Path) -> None:
    if size > max_file_mb << 20:
        which = "the file" if file == document else f"its file {file.name}"
        raise TooLarge(f"{which} has {size / (1 << 20):.1f} MB, the limit is {max_file_mb} MB", document=str(document))
