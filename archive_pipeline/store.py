"""Where a document's artifacts live, and how they are written so that a kill at any line loses nothing.

One folder a document::

    <store>/documents/<key>/
        source.json            where the source is
        choices.json           which models, language and direction it was last read with, and who chose them
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

Every file is written as :mod:`archive_pipeline.durable` says.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from archive_pipeline.durable import clear_temporary, read_json, storage_error, write_json
from archive_pipeline.errors import DocumentBusy, NotReadable
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

    @property
    def is_there(self) -> bool:
        """Whether a document was ever registered here: a store is made by the first one."""
        return (self.root / "documents").is_dir()

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
