"""What was tried on a document in an unknown hand, as it is kept in its folder, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, read_json
from archive_pipeline.models.hands import Promoted, hand_records
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.hand_choice import Found
from archive_pipeline.store import DocumentFolder

MARGIN = 0.05
"""By how much surer of its lines than the general model a hand's model must be."""


class Tried(BaseModel):
    """How a model did.

    Attributes:
        hand: Empty for the general model.
        lines: How many it read.
        confidence: Mean over the lines, 0 to 1; None where it read none.
        failed: It could not be tried on any page, so that nobody knows how it would do. No such trial is kept.
    """

    model_config = ConfigDict(frozen=True)

    hand: str
    model: str
    lines: int
    confidence: float | None
    failed: bool = False


class HandTrial(BaseModel):
    """``hand.json``: what was tried on a document, and what was found.

    Attributes:
        key: Digest of what it was made from; another one, and it is tried again.
        hand: Whose model reads the document; empty for the general one.
        margin: How much surer that model is than the next best one; None if there is none, or nothing was read.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    key: str
    hand: str
    margin: float | None
    tried: tuple[Tried, ...]

    @property
    def found(self) -> Found:
        """What was found, with a sentence that says why."""
        general = next(each for each in self.tried if not each.hand)
        if general.failed:
            return Found("", "the general model could not be tried, so there is nothing to compare a hand's model with")
        best = next((each for each in self.tried if each.hand == self.hand), general)
        hands = [each for each in self.tried if each.hand and each.confidence is not None]
        if not hands:
            return Found("", "no hand's model could be tried")
        sure, than = (f"{each.confidence or 0:.1%}" for each in (best, general))
        if self.hand:
            return Found(
                self.hand,
                f"{best.lines} lines tried with {len(hands)} hands: {self.hand} fits best, {sure} sure against {than} "
                "of the general model",
            )
        lines = f"{general.lines} lines tried with {len(hands)} hands"
        return Found("", f"{lines}: none is surer than the general model by {MARGIN:.0%}")


def judge(key: str, general: Tried, hands: Sequence[Tried]) -> HandTrial:
    """Whose model is the surest of its lines, by a margin; the general one if that could not be tried."""
    if general.failed:
        return HandTrial(key=key, hand="", margin=None, tried=(general, *hands))
    read = sorted((each for each in hands if each.confidence is not None), key=lambda each: -(each.confidence or 0))
    best = read[0] if read and (read[0].confidence or 0) - (general.confidence or 0) >= MARGIN else general
    others = [each.confidence for each in (general, *hands) if each is not best and each.confidence is not None]
    margin = round(best.confidence - max(others), 4) if others and best.confidence is not None else None
    return HandTrial(key=key, hand=best.hand, margin=margin, tried=(general, *hands))


def promoted_now(library: ModelLibrary) -> tuple[tuple[str, Promoted], ...]:
    """All hands that have a promoted model.

    Raises:
        ModelError: What is noted of one is damaged.
    """
    if library.root is None:
        return ()
    return tuple((each.name, each.promoted) for each in hand_records(library.root) if each.promoted is not None)


def promoted_digest(promoted: Sequence[tuple[str, Promoted]]) -> str:
    """Changes when another model is promoted for any hand."""
    return digest_of("hands", [(hand, each.model_dump(mode="json")) for hand, each in promoted])


def stored_trial(folder: DocumentFolder) -> HandTrial | None:
    """What was tried on a document last; None if that was never, or is of another version."""
    data = read_json(folder.hand_trial)
    try:
        return HandTrial.model_validate(data) if data else None
    except ValidationError:
        return None
