"""What was decided on a candidate, and by what; kept as it is (:mod:`.proofs`)."""

from __future__ import annotations

from typing import Literal

from archive_pipeline.models.entry import Digest, ModelId, Task
from archive_pipeline.promotion.figures import Figures, FrozenModel, LineFigures

MARGIN = 0.3
"""Percentage points of CER that a candidate may lose on a guarded set."""


class ModelName(FrozenModel):
    """A model, and what it was then."""

    id: ModelId
    digest: Digest | Literal[""] = ""


class Decision(FrozenModel):
    """What was decided, and by what.

    Attributes:
        task: Of the candidate: it reads lines, or finds them.
        read_with: The model that read the lines which both found, if that is the task.
        verdict: ``kept`` is the model in use.
        reasons: In plain sentences.
        frozen: On the hand's frozen pages; None where none has ground truth, or the candidate could not be judged.
        guarded: On each guarded set, by name.
        lines: How well both found the lines of the frozen pages, if that is the task.
        margin: In points of CER.
    """

    schema_version: Literal[1] = 1
    hand: str
    task: Task = "recognition"
    current: ModelName
    candidate: ModelName
    read_with: ModelName | None = None
    verdict: Literal["promoted", "kept"]
    reasons: tuple[str, ...]
    frozen: Figures | None
    guarded: dict[str, Figures | None]
    lines: LineFigures | None = None
    margin: float

    @property
    def promoted(self) -> bool:
        return self.verdict == "promoted"


def not_judged(hand: str, current: ModelName, candidate: ModelName, reason: str, margin: float = MARGIN) -> Decision:
    """The decision on a candidate that must not be judged by these pages, whatever its figures were.

    Args:
        reason: In a sentence.
    """
    return Decision(
        hand=hand,
        current=current,
        candidate=candidate,
        verdict="kept",
        reasons=(reason,),
        frozen=None,
        guarded={},
        margin=margin,
    )
