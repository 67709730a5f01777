"""Where a document's artifacts live, and how they are written so that a kill at any line loses nothing.

One folder a document::

    <store>/documents/<key>/
        source.json            where the source is
        inspection.json        its files with sizes, times and SHA-256, and its pages
        lock                   held by the one process that writes here
        images/0001.jpg        page images, each with 0001.json beside it (written last)
        layouts/0001.json      Page with lines, without text
        transcriptions/0001.json   Page as the machine read it
        corrections/0001.json      what people wrote; no machine writes here
        failures/0001.json     why a page failed; gone when it is done
        ledger.json            status of every page
        run.json               seconds: all that differs between two equal runs
        exports/               what people take away
        exports.json           what they were made from

Every file is written under a temporary name in its own folder, flushed to the disk and renamed.
"""

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

from filelock import FileLock, Timeout

from archive_pipeline.errors import DocumentBusy, NoSpaceLeft, NotReadable, StorageError, printable
from archive_pipeline.keys import DocumentKey

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
    """A hidden name beside ``path``, which :meth:`DocumentFolder.lock` clears away after a kill."""
    return path.with_name(f".{path.name[:100]}.{os.getpid()}.{secrets.token_hex(4)}{TEMPORARY_SUFFIX}")


def publish(temporary: Path, path: Path) -> None:
    """Rename a flushed temporary file to its name, and flush the rename itself."""
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


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


class DocumentFolder:
    """The folder of one document. Paths only; nothing is made before something is written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = DocumentKey(root.name)

    @property
    def source(self) -> Path:
        return self.root / "source.json"

    @property
    def inspection(self) -> Path:
        return self.root / "inspection.json"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.json"

    @property
    def run_report(self) -> Path:
        return self.root / "run.json"

    @property
    def exports(self) -> Path:
        return self.root / "exports"

    @property
    def exports_record(self) -> Path:
        return self.root / "exports.json"

    @property
    def images(self) -> Path:
        return self.root / "images"

    def image_record(self, number: int) -> Path:
        return self.root / "images" / f"{number:04d}.json"

    def layout(self, number: int) -> Path:
        return self.root / "layouts" / f"{number:04d}.json"

    def transcription(self, number: int) -> Path:
        return self.root / "transcriptions" / f"{number:04d}.json"

    def correction(self, number: int) -> Path:
        return self.root / "corrections" / f"{number:04d}.json"

    def failure(self, number: int) -> Path:
        return self.root / "failures" / f"{number:04d}.json"

    @contextmanager
    def lock(self, timeout: float = 0) -> Iterator[None]:
        """Be the one writer of this document. A kill releases it (``flock``).

        Args:
            timeout: Seconds to wait for another writer.

        Raises:
            DocumentBusy: Another process holds it.
        """
        lock = FileLock(self.root / "lock")
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=timeout)
        except Timeout:
            raise DocumentBusy("another run is writing this document", document=self.key) from None
        except OSError as error:
            raise storage_error(error, self.root) from error
        try:
            clear_temporary(self.root)
            yield
        finally:
            lock.release()


class Store:
    """All documents below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def document(self, key: DocumentKey) -> DocumentFolder:
        return DocumentFolder(self.root / "documents" / key)

    def keys(self) -> list[DocumentKey]:
        folder = self.root / "documents"
        return sorted(DocumentKey(child.name) for child in folder.iterdir()) if folder.is_dir() else []

    def register(self, path: Path, uploads: Path) -> DocumentKey:
        """Give the document at ``path`` its key and note where it is.

        Below the upload folder the key comes from the relative path. Elsewhere it is the file's own name, as long as
        no other document has that key; else the name with a mark made of the absolute path. Either way the same path
        always has the same key: ``run /elsewhere/a.pdf /other/a.pdf`` makes ``a.pdf`` and ``a.pdf-<mark>``.

        Raises:
            NotReadable: There is nothing at ``path``.
        """
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user named them
        if not absolute.exists():
            raise NotReadable("there is no such file or folder", document=str(path))
        if absolute.is_relative_to(uploads):
            keys = [DocumentKey.from_path(absolute.relative_to(uploads))]
        else:
            keys = [DocumentKey.from_path(absolute.name, origin=absolute), DocumentKey.from_path(absolute.name)]
        origin = str(absolute)
        with self._one_at_a_time():
            return self._choose(keys, origin)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Two runs that meet two documents of one name must not both take the plain key."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.root / "register.lock")
            lock.acquire()
        except OSError as error:
            raise storage_error(error, self.root) from error
        try:
            yield
        finally:
            lock.release()

    def _choose(self, keys: list[DocumentKey], origin: str) -> DocumentKey:
        known = {key: (read_json(self.document(key).source) or {}).get("origin") for key in keys}
        for key in keys:
            if known[key] == origin:
                return key
        chosen = next((key for key in reversed(keys) if known[key] is None), keys[0])
        write_json(self.document(chosen).source, {"origin": origin, "key": chosen})
        return chosen
