"""The table of contents of a ZIP file, checked before a byte of it is unpacked.

A ZIP names its files twice, in the central directory and before each file's bytes, and nothing in the format keeps the
two from disagreeing, two entries from sharing bytes (one megabyte of them unfolds to a petabyte), a name from leading
out of the folder, or an entry from being a link.
"""

from __future__ import annotations

import json
import stat
import struct
import unicodedata
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from archive_pipeline.errors import BadArchive, PasswordProtected, TooLarge, printable
from archive_pipeline.unzipping.limits import MB, ZipLimits

_LOCAL = struct.Struct("<4s5H3L2H")
_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flag bits: a password, strong encryption, hidden headers."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END, _END_SIGNATURE = struct.Struct("<4s4H2LH"), b"PK\x05\x06"
_LONGEST_COMMENT = 0xFFFF
_MAX_DIRECTORY = 32 * MB
_MAX_NAMES = 9 * MB  # as JSON: all names go through one message of a sealed child
_SPLIT = "Part it into several ZIP files."


@dataclass(frozen=True)
class Entry:
    """A file in a ZIP.

    Attributes:
        name: Its path, checked: relative, with ``/``, without ``.`` and ``..``.
        info: For :mod:`zipfile`.
    """

    name: str
    info: zipfile.ZipInfo


def require_small_directory(file: BinaryIO) -> None:
    """Refuse a central directory that would fill the memory before it could be counted.

    Raises:
        BadArchive, TooLarge: There is no end record; or the directory has more bytes than one of honest length.
    """
    size = file.seek(0, 2)
    tail_size = min(size, _LONGEST_COMMENT + _END.size)
    file.seek(size - tail_size)
    tail = file.read(tail_size)
    start = tail.rfind(_END_SIGNATURE)
    if start < 0 or start + _END.size > len(tail):
        raise BadArchive("it has no table of contents at its end: it is no ZIP file, or was cut off")
    length = _END.unpack_from(tail, start)[5]
    if _MAX_DIRECTORY < length < 0xFFFFFFFF:
        what = f"its table of contents has {length >> 20} MB, the limit is {_MAX_DIRECTORY >> 20} MB"
        raise TooLarge(what, remedy=_SPLIT)


def checked_entries(archive: zipfile.ZipFile, file: BinaryIO, limits: ZipLimits) -> list[Entry]:
    """The files of an archive, in its order.

    Args:
        file: The same archive, to look at what stands before each file's bytes.

    Raises:
        TooLarge: A limit is broken by what the archive says of itself.
        PasswordProtected: An entry is encrypted.
        BadArchive: A name leads out, an entry is a link, two entries overlap or have one name.
    """
    infos = archive.infolist()
    if len(infos) > limits.entries:
        raise TooLarge(f"it has {len(infos)} entries, the limit is {limits.entries}", remedy=_SPLIT)
    entries = []
    for info in infos:
        name = checked_name(info.orig_filename, limits)
        _require_plain(info, name)
        if not info.is_dir():
            _require_size(info, name, limits)
            entries.append(Entry(name, info))
        elif info.file_size or info.compress_size:
            raise BadArchive(f"{printable(name)} is a folder with contents of its own")
    if sum(len(json.dumps(entry.name)) for entry in entries) > _MAX_NAMES:
        raise TooLarge(f"the names in it take more than {_MAX_NAMES >> 20} MB", remedy=_SPLIT)
    total = sum(entry.info.file_size for entry in entries)
    if total > limits.total_mb * MB:
        raise TooLarge(f"it unpacks to {total >> 20} MB, the limit is {limits.total_mb} MB", remedy=_SPLIT)
    _require_distinct(entries)
    _require_apart(infos, file, archive.start_dir)
    return entries


