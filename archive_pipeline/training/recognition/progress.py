"""What is told of a training; apart from what trains, which takes seconds to load."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Told after each evaluation.

    Attributes:
        loss: Mean since the last one, for each character.
        cer: On the pages for validation, in percent; None where there are none.
    """

    step: int
    steps: int
    epoch: int
    loss: float
    cer: float | None
    seconds: float
