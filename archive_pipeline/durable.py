"""Files that a kill at any line cannot tear: a temporary name in the same folder, a flush to the disk, a rename."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.errors import NoSpaceLeft, StorageError, printable

TEMPORARY_SUFFIX = ".tmp"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def storage_error(error: OSError, path: Path) -> StorageError:
    """The clear form of an ``OSError`` that writing below the store raised."""
    if error.errno in NO_SPACE:
        return NoSpaceLeft(f"no space left to write {printable(path)}")
    return StorageError(f"cannot write {printable(path)}: {error.strerror or error}")


@contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that becomes ``path`` when the block ends well, and vanishes when it does not.

    Raises:
        NoSpaceLeft, StorageError: It could not be written; ``path`` is as it was before.
    """
    temporary = temporary_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        publish(temporary, path)
    except BaseException as error:
        with suppress(OSError):  # what cannot be removed now is cleared away by the next lock
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise storage_error(error, path) from error
        raise


def temporary_name(path: Path) -> Path:
    """A hidden name beside ``path``, which :func:`clear_temporary` clears away after a kill."""
    return path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")


def publish(temporary: Path, path: Path) -> None:
    """Rename a flushed temporary file to its name, and flush the rename itself."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_folder(folder: Path) -> None:
    """Make a folder, with those above it, if it is not there.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error


def write_bytes(path: Path, data: bytes) -> None:
    with atomic_write(path) as file:
        file.write(data)


def to_json(data: Any) -> bytes:
    """Stable JSON: the same data gives the same bytes."""
    # A file name with bytes that are not UTF-8 has lone surrogates; they become JSON escapes and come back the same.
    return json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "backslashreplace") + b"\n"


def write_json(path: Path, data: Any) -> None:
    write_bytes(path, to_json(data))


def read_json(path: Path) -> Any:
    """Contents of a JSON file of ours, or None where there is none.

    Raises:
        StorageError: It is there but cannot be read as JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StorageError(f"{printable(path)} is damaged: {error}", remedy="Delete it; it is made again.") from error


def copy_file(source: Path, target: Path) -> None:
    """Copy a file of ours.

    Raises:
        StorageError: It cannot be read or written.
    """
    with _opened(source) as original, atomic_write(target) as file:
        shutil.copyfileobj(original, file, 1 << 20)


def file_digest(path: Path) -> str:
    """SHA-256 of a file of ours, in hexadecimal.

    Raises:
        StorageError: It cannot be read.
    """
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise StorageError(
            f"cannot read {printable(path)}: {error.strerror}", remedy="Run the document again."
        ) from None


def digest_of(*parts: object) -> str:
    """One SHA-256 of several values, told apart unambiguously: the key by which a result is reused."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def clear_temporary(folder: Path) -> None:
    """Remove what a killed process left below a folder: our temporary files, and folders named like them."""
    for leftover in list(folder.rglob(f".*{TEMPORARY_SUFFIX}")):
        if leftover.is_dir() and not leftover.is_symlink():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
