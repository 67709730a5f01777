"""The pages that models of a hand are judged by: chosen once, written down, and known again in whatever form they come.

::

    <training>/splits/<hand key>.json          the frozen pages of a hand
    <training>/splits/given/<hand key>.json    what its pages are known by that were ever given out for training
    <training>/splits/.lock                    held by the one process that writes any of them

A frozen page is known by its image, by its text (:func:`.text_digest`) and by its group. What it was ever known by
stays in the record, so that a page that was scanned anew, then corrected, then imported under another name is known
still.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from archive_pipeline.durable import digest_of, make_folder, read_json, storage_error, write_json
from archive_pipeline.errors import BadGroundTruth, DocumentBusy, StorageError, printable
from archive_pipeline.training_sets.doctor.examination import text_digest
from archive_pipeline.training_sets.lines import TrainingPage

_log = logging.getLogger(__name__)
SCHEMA_VERSION = 1
Mark = tuple[str, str]
"""Something by which a page is known: what it is (``group``, ``image``, ``text``), and its value."""
_MARKS = TypeAdapter(list[Mark])


class FrozenPage(BaseModel):
    """A page that is never trained with.

    Attributes:
        id, group: As :class:`.TrainingPage` had them when it was frozen.
        images: SHA-256 of all page images that it was seen with.
        texts: All :func:`.text_digest` that it was seen with.
        truth: :func:`truth_digest` when it was frozen: another one now says that its truth was corrected.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    group: str
    images: tuple[str, ...]
    texts: tuple[str, ...]
    truth: str

    @classmethod
    def of(cls, page: TrainingPage) -> FrozenPage:
        """Freeze a page."""
        text = text_digest(page.page)
        return cls(
            id=page.id,
            group=page.group,
            images=(page.image_sha256,),
            texts=(text,) if text else (),
            truth=truth_digest(page),
        )

    def seen_as(self, page: TrainingPage) -> FrozenPage:
        """The same page, known by what it looks like now as well."""
        text = text_digest(page.page)
        images = self.images if page.image_sha256 in self.images else (*self.images, page.image_sha256)
        texts = self.texts if not text or text in self.texts else (*self.texts, text)
        return self.model_copy(update={"images": images, "texts": texts})

    def marks(self) -> set[Mark]:
        """All that it is known by."""
        images, texts = (("image", each) for each in self.images), (("text", each) for each in self.texts)
        return {("group", self.group), *images, *texts}


class FrozenPages(BaseModel):
    """The frozen pages of a hand.

    Attributes:
        hand: As it was called when they were frozen.
        test_sets: Sets that a person named: all their pages are frozen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = SCHEMA_VERSION
    hand: str
    test_sets: tuple[str, ...] = ()
    pages: tuple[FrozenPage, ...] = ()

    def marks(self) -> set[Mark]:
        """All that its pages are known by."""
        return {mark for page in self.pages for mark in page.marks()}


class FrozenStore:
    """The frozen pages of all hands.

    Args:
        root: ``splits`` in the folder for training.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Of a hand, by its key."""
        return self.root / f"{key}.json"

    def _given(self, key: str) -> Path:
        return self.root / "given" / f"{key}.json"

    def load(self, key: str) -> FrozenPages | None:
        """Those of a hand; None if none were frozen yet.

        Raises:
            StorageError: They cannot be read. Nothing is frozen in their place, for that would be other pages.
        """
        path = self.path(key)
        remedy = "Take it back from a backup: nobody else knows which pages models were judged by."
        try:
            data = read_json(path)
            return None if data is None else FrozenPages.model_validate(data)
        except (StorageError, ValidationError):
            raise StorageError(f"{printable(path)} is of another version or damaged", remedy=remedy) from None

    def others(self, key: str) -> Iterator[FrozenPages]:
        """Those of all hands but one."""
        for path in sorted(self.root.glob("[!.]*.json")):
            if path.stem != key and (found := self.load(path.stem)) is not None:
                yield found

    def given(self, key: str) -> frozenset[Mark] | None:
        """What the pages of a hand are known by that were given out for training; None if that was never written.

        Raises:
            StorageError: It cannot be read.
        """
        path = self._given(key)
        try:
            data = read_json(path)
            return None if data is None else frozenset(_MARKS.validate_python(data))
        except (StorageError, ValidationError):
            remedy = "Delete it and split that hand again: all pages that are there now count as given out then."
            raise StorageError(f"{printable(path)} is of another version or damaged", remedy=remedy) from None

    def given_for_others(self, key: str) -> frozenset[Mark] | None:
        """As :meth:`given`, of all hands but one; None if of one of them it was never written.

        Raises:
            StorageError: It cannot be read.
        """
        paths = (*self.root.glob("[!.]*.json"), *self._given(key).parent.glob("[!.]*.json"))
        found: set[Mark] = set()
        for each in sorted({path.stem for path in paths} - {key}):
            given = self.given(each)
            if given is None:
                _log.warning(
                    "what was given out for training of the hand %s was never written: no page joins the frozen ones "
                    "until that hand is split again (ground-truth split)",
                    each,
                )
                return None
            found |= given
        return frozenset(found)

    def write_given(self, key: str, marks: Set[Mark]) -> None:
        """Write that of a hand; the caller has its lock.

        Raises:
            StorageError, NoSpaceLeft: It cannot be written.
        """
        make_folder(self._given(key).parent)
        write_json(self._given(key), sorted(marks))

    def write(self, key: str, frozen: FrozenPages) -> None:
        """Write those of a hand; the caller has its lock.

        Raises:
            StorageError, NoSpaceLeft: They cannot be written.
        """
        write_json(self.path(key), frozen.model_dump(mode="json"))

    @contextmanager
    def lock(self, key: str, timeout: float = 60) -> Iterator[None]:
        """Be the one who freezes pages, of this hand now: what is frozen for one is trained with for no other.

        Raises:
            DocumentBusy: Another process is, and takes long.
        """
        make_folder(self.root)
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            raise DocumentBusy("another process is freezing pages", document=key) from None
        except OSError as error:
            raise storage_error(error, self.root) from error
        try:
            yield
        finally:
            lock.release()


def marks_of(page: TrainingPage) -> set[Mark]:
    """All that a page is known by."""
    text = text_digest(page.page)
    return {("group", page.group), ("image", page.image_sha256)} | ({("text", text)} if text else set())


def truth_digest(page: TrainingPage) -> str:
    """Digest of all that a page is judged by: its image, and place and text of its lines."""
    lines = [
        (each.index, each.text, each.line.boundary, each.line.baseline, each.line.direction) for each in page.lines()
    ]
    return digest_of("truth", page.image_sha256, lines)


def require_not_frozen(store: FrozenStore, pages: Sequence[TrainingPage]) -> None:
    """Refuse to train with a page that models of any hand are judged by: the last look before a training.

    Raises:
        BadGroundTruth: There is one.
        StorageError: What is frozen cannot be read.
    """
    frozen = {mark: each.hand for each in store.others("") for mark in each.marks()}
    for page in pages:
        hands = {frozen[mark] for mark in marks_of(page) if mark in frozen}
        if hands:
            raise BadGroundTruth(
                f"models of the hand {printable(min(hands))} are judged by this page, so none is trained with it",
                document=page.id,
                remedy="Train with the pages that the split of the hand gives out.",
            )
