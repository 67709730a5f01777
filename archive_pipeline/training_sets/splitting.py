"""How pages of a hand are split: a function of the pages, of what is frozen, and of nothing else.

What is one page is decided by what pages have in common: the group, the image or the text. Copies of a page go where
the page goes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from scipy.cluster.hierarchy import DisjointSet

from archive_pipeline.durable import digest_of
from archive_pipeline.errors import printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.training_sets.frozen import FrozenPage, FrozenPages, Mark, marks_of, truth_digest
from archive_pipeline.training_sets.lines import TrainingPage

LEAST_FROZEN = 6
"""With fewer, no difference between two models can be shown; as LEAST_PAGES in evaluation."""
MOST_FROZEN = 30
"""More of them make the figures hardly surer, and the training poorer; but for those that a person sets apart."""
FROZEN_SHARE = 1 / 4
ENOUGH = LEAST_FROZEN + 2
"""Pages of a hand from which on some are frozen: then there is one to train with and one to see by when to stop."""
VALIDATION_SHARE = 1 / 10
MOST_VALIDATION = 10

Unit = list[TrainingPage]
"""Pages that must not be parted; in all counts it is one page."""


@dataclass(frozen=True)
class Split:
    """The pages of a hand, each in one place; all in the order of their ids.

    Attributes:
        frozen: To judge models by.
        train: To train with.
        validate: To see by when a training has to stop; empty where there is only one page to train with.
        left_out: Pages that are in none, with the reason.
        missing: Ids of frozen pages that are not there any more.
        corrected: Ids of frozen pages whose truth is another than when they were frozen.
        shortage: What is to be done where models of this hand cannot be judged; else empty.
    """

    hand: str
    key: str
    frozen: tuple[TrainingPage, ...] = ()
    train: tuple[TrainingPage, ...] = ()
    validate: tuple[TrainingPage, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()
    shortage: str = ""

    @property
    def digest(self) -> str:
        """Of which page is where, with image and truth."""
        parts = (self.frozen, self.train, self.validate)
        return digest_of("split", *([(page.id, truth_digest(page)) for page in part] for part in parts))


def split_pages(
    hand: str,
    pages: Sequence[TrainingPage],
    record: FrozenPages,
    others: Sequence[FrozenPages] = (),
    tests: frozenset[str] = frozenset(),
    given: frozenset[Mark] | None = None,
) -> tuple[Split, FrozenPages]:
    """Split pages; the same in whatever order they come.

    Args:
        pages: With ids of their own.
        record: What is frozen already.
        others: What is frozen for other hands: of that, nothing is given out for training.
        tests: Ids of pages that a person set apart for tests.
        given: What pages are known by that were given out for training; None for all that are not frozen.

    Returns:
        The split, and what is frozen now.
    """
    return _Splitting(hand, pages, others, tests).split(record, given)


class _Splitting:
    """One split. ``left_out`` grows as it goes on; ``here`` has the frozen pages by their ids of now."""

    def __init__(
        self, hand: str, pages: Sequence[TrainingPage], others: Sequence[FrozenPages], tests: frozenset[str]
    ) -> None:
        self.hand, self.key = hand, hand_key(hand)
        self.pages = sorted(pages, key=lambda page: page.id)
        self.marks = {page.id: marks_of(page) for page in self.pages}
        # Pages without a fit line bind others together, too: that the page is the same shows in the image.
        self.left_out = {page.id: "no line of it is fit" for page in pages if next(page.lines(), None) is None}
        self.units = self._units(self.pages)
        self.elsewhere = {mark: each.hand for each in others for mark in each.marks()}
        self.tests = tests
        self.here: dict[str, FrozenPage] = {}

    def split(self, record: FrozenPages, given: frozenset[Mark] | None) -> tuple[Split, FrozenPages]:
        entries = [*self._known_again(record.pages), *self._for_tests()]
        if not record.test_sets:
            entries += self._grow(entries, given) if entries else self._choose(given or frozenset())
        record = record.model_copy(update={"pages": tuple(entries)})
        rest = self._rest(record.marks())
        rest.sort(key=lambda unit: self._draw("validation", unit))
        stops = min(MOST_VALIDATION, math.ceil(len(rest) * VALIDATION_SHARE)) if len(rest) > 1 else 0
        frozen = [page for page in self.pages if page.id in self.here and page.id not in self.left_out]
        split = Split(
            hand=self.hand,
            key=self.key,
            frozen=tuple(frozen),
            train=_in_order(rest[stops:]),
            validate=_in_order(rest[:stops]),
            left_out=dict(sorted(self.left_out.items())),
            missing=tuple(sorted({each.id for each in entries} - {each.id for each in self.here.values()})),
            corrected=tuple(page.id for page in frozen if truth_digest(page) != self.here[page.id].truth),
            shortage=_shortage(len(self._units(frozen)), len(rest)),
        )
        return split, record

    def _units(self, pages: Sequence[TrainingPage]) -> list[Unit]:
        """Pages of one group, with one image or one text, and so on through several."""
        sets = DisjointSet(range(len(pages)))
        first: dict[Mark, int] = {}
        for index, page in enumerate(pages):
            for mark in self.marks[page.id]:
                sets.merge(first.setdefault(mark, index), index)
        return [[pages[index] for index in sorted(subset)] for subset in sets.subsets()]

    def _known_again(self, entries: Sequence[FrozenPage]) -> list[FrozenPage]:
        """What is frozen, each with what it is known by now."""
        known_by: dict[Mark, list[TrainingPage]] = {}
        for each in self.pages:
            for mark in (*self.marks[each.id], ("id", each.id)):
                known_by.setdefault(mark, []).append(each)
        found = []
        for entry in entries:
            marks = (*(entry.marks() - {("group", entry.group)}), ("id", entry.id))
            alike = {page.id: page for mark in marks for page in known_by.get(mark, ()) if page.id not in self.here}
            page = max((alike[name] for name in sorted(alike)), key=partial(self._alike, entry), default=None)
            if page is not None:
                self.here[page.id] = entry.seen_as(page)
                found.append(self.here[page.id])
            else:
                found.append(entry)
        return found

    def _alike(self, entry: FrozenPage, page: TrainingPage) -> tuple[bool, bool, bool]:
        """Whether it has the image, the text, the name; the first counts most."""
        marks = self.marks[page.id]
        return (
            any(("image", each) in marks for each in entry.images),
            any(("text", each) in marks for each in entry.texts),
            page.id == entry.id,
        )

    def _for_tests(self) -> list[FrozenPage]:
        """Freeze what a person set apart."""
        units = [unit for unit in self.units if not any(page.id in self.here for page in unit)]
        return self._freeze([page for unit in units for page in self._once(unit) if page.id in self.tests])

    def _choose(self, given: frozenset[Mark]) -> list[FrozenPage]:
        """Freeze pages of a hand that has none.

        Those come first that can be trained with in no case, since models of another hand are judged by them, and last
        those that some model may have seen.
        """
        usable = [unit for unit in self.units if self._once(unit)]
        if len(usable) < ENOUGH:
            return []
        count = min(MOST_FROZEN, max(LEAST_FROZEN, round(len(usable) * FROZEN_SHARE)))
        seen = {id(unit): any(given & self.marks[page.id] for page in unit) for unit in usable}
        usable.sort(key=lambda unit: (not self._hand_elsewhere(unit), seen[id(unit)], self._draw("frozen", unit)))
        return self._freeze([page for unit in usable[:count] for page in self._once(unit)])

    def _grow(self, entries: Sequence[FrozenPage], given: frozenset[Mark] | None) -> list[FrozenPage]:
        """Freeze about a quarter of what came since, each page by its own lot, in however many parts they come.

        Without that, six pages would judge every model of a hand that grows, and show less with each. What was given
        out stays so: some model may have seen it.
        """
        room = MOST_FROZEN - len(self._units([page for page in self.pages if page.id in self.here]))
        if given is None or room <= 0:
            return []
        known = given.union(*(each.marks() for each in entries))
        new = [unit for unit in self.units if not any(known & self.marks[page.id] for page in unit)]
        drawn = sorted((self._draw("later", unit), unit[0].id, unit) for unit in new)
        chosen = [unit for lot, _, unit in drawn if int(lot[:8], 16) < FROZEN_SHARE * 16**8 and self._once(unit)]
        return self._freeze([page for unit in chosen[:room] for page in self._once(unit)])

    def _freeze(self, pages: Sequence[TrainingPage]) -> list[FrozenPage]:
        made = {page.id: FrozenPage.of(page) for page in sorted(pages, key=lambda page: page.id)}
        self.here |= made
        return list(made.values())

    def _once(self, unit: Unit) -> Unit:
        """Without those that have image or text of one before them: a page must not count twice."""
        found, seen = [], set[Mark]()
        # Those for tests first: a copy elsewhere must not take their place.
        for page in sorted(unit, key=lambda page: (page.id not in self.tests, page.id)):
            marks = self.marks[page.id] - {("group", page.group)}
            if page.id not in self.left_out and not marks & seen:
                found.append(page)
                seen |= marks
        return found

    def _rest(self, frozen: set[Mark]) -> list[Unit]:
        """What can be trained with; of the others, why not."""
        rest = []
        for unit in self.units:
            free = [page for page in unit if page.id not in self.here and page.id not in self.left_out]
            if any(frozen & self.marks[page.id] for page in unit):
                reason = "it is a copy of a page that models are judged by, or of one page with it"
            elif hand := self._hand_elsewhere(unit):
                reason = f"models of the hand {printable(hand)} are judged by it or by a copy of it"
            else:
                rest += [free] if free else []
                continue
            self.left_out |= dict.fromkeys((page.id for page in free), reason)
        return rest

    def _hand_elsewhere(self, unit: Unit) -> str:
        """Another hand for which a page of it is frozen, or nothing."""
        marks = {mark for page in unit for mark in self.marks[page.id] if mark in self.elsewhere}
        return self.elsewhere[min(marks)] if marks else ""

    def _draw(self, use: str, unit: Unit) -> str:
        """A lot that depends on the page alone, not on what else there is or under which name it came in."""
        image = min(page.image_sha256 for page in unit)
        return hashlib.sha256(f"{use} 1 {self.key} {image}".encode()).hexdigest()


def _in_order(units: Sequence[Unit]) -> tuple[TrainingPage, ...]:
    return tuple(sorted((page for unit in units for page in unit), key=lambda page: page.id))


def _shortage(frozen: int, rest: int) -> str:
    if frozen >= LEAST_FROZEN:
        return ""
    counted = "1 page is" if rest == 1 else f"{rest} pages are"
    what = (
        f"with {frozen} frozen pages no result can be shown, {LEAST_FROZEN} are needed"
        if frozen
        else f"{counted} too few to judge a model by: from {ENOUGH} on, {LEAST_FROZEN} are kept for that"
    )
    return f"{what}. Correct or import more, or name a set that is for tests: ground-truth split HAND --test NAME."
