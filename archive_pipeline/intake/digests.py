"""What a document is known by: quickly by its files' outside, and for good by its bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from io import BufferedReader
from pathlib import Path

from archive_pipeline.errors import NotReadable
from archive_pipeline.intake.settings_files import settings_files
from archive_pipeline.intake.source import Source, discover, open_file


def fingerprint(source: Source, settings: Sequence[Path] = ()) -> str:
    """Digest of names, sizes and modification times: while it stays the same, nobody has changed the document.

    Opens nothing. Does not change when the document is moved as a whole.

    Args:
        source: The document.
        settings: The files that say how it is read (:func:`~archive_pipeline.intake.settings_files.settings_files`).

    Raises:
        NotReadable: A file is gone.
    """
    try:
        return digest_of_outsides(source.kind, map(file_outside, source.files), map(file_outside, settings))
    except OSError as error:
        name = Path(str(error.filename)).name
        raise NotReadable(f"{name} cannot be looked at: {error.strerror}", document=str(source.path)) from None


FileOutside = tuple[str, int, int]
"""Name, size and modification time in nanoseconds of a file."""


def file_outside(file: Path) -> FileOutside:
    """What can be seen of a file without opening it.

    Raises:
        OSError: It is gone.
    """
    status = file.stat()
    return file.name, status.st_size, status.st_mtime_ns


def digest_of_outsides(kind: str, files: Iterable[FileOutside], settings: Iterable[FileOutside]) -> str:
    """A fingerprint of what was seen of a document's files and of those that say how it is read."""
    said = list(settings)
    # Without settings it is what it was before there were any.
    return _digest_of([kind, list(files), *([said] if said else [])])


def outside(path: Path, uploads: Path | None, *, max_file_mb: int, max_pages: int) -> tuple[Source, str]:
    """A document with the settings files that hold for it: what it is, and its fingerprint. Opens nothing.

    Raises:
        DocumentRefused: There is nothing that could be a document, or a settings file that cannot be obeyed.
    """
    source = discover(path, max_file_mb=max_file_mb, max_pages=max_pages)
    return source, fingerprint(source, settings_files(source.path, uploads))


def content_digest(source: Source) -> str:
    """SHA-256 of the file; of a folder, of the names and SHA-256 of its files in order.

    Raises:
        NotReadable, UnsupportedType: A file is gone, or is no regular file any more.
    """
    digests = []
    for index, path in enumerate(source.files):
        with open_file(source, index) as file:
            digests.append((path.name, hash_file(file, path)))
    return digests[0][1] if source.kind == "file" else _digest_of(digests)


def hash_file(file: BufferedReader, path: Path) -> str:
    """SHA-256 of an open file of a document.

    Raises:
        NotReadable: The disk does not give it.
    """
    try:
        return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NotReadable(f"it cannot be read: {error.strerror}", document=str(path)) from None


def _digest_of(data: object) -> str:
    # ensure_ascii: a name that is not UTF-8 has lone surrogates, which have no UTF-8.
    return hashlib.sha256(json.dumps(data, ensure_ascii=True).encode()).hexdigest()
