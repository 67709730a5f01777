"""A document taken out of the store for good, as when a person asks for erasure.

What is to go is noted first, with the names by which it is known elsewhere: after a kill the note says what is left
to do, though the document's folder is gone. The note goes last.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.checks.findings import Examinations
from archive_pipeline.document_states import DocumentStates
from archive_pipeline.durable import read_json, storage_error, write_json
from archive_pipeline.errors import StorageError, UsageError, printable
from archive_pipeline.intake.names import is_image
from archive_pipeline.keeping.rounds import FixityBook
from archive_pipeline.keys import DocumentKey
from archive_pipeline.nights.begun import BegunDocuments
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.uploads.copies import let_copies_in
from archive_pipeline.uploads.notes import remove_note
from archive_pipeline.uploads.register import UploadRegister

_NOTES = "forgetting"
_WAIT = 60.0
"""Seconds to wait for a run that writes the document."""


@dataclass(frozen=True)
class Forgotten:
    """A document that is to go.

    Attributes:
        source: Where its scan lies or lay; None if that is not known.
        upload: That path below the upload folder; empty if it did not come from there.
        files, size: What is stored of it, in files and bytes.
        corrected: Pages on which people corrected something.
        same: Other documents with the same bytes.
    """

    key: DocumentKey
    source: Path | None
    upload: str
    files: int
    size: int
    corrected: int
    same: tuple[str, ...] = ()

    @property
    def source_is_uploaded(self) -> bool:
        """Whether its scan still lies in the upload folder, from where it would come back."""
        return bool(self.upload) and self.source is not None and self.source.exists()

    @property
    def paths(self) -> list[str]:
        """Names by which it is known, beside its key."""
        return [name for name in (self.upload, str(self.source) if self.source else "") if name]


def key_of(store: Store, name: str, known: Collection[str] = ()) -> DocumentKey:
    """The key that a name means: itself, if a document has it, or else that of the upload with this path.

    Args:
        known: Keys that are known elsewhere.

    Raises:
        UnsafeName: It is no key, and no upload has that path.
    """
    upload = UploadRegister(store.root).of_path(name)
    if upload is None or not upload.key or name in {*known, *store.keys()}:
        return DocumentKey(name)
    return DocumentKey(upload.key)


def look_up(store: Store, uploads: Path, key: DocumentKey, *, known_elsewhere: bool = False) -> Forgotten:
    """What would go if a document were forgotten.

    Args:
        known_elsewhere: Somebody else knows the key, so that it is none by mistake.

    Raises:
        UsageError: Nothing knows such a document.
    """
    folder = store.document(key)
    note = read_json(_note(store, key))
    upload = next((each.path for each in UploadRegister(store.root).of_document(key)), "")
    record = read_json(folder.source) or note or ({"origin": str(uploads / upload)} if upload else None)
    if record is None and not folder.root.exists() and not known_elsewhere:
        raise UsageError("there is no such document", document=key)
    source = Path(record["origin"]) if record and record["origin"] else None
    if source is not None and source.is_relative_to(uploads):
        upload = str(source.relative_to(uploads))
    files = [path for path in folder.root.rglob("*") if path.is_file()]
    corrected = sum(1 for _ in (folder.root / "corrections").glob("*.json"))
    states = DocumentStates(store.root)
    own = states.of(key)
    alike = states.with_bytes(own.sha256) if own is not None and own.sha256 else []
    same = tuple(state.key for state in alike if state.key != key)
    return Forgotten(key, source, upload, len(files), sum(path.stat().st_size for path in files), corrected, same)


def begin(store: Store, document: Forgotten, runs: Iterable[str]) -> list[str]:
    """Note what is to go, before anything does.

    Args:
        runs: Ids of runs that stay without the document; their files must be written anew at the end.

    Returns:
        Those, and the ones that an interrupted call had noted.

    Raises:
        StorageError: The note cannot be written.
    """
    before = (read_json(_note(store, document.key)) or {}).get("runs", [])
    together = sorted({*before, *runs})
    note = {"key": document.key, "origin": str(document.source or ""), "runs": together}
    write_json(_note(store, document.key), note)
    return together


def forget_source(document: Forgotten, uploads: Path) -> None:
    """Remove the scan from the upload folder, and the note of a refusal beside it. Of a folder, its page images.

    Raises:
        StorageError: It cannot be removed, as where the folder is mounted read-only.
    """
    source = document.source
    if source is None or not document.upload:
        return
    try:
        if source.is_dir():
            for path in source.iterdir():
                if is_image(path.name) and path.is_file():
                    path.unlink()
            if not any(source.iterdir()) and source != uploads:
                source.rmdir()
        else:
            source.unlink(missing_ok=True)
        # Also where somebody removed the scan a moment ago: once its row is forgotten nobody takes the note away.
        remove_note(uploads, document.upload)
    except OSError as error:
        raise StorageError(
            f"{printable(error.filename or source)} cannot be removed: {error.strerror}",
            document=document.key,
            remedy="Remove it where it is uploaded, then run this again.",
        ) from error


def forget_stored(store: Store, key: DocumentKey) -> None:
    """Remove everything that is stored of a document, corrections too, and its rows in the tables of the store.

    Raises:
        DocumentBusy: A run is writing it and does not end.
        StorageError: Something cannot be removed.
    """
    folder = store.document(key)
    if folder.root.exists():
        with folder.lock(_WAIT):
            _remove(folder)
    _remove_report(store)
    _remove_moves(store, key)
    _let_copies_in(store, key)
    DocumentStates(store.root).forget(key)
    UploadRegister(store.root).forget(key)
    FixityBook(store).forget(key)
    Examinations(store.root).forget([key])
    BegunDocuments(store.root).end(key)


def end(store: Store, key: DocumentKey) -> None:
    """Take the note away: nothing is left to do."""
    if UploadRegister(store.root).of_document(key):  # the sensor, which was just looking, wrote that the scan is gone
        UploadRegister(store.root).forget(key)
    _note(store, key).unlink(missing_ok=True)


def unfinished(store: Store) -> list[DocumentKey]:
    """Documents whose forgetting was begun and not ended."""
    return sorted(DocumentKey(note.stem) for note in (store.root / _NOTES).glob("[!.]*.json"))


def _note(store: Store, key: DocumentKey) -> Path:
    return store.root / _NOTES / f"{key}.json"


def _remove(folder: DocumentFolder) -> None:
    try:
        shutil.rmtree(folder.root)
    except OSError as error:
        raise storage_error(error, folder.root) from error


def _remove_moves(store: Store, key: DocumentKey) -> None:
    """Notes of where the upload was moved to."""
    for note in (store.root / "moved").glob("[!.]*.json"):
        if (read_json(note) or {}).get("key") == key:
            note.unlink(missing_ok=True)


def _let_copies_in(store: Store, key: DocumentKey) -> None:
    """Whoever was refused for having the same bytes is tried again; the reason named this document."""
    own = DocumentStates(store.root).of(key)
    if own is not None:
        let_copies_in(store.root, own.sha256)


def _remove_report(store: Store) -> None:
    """The report names documents and is made again from those that are there."""
    report = store.root / "report"
    try:
        shutil.rmtree(report)
    except FileNotFoundError:
        return
    except OSError as error:
        raise storage_error(error, report) from error
