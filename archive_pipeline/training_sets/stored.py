"""Ground truth that was taken in: one folder a set, known by its contents.

::

    <TRAINING_DIR>/sets/<name>/
        set.json                 what the set is: hand, pages by digest, what was left out; written last
        pages/<sha256>.json      a page of it, with its provenance; named by its own bytes
        images/<sha256>.jpg      its page image; named by its own bytes
        lock                     held by the one process that writes here

What has the name of its bytes is never changed, so that a kill at any line leaves the old set or the new one; what no
``set.json`` names is removed by the next one who writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import clear_temporary, digest_of, read_json, storage_error, to_json, write_bytes
from archive_pipeline.errors import DocumentBusy, StorageError, printable
from archive_pipeline.page import Page
from archive_pipeline.training_sets.doctor.findings import Finding
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.set_names import checked_set_name, is_set_name

SCHEMA_VERSION = 1


class TruthPage(BaseModel):
    """A page of ground truth.

    Attributes:
        file: Name of its transcription in the folder or ZIP that it came from.
        sha256: Of that file.
        image: File in ``images/``.
        image_sha256: Of the upright page image.
        image_name: Where the image was found.
        found_by: ``named``, ``name`` or ``store``.
        group: The page, for what is split by page.
        page: Its lines; all text is what people wrote, in ``text``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    file: str
    sha256: str
    image: str
    image_sha256: str
    image_name: str
    found_by: str
    group: str
    page: Page


class PageEntry(BaseModel):
    """A page in the list of a set.

    Attributes:
        id: SHA-256 of its file in ``pages/``.
        lines, characters: With text.
        skip: Indexes of lines, in reading order from 0, that the doctor found unfit to train with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    file: str
    image: str
    group: str
    lines: int
    characters: int
    skip: tuple[int, ...] = ()


class TruthSet(BaseModel):
    """A set of ground truth.

    Attributes:
        digest: Of all that it holds: two sets of one digest are one.
        origin: Name of the folder or ZIP that it came from.
        dropped: Whether it was dropped into the folder for ground truth: then what is dropped there later under its
            name may take its place.
        left_out: Transcriptions that are not in it, with the reason.
        findings: What the doctor said when it came in.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    name: str
    hand: Hand
    digest: str
    origin: str
    dropped: bool = False
    pages: tuple[PageEntry, ...]
    left_out: dict[str, str] = {}
    findings: tuple[Finding, ...] = ()

    @property
    def writer(self) -> str:
        """Whose hand it is: as ``hand.yaml`` says, else by the set's own name."""
        return self.hand.writer or self.name

    @property
    def lines(self) -> int:
        return sum(page.lines for page in self.pages)

    @property
    def characters(self) -> int:
        return sum(page.characters for page in self.pages)


def set_digest(hand: Hand, pages: tuple[PageEntry, ...]) -> str:
    """What a set is known by."""
    return digest_of("ground truth", hand.model_dump(mode="json"), [(page.id, page.skip) for page in pages])


def truths_in(training: Path) -> TruthStore:
    """The sets of an installation.

    Args:
        training: ``TRAINING_DIR``.
    """
    return TruthStore(training / "sets")


class TruthStore:
    """All sets below one folder.

    Args:
        root: ``sets`` in the folder of trainings; see :func:`truths_in`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> Path:
        """Of a set.

        Raises:
            UsageError: It is no name of a set.
        """
        return self.root / checked_set_name(name)

    def names(self) -> list[str]:
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if is_set_name(path.name) and path.is_dir())

    def load(self, name: str) -> TruthSet | None:
        """A set; None if there is none of that name.

        Raises:
            StorageError: It is there but cannot be read.
        """
        path = self.folder(name) / "set.json"
        data = read_json(path)
        if data is None:
            return None
        try:
            return TruthSet.model_validate(data)
        except ValidationError:
            raise StorageError(
                f"{printable(path)} is of another version or damaged", remedy="Import the ground truth again."
            ) from None

    def page(self, name: str, entry: PageEntry) -> TruthPage:
        """A page of a set.

        Raises:
            StorageError: It is gone or damaged.
        """
        path = self.page_path(name, entry.id)
        data = read_json(path)
        try:
            return TruthPage.model_validate(data)
        except ValidationError:
            raise StorageError(
                f"{printable(path)} is missing or damaged", remedy="Import the ground truth again."
            ) from None

    def page_path(self, name: str, page_id: str) -> Path:
        return self.folder(name) / "pages" / f"{page_id}.json"

    def image_path(self, name: str, image: str) -> Path:
        return self.folder(name) / "images" / image

    def write(self, found: TruthSet) -> None:
        """Make a set the one of its name; its pages and images are there already. Then clear up what is not its own."""
        write_bytes(self.folder(found.name) / "set.json", to_json(found.model_dump(mode="json")))
        self.clear(found)

    def clear(self, found: TruthSet) -> None:
        """Remove pages and images that the set does not have: of the one before, or of an import that was killed."""
        folder = self.folder(found.name)
        pages = {f"{entry.id}.json" for entry in found.pages}
        images = {entry.image for entry in found.pages}
        for place, kept in (("pages", pages), ("images", images)):
            for path in (folder / place).glob("*"):
                if path.name not in kept:
                    path.unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str, timeout: float = 0) -> Iterator[Path]:
        """Be the one writer of a set.

        Raises:
            DocumentBusy: Another process is.
        """
        folder = self.folder(name)
        lock = FileLock(folder / "lock")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=timeout)
        except Timeout:
            raise DocumentBusy("another import is writing this ground truth", document=name) from None
        except OSError as error:
            raise storage_error(error, folder) from error
        try:
            clear_temporary(folder)
            yield folder
        finally:
            lock.release()
