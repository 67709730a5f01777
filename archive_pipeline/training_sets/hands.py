"""The hands of which there is ground truth, by their keys, and how much there is of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from archive_pipeline.durable import digest_of
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.hand_names import folded_name, hand_key, is_unknown
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.store import Store
from archive_pipeline.training_sets.lines import pages_of_hand
from archive_pipeline.training_sets.stored import TruthStore


@dataclass(frozen=True)
class HandTruth:
    """All that people wrote in one hand.

    Attributes:
        hand: Its name, as it was met first.
        pages, lines, characters: That can be trained with or judged by.
        from_corrections: Pages of the archive among them.
        sets: Names of the sets that it is in.
        licences: Of these, and None where nobody said.
        digest: Of all of it: the same exactly if images and texts are.
    """

    hand: str
    pages: int
    lines: int
    characters: int
    from_corrections: int
    sets: tuple[str, ...]
    licences: tuple[str | None, ...]
    digest: str


def known_hands(truths: TruthStore, store: Store) -> dict[str, str]:
    """Key of a hand -> its name, of every hand in which there is ground truth or a page that people corrected.

    What is in a hand that nobody knows (``auto``) is in many hands, and in none that could be trained.

    Raises:
        ArchiveError: Something of it cannot be read.
    """
    found: dict[str, str] = {}
    for name in truths.names():
        truth = truths.load(name)
        if truth is not None and not is_unknown(truth.writer):
            found.setdefault(hand_key(truth.writer), truth.writer)
    for key in store.keys():  # noqa: SIM118 - no dictionary
        folder = store.document(key)
        if not folder.correction(1).parent.is_dir():
            continue
        record = stored_choices(folder)
        if record is not None and record.choices.hand and not is_unknown(record.choices.hand):
            found.setdefault(hand_key(record.choices.hand), record.choices.hand)
    return found


def no_truth_of(hand: str, known: Iterable[str]) -> UsageError:
    """The error where nobody wrote in a hand; it names hands that are called nearly so.

    Args:
        hand: As somebody wrote its name, or its key.
        known: Names of all hands.
    """
    names = {folded_name(name): name for name in known}
    near = [f"'{printable(names[each])}'" for each in get_close_matches(folded_name(hand), names)]
    remedy = "Name the hand in hand.yaml, or in archive.yaml of documents whose pages were corrected."
    if near:
        remedy = f"Did you mean {' or '.join(near)}? Else name the hand in hand.yaml, or in archive.yaml of documents."
    return UsageError(f"there is no ground truth of a hand '{printable(hand)}'", remedy=remedy)


def known_hand(truths: TruthStore, store: Store, hand: str) -> str:
    """The key of a hand of which there is ground truth.

    Raises:
        UsageError: There is nothing of it.
        ArchiveError: Something of it cannot be read.
    """
    known = known_hands(truths, store)
    if (key := hand_key(hand)) not in known:
        raise no_truth_of(hand, known.values())
    return key


def truth_of_hand(truths: TruthStore, store: Store, key: str) -> HandTruth:
    """What there is of a hand.

    Args:
        key: Of the hand.

    Raises:
        UsageError: There is nothing of it.
        ArchiveError: Something of it cannot be read.
    """
    known = known_hands(truths, store)
    hand = known.get(key)
    if hand is None:
        raise no_truth_of(key, known.values())
    pages = lines = characters = corrected = 0
    sets: dict[str, None] = {}
    licences: dict[str | None, None] = {}
    parts = []
    for page in pages_of_hand(truths, store, hand):
        fit = list(page.lines())
        pages, lines, characters = pages + 1, lines + len(fit), characters + sum(len(each.text) for each in fit)
        if page.origin == "corrections":
            corrected += 1
        else:
            sets[page.id.partition("/")[0]] = None
            licences[page.licence] = None
        places = [(each.text, each.line.boundary, each.line.baseline) for each in fit]
        parts.append((page.id, page.image_sha256, page.licence, places))
    return HandTruth(
        hand=hand,
        pages=pages,
        lines=lines,
        characters=characters,
        from_corrections=corrected,
        sets=tuple(sets),
        licences=tuple(licences),
        digest=digest_of("ground truth of a hand", parts),
    )
