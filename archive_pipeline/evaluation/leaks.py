"""Whether a model was trained with pages that it is to be judged by: the one rule, for evaluations and promotions.

A page is the one of a training if it has the image of it, or its text where that is long enough to be known by
(:func:`.text_digest`). Of a frozen page everything counts that it was ever known by, and its name: it may have been
scanned anew or corrected since it was trained with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.trained import TrainedRecord, UsedPage, record_of
from archive_pipeline.training_sets.frozen import FrozenPage, FrozenStore, Mark, marks_of
from archive_pipeline.training_sets.lines import TrainingPage

_SHOWN = 3


@dataclass(frozen=True)
class Leak:
    """A page to judge by that a model was trained with.

    Attributes:
        page: Its id.
        used: Id of the page in the training.
        by: What the two have in common: ``image``, ``text`` or ``name``.
    """

    page: str
    used: str
    by: str


@dataclass(frozen=True)
class Leaks:
    """All leaks of a model.

    Attributes:
        model: Its id.
        trained: When it was, as its record has it.
    """

    model: str
    trained: str
    found: tuple[Leak, ...]

    def __str__(self) -> str:
        shown = ", ".join(
            f"{printable(each.page)} (there as {printable(each.used)}, by {each.by})" for each in self.found[:_SHOWN]
        )
        more = f" and {len(self.found) - _SHOWN} more" if len(self.found) > _SHOWN else ""
        return (
            f"model {self.model} was trained with pages that it would be judged by: {shown}{more}, "
            f"in its training of {self.trained}"
        )


def leaks_of(models: Path, model: InstalledModel, pages: Sequence[TrainingPage], frozen: FrozenStore) -> Leaks | None:
    """Which of some pages a model was trained with.

    Args:
        models: Folder of the model library.
        model: It is known by its digest, whatever its id is.
        frozen: The frozen pages of all hands, with what they were known by before.

    Returns:
        None if a model with these bytes was not trained here, so that nobody knows.

    Raises:
        ModelError: The record of its training cannot be read.
        StorageError: What is frozen cannot be read.
    """
    record = record_of(models, model)
    if record is None:
        return None
    entries = [entry for each in frozen.others("") for entry in each.pages]
    used = _by_mark(record)
    found = []
    for page in {page.id: page for page in pages}.values():
        common = sorted(_known_by(page, entries) & used.keys())
        if common:
            found.append(Leak(page.id, used[common[0]].id, common[0][0]))
    return Leaks(model.id, record.created, tuple(found))


def require_unseen(models: Path, model: InstalledModel, pages: Sequence[TrainingPage], frozen: FrozenStore) -> None:
    """Refuse to judge a model by pages that it was trained with; models that were not trained here say nothing of that.

    Raises:
        ModelError: It was trained with one of them, or its record cannot be read.
        StorageError: What is frozen cannot be read.
    """
    leaks = leaks_of(models, model, pages, frozen)
    if leaks is not None and leaks.found:
        raise ModelError(str(leaks), remedy="Judge it by others, or train it again without these.")


def _by_mark(record: TrainedRecord) -> dict[Mark, UsedPage]:
    made: dict[Mark, UsedPage] = {}
    for page in record.training:
        for mark in (("image", page.image_sha256), ("text", page.text_digest), ("name", page.id)):
            if mark[1]:
                made.setdefault(mark, page)
    return made


def _known_by(page: TrainingPage, entries: Sequence[FrozenPage]) -> set[Mark]:
    """All that a page is known by, and was while it is frozen; a name alone tells only of frozen pages."""
    marks = marks_of(page) - {("group", page.group)}
    for entry in entries:
        before = entry.marks() - {("group", entry.group)}
        if entry.id == page.id or before & marks:
            marks = marks | before | {("name", entry.id)}
    return marks
