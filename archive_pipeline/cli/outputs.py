"""Copying a document's exports to where the user wants them."""

from __future__ import annotations

from pathlib import Path

from archive_pipeline.errors import ArchiveError
from archive_pipeline.store import DocumentFolder, copy_file, file_digest, storage_error


def deliver(folder: DocumentFolder, out: Path) -> Path:
    """Copy the exports of a document to ``out/<key>/``, each file atomically; what is there already stays.

    Raises:
        StorageError: A file could not be written.
    """
    target = out / folder.key
    if not folder.exports.is_dir():
        raise ArchiveError("it has no exports", document=folder.key, remedy="Run it again.")
    # The manifest last: where it lies, the others are whole.
    files = sorted(
        (path for path in folder.exports.rglob("*") if path.is_file()), key=lambda p: p.name == "manifest.json"
    )
    for path in files:
        copy = target / path.relative_to(folder.exports)
        try:
            same = (
                copy.is_file() and copy.stat().st_size == path.stat().st_size and file_digest(copy) == file_digest(path)
            )
        except OSError as error:
            raise storage_error(error, copy) from error
        if not same:
            copy_file(path, copy)
    return target
