"""Copying a document's exports to where the user wants them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from archive_pipeline.durable import clear_temporary, copy_file, file_digest, read_json, storage_error
from archive_pipeline.errors import ArchiveError, StorageError
from archive_pipeline.store import DocumentFolder


def deliver(folder: DocumentFolder, out: Path) -> Path:
    """Copy the exports of a document to ``out/<key>/``, each file atomically.

    Files that an earlier manifest there names and the new one does not (pages that the document no longer has) are
    removed; whatever else lies there stays.

    Raises:
        StorageError: A file could not be written.
        DocumentBusy: Another run is writing the exports.
    """
    target = out / folder.key
    if not folder.exports.is_dir():
        raise ArchiveError("it has no exports", document=folder.key, remedy="Run it again.")
    with folder.lock(timeout=60):
        copy_exports(folder.exports, target)
    return target


def copy_exports(exports: Path, target: Path) -> None:
    """Copy a folder of exports that nobody writes meanwhile; see :func:`deliver`.

    Raises:
        StorageError: A file could not be written.
    """
    clear_temporary(target)
    before = _named(target)
    # The manifest last: where it lies, the others are whole.
    files = sorted((path for path in exports.rglob("*") if path.is_file()), key=lambda p: p.name == "manifest.json")
    for path in files:
        copy = target / path.relative_to(exports)
        try:
            same = (
                copy.is_file() and copy.stat().st_size == path.stat().st_size and file_digest(copy) == file_digest(path)
            )
        except OSError as error:
            raise storage_error(error, copy) from error
        if not same:
            copy_file(path, copy)
    for name in before - {path.relative_to(exports).as_posix() for path in files}:
        (target / name).unlink(missing_ok=True)


def _named(folder: Path) -> set[str]:
    """Files that the manifest in a folder names and that lie in it."""
    try:
        formats = (read_json(folder / "manifest.json") or {}).get("formats", {})
        names = {str(row["path"]) for rows in formats.values() for row in rows}
    except (StorageError, AttributeError, TypeError, KeyError):  # somebody else's manifest
        return set()
    return {name for name in names if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts}
