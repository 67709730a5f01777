"""A hand's promoted model among what is said: right behind the place that names the hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive_pipeline.hand_names import is_unknown
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.said import Said


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
