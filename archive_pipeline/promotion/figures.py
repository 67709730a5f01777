"""Two models on the same pages: the errors of each page, and the figures that are made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.statistics import Difference, Rate, error_rate, paired_difference


@dataclass(frozen=True)
class PageErrors:
    """What one model made of one page.

    Attributes:
        id: The same for both models.
        image_sha256: Of the page image; empty if unknown.
        errors: Edits of characters.
        characters: Of the ground truth.
    """

    id: str
    image_sha256: str
    errors: int
    characters: int


@dataclass(frozen=True)
class Compared:
    """Both models on the same pages."""

    current: Sequence[PageErrors]
    candidate: Sequence[PageErrors]


class FrozenModel(BaseModel):
    """What is kept of a decision."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(FrozenModel):
    """A figure with its 95 % interval, in percent or in points; None where one page has none."""

    value: float
    low: float | None
    high: float | None


class PageFigures(FrozenModel):
    """One page: edits of both models, and characters of its ground truth."""

    id: str
    image_sha256: str
    current: int
    candidate: int
    characters: int


class Figures(FrozenModel):
    """Both models on a set of pages.

    Attributes:
        current, candidate: CER.
        gain: CER of the model in use minus that of the candidate: positive where the candidate is better.
        p: Of the paired permutation test, two-sided.
    """

    pages: tuple[PageFigures, ...]
    characters: int
    current: Interval
    candidate: Interval
    gain: Interval
    p: float


class LinesFound(FrozenModel):
    """Lines that a model found on a set of pages.

    Attributes:
        lines, found: True and found lines.
        matched: Of both, those that overlap by half (:mod:`archive_pipeline.evaluation.segmentation`).
    """

    lines: int
    found: int
    matched: int

    @property
    def recall(self) -> float:
        """Share of the true lines that were found, in percent."""
        return 100 * self.matched / self.lines if self.lines else 100.0

    @property
    def precision(self) -> float:
        """Share of the found lines that are true, in percent."""
        return 100 * self.matched / self.found if self.found else 100.0


class LineFigures(FrozenModel):
    """Lines that both models found."""

    current: LinesFound
    candidate: LinesFound


Measured = tuple[Figures, Difference]


def measured(where: str, compared: Compared) -> Measured | None:
    """The figures of a set; None if it has no ground truth.

    Args:
        where: Name of the set, for people.

    Raises:
        UsageError: The figures of the two models are not of the same pages.
    """
    current, candidate = compared.current, compared.candidate
    same = [[(page.id, page.image_sha256, page.characters) for page in pages] for pages in (current, candidate)]
    if same[0] != same[1]:
        raise UsageError(
            f"the figures of the two models on {where} are not of the same pages", remedy="Evaluate both anew."
        )
    totals = [page.characters for page in current]
    if not sum(totals):
        return None
    errors = [page.errors for page in current], [page.errors for page in candidate]
    difference = paired_difference(*errors, totals)
    figures = Figures(
        pages=tuple(
            PageFigures(
                id=one.id,
                image_sha256=one.image_sha256,
                current=one.errors,
                candidate=other.errors,
                characters=one.characters,
            )
            for one, other in zip(current, candidate, strict=True)
        ),
        characters=sum(totals),
        current=_of_rate(error_rate(errors[0], totals)),
        candidate=_of_rate(error_rate(errors[1], totals)),
        gain=_interval(difference.points, difference.low, difference.high),
        p=difference.p,
    )
    return figures, difference


def told(figures: Figures) -> str:
    """The figures in a clause."""
    gain = figures.gain
    between = "" if gain.low is None or gain.high is None else f", 95 % [{gain.low:.2f}, {gain.high:.2f}]"
    return (
        f"CER {figures.current.value:.2f} % → {figures.candidate.value:.2f} %, "
        f"gain {gain.value:.2f} points{between}, p = {figures.p:.4f}"
    )


def _of_rate(rate: Rate) -> Interval:
    return _interval(rate.percent, rate.low, rate.high)


def _interval(value: float, low: float, high: float) -> Interval:
    none = math.isnan(low)
    return Interval(value=value, low=None if none else low, high=None if none else high)
