"""How a hand is learnt, in three steps that can each be done alone: train, evaluate, promote.

What the assets of a hand are made by; it knows no Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

Told = Callable[[str], None]
"""Told of progress, in sentences."""
Figures = Mapping[str, str | int | float | bool]
"""What people see of a result, by name."""


@dataclass(frozen=True)
class Candidate:
    """A trained model in the model library; it reads documents only when it is promoted, or named.

    Attributes:
        model: Its id.
        digest: Of its files.
        card: Its model card, in Markdown.
    """

    model: str
    digest: str
    figures: Figures = field(default_factory=dict)
    card: str = ""


@dataclass(frozen=True)
class Evaluated:
    """How a candidate reads the frozen pages of its hand.

    Attributes:
        digest: Of pages, model and figures.
    """

    digest: str
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Decided:
    """Whether a candidate took the place of the model in use.

    Attributes:
        model: That the hand is read with now.
        promoted: Whether that is the candidate.
        reason: In a sentence.
    """

    model: str
    promoted: bool
    reason: str
    figures: Figures = field(default_factory=dict)


class Learner(Protocol):
    """Learns hands. Hands are given by their keys (:func:`archive_pipeline.hand_names.hand_key`).

    Every method raises ArchiveError with what to do.
    """

    def train(self, hand: str, told: Told) -> Candidate:
        """Train a candidate; one that was killed goes on where it was. The same again gives the same candidate."""
        ...

    def newest(self, hand: str) -> Candidate | None:
        """The candidate that was trained last, if there is one."""
        ...

    def evaluate(self, hand: str, candidate: Candidate, told: Told) -> Evaluated:
        """Have a candidate, and the model in use, read the frozen pages."""
        ...

    def promote(self, hand: str, candidate: Candidate, told: Told) -> Decided:
        """Let a candidate take the place of the model in use if it is proved better; else say why not."""
        ...
