"""What training and evaluation take: lines with their text and image, and the page that they must not be parted from.

From two places: sets that were imported, and documents whose pages people have corrected. Both for one hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.errors import ArchiveError
from archive_pipeline.hand_names import is_unknown
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.corrected_lines import Applied, corrections_on
from archive_pipeline.processing.correction_layer import PageCorrections, stored_corrections
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.processing.stored_pages import stored_image, stored_page
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.training_sets.hand import same_hand
from archive_pipeline.training_sets.stored import TruthSet, TruthStore

WHOLE = 0.9
"""Share of a document's read lines that people must have gone through, for a page to count."""


@dataclass(frozen=True)
class TrainingPage:
    """A page to train with or to be judged by.

    Attributes:
        id: Stable name: ``<set>/<file>``, or ``<document key>/<page>``.
        group: What must stay together when sets are split: pages, never lines.
        image: Path of the upright page image, JPEG or PNG. Of a stranger: open it in a sealed child.
        image_sha256: Of that file.
        page: Its lines; ``text`` is the truth.
        skip: Indexes of lines, in reading order from 0, that are unfit.
        licence: Under which it may be used; None if nobody said.
        origin: ``set`` or ``corrections``.
        script, language: As ``hand.yaml`` has them; None if nobody said.
    """

    id: str
    group: str
    image: Path
    image_sha256: str
    page: Page
    skip: frozenset[int]
    licence: str | None
    origin: str
    script: str | None = None
    language: str | None = None

    def lines(self) -> Iterator[TrainingLine]:
        """The lines with text that are fit, in reading order."""
        for index, line in enumerate(self.page.lines()):
            if line.text.strip() and index not in self.skip and (line.boundary or len(line.baseline) > 1):
                yield TrainingLine(page=self, index=index, line=line)


@dataclass(frozen=True)
class TrainingLine:
    """A line to train with.

    Attributes:
        page: It is on; ``page.image`` is cut by ``line.boundary`` and ``line.baseline``, in pixels of that image.
        index: In reading order from 0; with ``page.id`` it is the line's stable name.
        line: Its place and direction, and its text as it is stored.
    """

    page: TrainingPage
    index: int
    line: Line

    @property
    def text(self) -> str:
        """What stands in the line: NFC, in logical order, single blanks, none at the ends."""
        return " ".join(self.line.text.split())

    @property
    def id(self) -> str:
        return f"{self.page.id}#{self.index}"


def pages_of_set(store: TruthStore, truth: TruthSet) -> Iterator[TrainingPage]:
    """The pages of a set, in its order, read one at a time.

    Raises:
        StorageError: A page is gone or damaged.
    """
    for entry in truth.pages:
        stored = store.page(truth.name, entry)
        yield TrainingPage(
            id=f"{truth.name}/{entry.file}",
            group=f"{truth.name}/{entry.group}",
            image=store.image_path(truth.name, entry.image),
            image_sha256=stored.image_sha256,
            page=stored.page,
            skip=frozenset(entry.skip),
            licence=truth.hand.licence,
            origin="set",
            script=truth.hand.script,
            language=truth.hand.language,
        )


def corrected_pages(folder: DocumentFolder) -> Iterator[TrainingPage]:
    """The pages of a document that people went through as a whole.

    Lines without a correction are left out of what is trained with: nobody vouches for them. Lines that people drew, or
    that the machine does not find any more, are there where people had them. Pages whose corrections were written on
    another picture are not there.

    Raises:
        DocumentFailed: Corrections cannot be read.
    """
    numbers = sorted(int(path.stem) for path in folder.correction(1).parent.glob("*.json") if path.stem.isdigit())
    for number in numbers:
        image = stored_image(folder, number)
        stored = stored_page(folder.transcription(number)) or stored_page(folder.layout(number))
        if image is None or stored is None:
            continue
        layer = stored_corrections(folder, number)
        applied = corrections_on(stored.page, image, layer)
        if applied.other_picture or not _is_whole(stored.page, layer, applied.texts):
            continue
        yield TrainingPage(
            id=f"{folder.key}/{number}",
            group=f"{folder.key}/{number}",
            image=folder.images / image.file,
            image_sha256=image.sha256,
            page=_with_truth(stored.page, applied),
            skip=frozenset(),
            licence=None,
            origin="corrections",
        )


def pages_of_hand(truths: TruthStore, store: Store, hand: str) -> Iterator[TrainingPage]:
    """All that people wrote in one hand: sets of that writer, then documents whose settings name the hand.

    Nothing is in the hand that nobody knows (``auto``).

    Raises:
        ArchiveError: Something of it cannot be read.
    """
    if is_unknown(hand):
        return
    for name in truths.names():
        truth = truths.load(name)
        if truth is not None and same_hand(truth.writer, hand):
            yield from pages_of_set(truths, truth)
    for key in store.keys():  # noqa: SIM118 - no dictionary
        folder = store.document(key)
        if not folder.correction(1).parent.is_dir():
            continue
        record = stored_choices(folder)
        if record is not None and same_hand(record.choices.hand, hand):
            try:
                yield from corrected_pages(folder)
            except ArchiveError as error:
                raise error.at(document=key) from None


def _is_whole(page: Page, layer: PageCorrections, texts: dict[str, str]) -> bool:
    """Whether people went through all of a page: they said so, or corrected nearly every line."""
    if layer.reviewed:
        return True
    read = [line.id for line in page.lines() if line.text or line.id in texts]
    return bool(read) and sum(name in texts for name in read) >= WHOLE * len(read)


def _with_truth(page: Page, applied: Applied) -> Page:
    def of(line: Line) -> Line:
        text = applied.texts.get(line.id, "")
        return line.model_copy(update={"text": text, "correction": None, "confidence": None, "words": ()})

    regions = [region.model_copy(update={"lines": tuple(map(of, region.lines))}) for region in page.regions]
    drawn = tuple(line.model_copy(update={"text": line.best_text, "correction": None}) for line in applied.drawn)
    if drawn:
        right, bottom = page.width - 1, page.height - 1
        corners = ((0, 0), (right, 0), (right, bottom), (0, bottom))
        regions.append(Region(id="drawn-by-people", boundary=corners, lines=drawn))
    return page.model_copy(update={"regions": tuple(regions)})