def checked_name(name: str, limits: ZipLimits) -> str:
    """A name as a path below the folder that is unpacked to.

    Raises:
        BadArchive: It leads out of it, or is none that a person would give.
        TooLarge: It is too long, or too deep.
    """
    shown = printable(name)[:120]
    if any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in name):
        raise BadArchive(f"the name '{shown}' has control characters")
    if "\\" in name or name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise BadArchive(f"the name '{shown}' leads out of the archive")
    parts = [part for part in name.rstrip("/").split("/") if part != "."]
    if not parts or any(part in ("", "..") for part in parts):
        raise BadArchive(f"the name '{shown}' leads out of the archive")
    if len(name.encode()) > limits.name_bytes or any(len(part.encode()) > 255 for part in parts):
        raise TooLarge(f"the name '{shown}' is too long", remedy="Give it a shorter name.")
    if len(parts) > limits.depth + 1:
        what = f"'{shown}' lies in {len(parts) - 1} folders, the limit is {limits.depth}"
        raise TooLarge(what, remedy="Put the files into fewer folders.")
    return "/".join(parts)


def _require_plain(info: zipfile.ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise PasswordProtected(f"{printable(name)} is encrypted", remedy="Make the ZIP without a password.")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        what = "a link" if kind == stat.S_IFLNK else "no regular file"
        raise BadArchive(f"{printable(name)} is {what}", remedy="Put the file itself into the ZIP.")
    if info.compress_type not in _METHODS:
        raise BadArchive(
            f"{printable(name)} is packed by a method that is not read ({info.compress_type})",
            remedy="Make the ZIP with the usual method, Deflate.",
        )


def _require_size(info: zipfile.ZipInfo, name: str, limits: ZipLimits) -> None:
    if info.file_size > limits.file_mb * MB:
        what = f"{printable(name)} unpacks to {info.file_size >> 20} MB, the limit is {limits.file_mb} MB"
        raise TooLarge(what, remedy="Leave it out, or scale it down.")
    if info.file_size > MB and info.file_size > limits.ratio * info.compress_size:
        raise TooLarge(
            f"{printable(name)} unpacks to more than {limits.ratio} times its size",
            remedy="Save the image in a format of its own, such as JPEG or PNG, and make the ZIP again.",
        )


def _require_distinct(entries: Sequence[Entry]) -> None:
    seen: dict[str, str] = {}
    for entry in entries:
        # What differs in case or normal form only is one file on many disks.
        key = unicodedata.normalize("NFC", entry.name).casefold()
        if key in seen:
            raise BadArchive(f"'{printable(seen[key])}' and '{printable(entry.name)}' are two files of one name")
        seen[key] = entry.name
    folders = {key[:at] for key in seen for at, char in enumerate(key) if char == "/"}
    if both := folders & seen.keys():
        raise BadArchive(f"'{printable(min(both))}' is both a file and a folder")


def _require_apart(infos: Sequence[zipfile.ZipInfo], file: BinaryIO, directory: int) -> None:
    """Each entry has bytes of its own, between the one before and the table of contents."""
    spans = sorted((info.header_offset, _end(info, file), info.filename) for info in infos)
    for (_, end, first), (start, _, second) in pairwise(spans):
        if end > start:
            raise BadArchive(f"'{printable(first)}' and '{printable(second)}' share bytes, as in a bomb")
    if spans and spans[-1][1] > directory:
        raise BadArchive(f"'{printable(spans[-1][2])}' reaches into the table of contents")


def _end(info: zipfile.ZipInfo, file: BinaryIO) -> int:
    """Where the packed bytes of an entry end, by what stands before them."""
    name = printable(info.filename)
    if info.header_offset < 0:
        raise BadArchive(f"'{name}' lies before the beginning of the file")
    file.seek(info.header_offset)
    head = file.read(_LOCAL.size)
    if len(head) < _LOCAL.size or not head.startswith(_SIGNATURE):
        raise BadArchive(f"there is no file where '{name}' should be: the ZIP is damaged")
    fields = _LOCAL.unpack(head)
    flags, method, name_length, extra_length = fields[2], fields[3], fields[9], fields[10]
    if flags & _ENCRYPTED:
        raise PasswordProtected(f"{name} is encrypted", remedy="Make the ZIP without a password.")
    raw = file.read(name_length)
    if method != info.compress_type or raw != _raw_name(info):
        raise BadArchive(f"'{name}' has another name or method before its bytes than in the table of contents")
    return int(info.header_offset + _LOCAL.size + name_length + extra_length + info.compress_size)


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    return info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437")
