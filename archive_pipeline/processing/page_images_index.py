"""Finding a page of the archive by its image: by the name under which it was sent, else by its digest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_pipeline.errors import ArchiveError
from archive_pipeline.ground_truth.sent_names import SentName
from archive_pipeline.ground_truth.told_image import ToldImage
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.stored_pages import stored_image
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import Store


class PageImages:
    """Looks for page images in the document store.

    Args:
        store: The documents. A digest without a name has all records of page images read, once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_digest: dict[str, tuple[DocumentKey, int]] | None = None

    def at(self, key: DocumentKey, page: int) -> PageImage | None:
        """The record of a page image; None if there is no such page."""
        folder = self._store.document(key)
        try:
            return stored_image(folder, page) if folder.root.is_dir() else None
        except ArchiveError:
            return None  # damaged: for `store verify` to name

    def with_digest(self, sha256: str, named: SentName | None = None) -> tuple[DocumentKey, int] | None:
        """The page that has this image, the named one if it does."""
        if not sha256:
            return None
        if named is not None and (image := self.at(named.key, named.page)) is not None and image.sha256 == sha256:
            return named.key, named.page
        if self._by_digest is None:
            self._by_digest = {}
            for key, number, image in self._all():
                self._by_digest.setdefault(image.sha256, (key, number))
        return self._by_digest.get(sha256)

    def file(self, told: ToldImage) -> tuple[Path, str] | None:
        """The image of which a transcription says a digest; for people, what it is of."""
        place = self.with_digest(told.digest)
        if place is None:
            return None
        key, number = place
        image = self.at(key, number)
        if image is None:
            return None
        return self._store.document(key).images / image.file, f"{key}, page {number}"

    def _all(self) -> Iterator[tuple[DocumentKey, int, PageImage]]:
        for key in self._store.keys():  # noqa: SIM118 - no dictionary
            for record in sorted(self._store.document(key).images.glob("*.json")):
                if record.stem.isdigit() and (image := self.at(key, int(record.stem))) is not None:
                    yield key, int(record.stem), image
