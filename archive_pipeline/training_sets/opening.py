"""A folder or ZIP of ground truth, opened: its names, and its files one by one, as open files and never as contents."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from pydantic import ValidationError

from archive_pipeline.errors import ArchiveError, ChildError, NoSpaceLeft, NotReadable, TooLarge, printable
from archive_pipeline.intake.source import Source, look_at, open_file
from archive_pipeline.sealed import open_result
from archive_pipeline.training_sets.names import Material, sort_names, why_not
from archive_pipeline.unzipping.limits import MB, ZipLimits
from archive_pipeline.unzipping.unpack import Unpacked

_SECONDS_PER_MB = 0.5


class Caller(Protocol):
    """A sealed child that can be asked."""

    def call(
        self, request: Mapping[str, Any], files: Sequence[BinaryIO | int], *, timeout: float
    ) -> dict[str, Any]: ...


class Opened:
    """What lies in a folder or ZIP.

    Attributes:
        material: Its names.
        ignored: Names that were passed over, with the reason.
    """

    def __init__(self, names: list[str], ignored: dict[str, str], opener: Callable[[str], BinaryIO]) -> None:
        self.material: Material = sort_names(names)
        self.ignored = ignored
        self._opener = opener

    def open(self, name: str) -> BinaryIO:
        """Open one of its files, to hand it to a sealed child or to hash it.

        Raises:
            NotReadable, UnsupportedType, ChildError: It is gone, or no regular file any more.
        """
        return self._opener(name)


def open_material(path: Path, child: Caller, scratch: Path, limits: ZipLimits) -> Opened:
    """Look into a folder by its names, or have a ZIP unpacked by the child.

    Raises:
        NotReadable: There is nothing, or it cannot be read.
        BadArchive, TooLarge, PasswordProtected: The ZIP, or the folder, is refused as a whole.
        NoSpaceLeft: The ZIP does not fit on the disk.
    """
    if stat.S_ISDIR(look_at(path).st_mode):
        return _open_folder(path, limits)
    return _open_zip(path, child, scratch, limits)


def _open_folder(folder: Path, limits: ZipLimits) -> Opened:
    names, ignored = [], {}
    for name, entry in _walk(folder, limits):
        reason = "a link; put the file itself here" if entry.is_symlink() else why_not(name)
        if reason is None and not entry.is_file(follow_symlinks=False):
            reason = "not a regular file"
        if reason is not None:
            ignored[name] = reason
        else:
            names.append(name)
    root = folder.absolute()

    def opener(name: str) -> BinaryIO:
        return cast(BinaryIO, open_file(Source(root, "folder", (root / name,), 0), 0))

    return Opened(names, ignored, opener)


def _walk(folder: Path, limits: ZipLimits) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Files below a folder with their names; links are not followed."""
    pending = [("", folder)]
    count = 0
    while pending:
        prefix, path = pending.pop()
        try:
            entries = list(os.scandir(path))
        except OSError as error:
            raise NotReadable(f"it cannot be listed: {error.strerror}", document=str(path)) from None
        for entry in entries:
            name = f"{prefix}{entry.name}"
            count += 1
            if count > limits.entries:
                raise TooLarge(
                    f"it has more than {limits.entries} files",
                    document=str(folder),
                    remedy="Part it into several folders.",
                )
            if entry.is_dir(follow_symlinks=False):
                if name.count("/") < limits.depth and why_not(f"{name}/x.xml") is None:
                    pending.append((f"{name}/", path / entry.name))
            else:
                yield name, entry


def _open_zip(path: Path, child: Caller, scratch: Path, limits: ZipLimits) -> Opened:
    source = Source(path.absolute(), "file", (path.absolute(),), 0)
    with open_file(source, 0) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limits.total_mb * MB:
            raise TooLarge(
                f"the ZIP has {size >> 20} MB, the limit is {limits.total_mb} MB",
                document=str(path),
                remedy="Part it into several ZIP files.",
            )
        try:
            answer = child.call(
                {"do": "unpack", "limits": asdict(limits)}, [file], timeout=60 + _SECONDS_PER_MB * limits.total_mb
            )
            unpacked = Unpacked.model_validate(answer)
        except ValidationError:
            raise ChildError("the child that unpacks gave an answer that is none", document=str(path)) from None
        except NoSpaceLeft as error:
            raise NoSpaceLeft(
                f"no space left to unpack {printable(path.name)} in {printable(scratch)}: {error.what}",
                remedy="Free some space and run it again; nothing of it was kept.",
            ) from None
        except ArchiveError as error:
            raise error.at(document=str(path)) from None

    def opener(name: str) -> BinaryIO:
        return open_result(scratch, unpacked.files[name], max_bytes=limits.file_mb * MB)

    return Opened(list(unpacked.files), dict(unpacked.ignored), opener)


@contextmanager
def named(name: str) -> Iterator[None]:
    """Say of which file an error is."""
    try:
        yield
    except ArchiveError as error:
        raise error.at(document=name) from None
