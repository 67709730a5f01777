"""Where a document's artifacts live, and how they are written so that a kill at any line loses nothing.

One folder a document::

    <store>/documents/<key>/
        source.json            where the source is
        choices.json           which models, language and direction it was last read with, and who chose them
        inspection.json        its files with sizes, times and SHA-256, and its pages
        hand.json              which hands' models were tried on it, where its hand is `auto`
        lock                   held by the one process that writes here
        images/0001.jpg        page images, each with 0001.json beside it (written last)
        layouts/0001.json      Page with lines, without text
        transcriptions/0001.json   Page as the machine read it
        earlier/0001.json          Page as another model had read it before; goes after ARCHIVE_KEEP_DAYS
        corrections/0001.json      what people wrote; no run writes here. before/ has what gave way to a later one
        correction-images/0001.json   on which image corrections by hand were written, once that is replaced
        sent/, returned/           pages that went out to be corrected, and as they came back
        failures/0001.json     why a page failed; gone when it is done
        ledger.json            status of every page
        run.json               seconds: all that differs between two equal runs
        exports/               what people take away
        exports.json           what they were made from

Beside ``documents/``: ``uploads.sqlite`` and ``documents.sqlite``, how uploads and documents stand; ``begun.sqlite``,
which documents a night has begun; and ``moved/``, which document was moved to a path of the upload folder.

Every file is written as :mod:`archive_pipeline.durable` says.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

from archive_pipeline.durable import clear_temporary, read_json, storage_error, write_json
from archive_pipeline.errors import DocumentBusy, NotReadable, UnsafeName
from archive_pipeline.keys import DocumentKey


class DocumentFolder:
    """The folder of one document. Paths only; nothing is made before something is written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.key = DocumentKey(root.name)

    @property
    def source(self) -> Path:
        return self.root / "source.json"

    @property
    def choices(self) -> Path:
        return self.root / "choices.json"

    @property
    def hand_trial(self) -> Path:
        return self.root / "hand.json"

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

    def earlier(self, number: int) -> Path:
        return self.root / "earlier" / f"{number:04d}.json"

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

    @property
    def is_there(self) -> bool:
        """Whether a document was ever registered here: a store is made by the first one."""
        return (self.root / "documents").is_dir()

    def keys(self) -> list[DocumentKey]:
        folder = self.root / "documents"
        return sorted(DocumentKey(child.name) for child in folder.iterdir()) if folder.is_dir() else []

    def registered(self, names: Iterable[str]) -> Iterator[DocumentFolder]:
        """The folders of those of these keys that a document has; what is no key is passed over."""
        for name in names:
            try:
                folder = self.document(DocumentKey(name))
            except UnsafeName:
                continue
            if folder.source.exists():
                yield folder

    def register(self, path: Path, uploads: Path) -> DocumentKey:
        """Give the document at ``path`` its key and note where it is.

        Below the upload folder the key comes from the relative path, elsewhere from the file's own name, as long as no
        other document has that key; else a mark is added, made of the path. Either way the same path always has the
        same key: ``run /elsewhere/a.pdf /other/a.pdf`` makes ``a.pdf`` and ``a.pdf-<mark>``. A document keeps its key
        when its file is moved (:meth:`move`), so that another file in its old place gets a key of its own.

        Raises:
            NotReadable: There is nothing at ``path``.
        """
        absolute = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept as the user named them
        if not absolute.exists():
            raise NotReadable("there is no such file or folder", document=str(path))
        uploaded = absolute.is_relative_to(uploads)
        name = absolute.relative_to(uploads) if uploaded else Path(absolute.name)
        with self.registering():
            moved = read_json(self._moved_to(name)) if uploaded else None
            if moved and (read_json(self.document(moved["key"]).source) or {}).get("origin") == str(absolute):
                return DocumentKey(moved["key"])
            for key in _candidates(name, name if uploaded else absolute):
                origin = (read_json(self.document(key).source) or {}).get("origin")
                if origin == str(absolute):
                    return key
                if origin is None or (uploaded and _lay_here(Path(origin), name)):
                    write_json(self.document(key).source, {"origin": str(absolute), "key": key})
                    return key
        raise AssertionError("candidates do not end")

    def move(self, key: DocumentKey, path: Path, uploads: Path) -> None:
        """Note that an upload lies elsewhere now; its key stays, and with it all that was made of it."""
        with self.registering():
            # First: a kill in between leaves a note that nothing agrees with yet.
            write_json(self._moved_to(path.relative_to(uploads)), {"key": key})
            write_json(self.document(key).source, {"origin": str(path), "key": key})

    def _moved_to(self, name: Path) -> Path:
        """Says which document was moved to a path below the upload folder."""
        return self.root / "moved" / f"{DocumentKey.from_path(name)}.json"

    @contextmanager
    def registering(self) -> Iterator[None]:
        """Be the only one who makes documents: two of one name must not both take the plain key."""
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


def _lay_here(origin: Path, name: Path) -> bool:
    """Whether an upload that is gone had this path below the upload folder, which is mounted elsewhere now.

    Not one that was moved, and is gone from its new place: another file in the old one is another document, and must
    not get what people corrected in the first.
    """
    return origin.parts[-len(name.parts) :] == name.parts and not origin.exists()


def _candidates(name: Path, origin: Path) -> Iterator[DocumentKey]:
    """Keys that a document may have, the plainest first."""
    yield DocumentKey.from_path(name)
    yield DocumentKey.from_path(name, origin=origin)
    for number in count(2):
        yield DocumentKey.from_path(name, origin=f"{origin}\0{number}")
