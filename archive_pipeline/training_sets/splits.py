"""Which pages of a hand a model is trained with, and which it is judged by.

Pages are split, never lines: lines of one page have their ink, paper and camera in common, and a model that saw half of
a page reads the other half better than it will ever read.

*Frozen* pages are about a quarter, chosen by a hash of the page and not by its place in a list, then written down
(:mod:`.frozen`). They stay frozen for ever, and of what comes later about a quarter joins them before any model can
have seen it. *Validation* pages, by which a training sees when to stop, are chosen anew each time from the others, by
another hash.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive_pipeline.errors import UsageError, printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.store import Store
from archive_pipeline.training_sets.frozen import FrozenPages, FrozenStore, Mark, marks_of
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_hand, pages_of_set
from archive_pipeline.training_sets.splitting import Split, split_pages
from archive_pipeline.training_sets.stored import TruthStore


def split_of_hand(
    frozen: FrozenStore, truths: TruthStore, documents: Store, hand: str, test_set: str | None = None
) -> Split:
    """Split all that people wrote in a hand, and freeze pages if none were yet, or others came since.

    Args:
        test_set: Name of a set that is for tests from now on: all its pages are frozen, and no others are chosen.

    Raises:
        UsageError: There is no such set, or no ground truth of the hand.
        DocumentBusy: Another process is freezing pages of this hand.
        ArchiveError: Something of it cannot be read or written.
    """
    key = hand_key(hand)
    pages = list(pages_of_hand(truths, documents, hand))

    def look() -> tuple[Split, Callable[[], None] | None]:
        """The split, and what writes down what is new in it, if anything is."""
        before, given, others = frozen.load(key), frozen.given(key), list(frozen.others(key))
        # A base of many hands may have seen pages under another name than this one.
        elsewhere = frozen.given_for_others(key)
        unknown = elsewhere is None or (given is None and before is not None)
        seen = None if unknown else (given or frozenset()) | (elsewhere or frozenset())
        split, now = _split(truths, pages, hand, before, others, test_set, seen)
        known = given or frozenset()
        known |= {mark for page in (*split.train, *split.validate) for mark in marks_of(page)}
        froze = bool(now.pages) and now != before
        if not froze and known == (given or frozenset()):
            return split, None

        def write() -> None:
            # First: what is given out and not written could be frozen when a model has seen it.
            frozen.write_given(key, known)
            if froze:
                frozen.write(key, now)

        return split, write

    split, write = look()
    if write is not None:
        with frozen.lock(key):
            # Somebody else may have frozen others meanwhile.
            split, write = look()
            if write is not None:
                write()
    return split


def _split(
    truths: TruthStore,
    pages: Sequence[TrainingPage],
    hand: str,
    before: FrozenPages | None,
    others: Sequence[FrozenPages],
    test_set: str | None,
    given: frozenset[Mark] | None,
) -> tuple[Split, FrozenPages]:
    record = before or FrozenPages(hand=hand)
    names = tuple(dict.fromkeys((*record.test_sets, *([test_set] if test_set else []))))
    tests: list[TrainingPage] = []
    for name in names:
        truth = truths.load(name)
        if truth is not None:
            tests += pages_of_set(truths, truth)
        elif name == test_set:
            raise UsageError(f"there is no ground truth {name}", remedy="`ground-truth list` prints what there is.")
    known = {page.id for page in pages}
    both = [*pages, *(page for page in tests if page.id not in known)]
    if not both:
        raise UsageError(
            f"there is no ground truth of the hand {printable(hand)}",
            remedy="Import some, with the hand as writer in its hand.yaml, or correct pages of documents of this hand.",
        )
    record = record.model_copy(update={"test_sets": names})
    return split_pages(hand, both, record, others, frozenset(page.id for page in tests), given)
