"""A hand's promoted model among what is said: right behind the place that names the hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.hand_names import folded_name, is_unknown
from archive_pipeline.models.hands import hand_record, hand_records, promoted_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.said import Said

_WORD = re.compile(r"\d+|[^\W\d_]+")
_COUNTED = re.compile(r"\d+|\w|x{0,3}(ix|iv|v?i{0,3})")
"""A number or a letter by which hands of nobody's name are told apart: clerk 2, Scribe B, hand iv."""
_NEAR = 0.8
"""Of two names, as difflib counts it: a letter or two more, less or exchanged. It is a question, not a verdict."""


@dataclass(frozen=True)
class Found:
    """Whose hand an unknown one was found to be like.

    Attributes:
        hand: Empty for none.
        why: In a clause.
    """

    hand: str
    why: str


def promoted_for(hand: str) -> str:
    """How a hand's promoted model is called as a place that says something."""
    return f"promoted for the hand {hand}"


def asks_for_a_hand(said: Sequence[Said]) -> bool:
    """Whether the promoted models should be tried: the hand is unknown, and nobody nearer names a model."""
    for each in said:
        if each.wishes.model is not None:
            return False
        if each.wishes.hand is not None:
            return is_unknown(each.wishes.hand)
    return False


def with_promoted(said: Sequence[Said], library: ModelLibrary, found: Found | None = None) -> tuple[Said, ...]:
    """What is said, and what was promoted for the hand that the nearest place names.

    Args:
        found: If that hand is unknown, whose it was found to be like.

    Raises:
        ModelError: What is noted of the hand is damaged.
    """
    for index, each in enumerate(said):
        hand = each.wishes.hand
        if hand is None:
            continue
        unknown = is_unknown(hand)
        if unknown:
            hand = found.hand if found else ""
        promoted = promoted_model(library.root, hand)
        if promoted is None:
            break
        wishes = Wishes(model=promoted.model, segmentation_model=promoted.segmentation_model)
        where = f"{promoted_for(hand)}, which was found" if unknown else promoted_for(hand)
        return (*said[: index + 1], Said(where, wishes, promoted=promoted), *said[index + 1 :])
    return tuple(said)


def misspelt(hand: str | None, library: ModelLibrary) -> str | None:
    """A sentence, where no model was ever promoted for a hand and one reads a hand that is called nearly so."""
    if library.root is None or not folded_name(hand) or is_unknown(hand):
        return None
    try:
        if hand_record(library.root, hand or "") is not None:
            return None
        names = {folded_name(record.name): record.name for record in hand_records(library.root) if record.promoted}
    except ModelError:  # a hint is not worth the document; who wants that hand is told of it
        return None
    others = [name for name in names if not _is_next(folded_name(hand), name)]
    near = get_close_matches(folded_name(hand), others, n=1, cutoff=_NEAR)
    if not near:
        return None
    other = printable(names[near[0]])
    return f"No model is promoted for the hand '{printable(hand or '')}', but one is for '{other}': is that meant?"


def _is_next(one: str, other: str) -> bool:
    """Whether two names differ in nothing but numbers or initials: such hands are two, however near their names."""
    words, others = _WORD.findall(one), _WORD.findall(other)
    differ = [pair for pair in zip(words, others, strict=False) if pair[0] != pair[1]]
    return (
        len(words) == len(others) and differ != [] and all(_COUNTED.fullmatch(word) for each in differ for word in each)
    )
