"""What lies in the folder for ground truth, looked at from outside: nothing in it is opened.

Every name directly in it is one set: a folder, or a ZIP. Whatever else lies there is refused with the reason, as a scan
would be (:mod:`archive_pipeline.uploads.folder`).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from os import DirEntry
from pathlib import Path, PurePath

from archive_pipeline.errors import ArchiveError, BadGroundTruth, EmptyFile, NotReadable, TooLarge, UnsupportedType
from archive_pipeline.intake.names import set_aside
from archive_pipeline.intake.source import list_folder
from archive_pipeline.training_sets.set_names import set_name
from archive_pipeline.unzipping.limits import MB, ZipLimits
from archive_pipeline.uploads.folder import Seen

SECOND = "-second"
"""How the version of what is refused for the name of another one ends."""
_OWN_FOLDER = "Put the files of a set into a folder, or a ZIP, of their own."


def look(root: Path, limits: ZipLimits | None = None) -> Iterator[Seen]:
    """Every set in the folder, and what is refused by its outside, in natural order.

    Left alone without a word: what :func:`archive_pipeline.intake.names.set_aside` names, as among scans.

    Raises:
        NotReadable: The folder itself cannot be listed.
    """
    most = limits or ZipLimits()
    for entry in list_folder(root):
        if set_aside(entry.name):
            continue
        try:
            yield _seen(entry, entry.stat(follow_symlinks=False), most)
        except FileNotFoundError:  # gone since the folder was listed; the next look tells
            continue


def one_of_a_name(seen: Iterable[Seen], taken: Iterable[str]) -> dict[str, Seen]:
    """By path, with those refused that would have the name of another one: ``jean.zip`` beside ``jean``.

    Args:
        taken: Paths that had their name first.
    """
    found = list(seen)
    first = set(taken)
    owners: dict[str, str] = {}
    for each in sorted(found, key=lambda each: each.path not in first):
        if each.problem is None:
            owners.setdefault(set_name(each.path), each.path)
    result = {}
    for each in found:
        owner = owners.get(set_name(each.path), each.path) if each.problem is None else each.path
        if owner != each.path:
            problem = BadGroundTruth(
                f"'{owner}' is ground truth of the same name",
                document=each.path,
                remedy="Give one of the two another name, or take one away.",
            )
            # Of another version than without the other one: when that is gone, this one is tried again.
            result[each.path] = replace(each, version=f"{each.version}{SECOND}", problem=problem)
        else:
            result[each.path] = each
    return result


def _seen(entry: DirEntry[str], status: os.stat_result, limits: ZipLimits) -> Seen:
    identity = f"{status.st_dev}:{status.st_ino}"
    if stat.S_ISDIR(status.st_mode):
        try:
            return Seen(entry.name, _version_below(Path(entry.path), entry.name, limits), identity)
        except ArchiveError as error:
            return Seen(entry.name, f"{status.st_mtime_ns}-{status.st_ctime_ns}", identity, error)
    problem = _why_not(entry, status, limits)
    # Of what is refused the change of its mode counts, too: it may become readable.
    version = f"{status.st_size}-{status.st_mtime_ns}" + (f"-{status.st_ctime_ns}" if problem else "")
    return Seen(entry.name, version, identity, problem)


def _why_not(entry: DirEntry[str], status: os.stat_result, limits: ZipLimits) -> ArchiveError | None:
    name = entry.name
    if stat.S_ISLNK(status.st_mode):
        return UnsupportedType("it is a link", document=name, remedy="Put the folder or ZIP itself here.")
    if not stat.S_ISREG(status.st_mode):
        return UnsupportedType("it is no regular file", document=name, remedy="Take it away.")
    if PurePath(name).suffix.lower() != ".zip":
        return UnsupportedType("it is neither a folder nor a ZIP", document=name, remedy=_OWN_FOLDER)
    if not status.st_size:
        return EmptyFile("the file is empty", document=name, remedy="Copy it again.")
    if status.st_size > limits.total_mb * MB:
        return TooLarge(
            f"the ZIP has {status.st_size >> 20} MB, the limit is {limits.total_mb} MB",
            document=name,
            remedy="Part it into several ZIP files.",
        )
    return None


def _version_below(folder: Path, name: str, limits: ZipLimits) -> str:
    """Changes when a name, a size or a time of anything in a folder does.

    Raises:
        NotReadable: A folder in it cannot be listed.
        TooLarge: It has more files than a set may have.
    """
    digest = hashlib.sha256()
    pending, count = [(folder, "")], 0
    while pending:
        place, prefix = pending.pop()
        try:
            entries = list_folder(place)
        except NotReadable as error:
            error.document = name
            raise
        count += len(entries)
        if count > limits.entries:
            raise TooLarge(
                f"it has more than {limits.entries} files", document=name, remedy="Part it into several folders."
            )
        for entry in entries:
            if set_aside(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                if prefix.count("/") < limits.depth:
                    pending.append((Path(entry.path), f"{prefix}{entry.name}/"))
                continue
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            outside = f"{prefix + entry.name!a} {status.st_mode} {status.st_size} {status.st_mtime_ns}\n"
            digest.update(outside.encode())
    return digest.hexdigest()[:32]
