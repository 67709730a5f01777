"""Whether a candidate takes the place of the model in use: by proof on pages that it was never trained with.

Promoted only if all of this holds:

* no page that it is judged by was trained with (a leak, :mod:`archive_pipeline.evaluation.leaks`);
* on the hand's frozen pages it makes fewer errors, and chance is no good explanation
  (:attr:`~archive_pipeline.evaluation.statistics.Difference.is_real`: p below 0.05, an interval without 0, six pages);
* on each guarded set it is shown not to be worse by more than a margin: the upper end of the 95 % interval of what it
  loses is at most that. The upper end and not the figure itself: "not worse" needs proof as much as "better" does, and
  a set of two pages proves nothing of either.

A pure function: it reads no file and no clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.statistics import (
    LEAST_PAGES,
    Difference,
    Rate,
    error_rate,
    paired_difference,
    smallest_p,
)
from archive_pipeline.models.entry import Digest, ModelId

MARGIN = 0.3
"""Percentage points of CER that a candidate may lose on a guarded set."""


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


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelName(_Frozen):
    """A model, and what it was then."""

    id: ModelId
    digest: Digest | Literal[""] = ""


class Interval(_Frozen):
    """A figure with its 95 % interval, in percent or in points; None where one page has none."""

    value: float
    low: float | None
    high: float | None


class PageFigures(_Frozen):
    """One page: edits of both models, and characters of its ground truth."""

    id: str
    image_sha256: str
    current: int
    candidate: int
    characters: int


class Figures(_Frozen):
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


class Decision(_Frozen):
    """What was decided, and by what.

    Attributes:
        verdict: ``kept`` is the model in use.
        reasons: In plain sentences.
        frozen: On the hand's frozen pages; None where none has ground truth, or the candidate could not be judged.
        guarded: On each guarded set, by name.
        margin: In points of CER.
    """

    schema_version: Literal[1] = 1
    hand: str
    current: ModelName
    candidate: ModelName
    verdict: Literal["promoted", "kept"]
    reasons: tuple[str, ...]
    frozen: Figures | None
    guarded: dict[str, Figures | None]
    margin: float

    @property
    def promoted(self) -> bool:
        return self.verdict == "promoted"


def weigh(
    hand: str,
    current: ModelName,
    candidate: ModelName,
    frozen: Compared,
    guarded: Mapping[str, Compared],
    margin: float = MARGIN,
) -> Decision:
    """Decide whether a candidate is promoted.

    Args:
        current: The model that reads the hand now; the general one, if none is promoted.
        frozen: On the hand's frozen pages.
        guarded: On the sets that must not get worse, by name.
        margin: How many points of CER it may lose on a guarded set, from 0 on.

    Raises:
        UsageError: The figures of the two models are not of the same pages, or the margin is below 0.
    """
    if not margin >= 0:
        raise UsageError(f"the margin cannot be {margin}", remedy="Give points of CER, from 0 on.")
    on_frozen = _figures("the frozen pages", frozen)
    on_guarded = {name: _figures(f"guarded set {name}", each) for name, each in guarded.items()}
    better, why = _gain(on_frozen)
    losses = [found for name, each in on_guarded.items() if (found := _loss(name, each, margin))]
    promoted = better and not losses
    if promoted:
        held = [f"On guarded set {name}: {_told(each[0])}." for name, each in on_guarded.items() if each is not None]
        losses = held
    return Decision(
        hand=hand,
        current=current,
        candidate=candidate,
        verdict="promoted" if promoted else "kept",
        reasons=(why, *losses),
        frozen=on_frozen[0] if on_frozen else None,
        guarded={name: each[0] if each else None for name, each in on_guarded.items()},
        margin=margin,
    )


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


_Weighed = tuple[Figures, Difference]


def _figures(where: str, compared: Compared) -> _Weighed | None:
    """The figures of a set; None if it has no ground truth."""
    current, candidate = compared.current, compared.candidate
    told = [[(page.id, page.image_sha256, page.characters) for page in pages] for pages in (current, candidate)]
    if told[0] != told[1]:
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


def _gain(weighed: _Weighed | None) -> tuple[bool, str]:
    """Whether the candidate is better on the frozen pages, and a sentence that says it."""
    if weighed is None:
        return False, "The hand has no frozen page with ground truth, so that nothing can be shown."
    figures, difference = weighed
    pages = difference.pages
    if pages < LEAST_PAGES:
        return False, (
            f"With {pages} frozen pages nothing can be shown, however large the difference: chance alone gives the "
            f"like with a probability of {smallest_p(pages):.0%}. Transcribe pages until {LEAST_PAGES} are frozen."
        )
    if difference.points == 0:
        return False, f"A tie: both make as many errors on {pages} frozen pages, and a tie is not promoted."
    if difference.points < 0:
        return False, f"The candidate makes more errors on the frozen pages: {_told(figures)}."
    if not difference.is_real:
        return False, f"It is not shown that the candidate is better on the frozen pages: {_told(figures)}."
    return True, f"The candidate is better on {pages} frozen pages: {_told(figures)}."


def _loss(name: str, weighed: _Weighed | None, margin: float) -> str:
    """Why a guarded set stands against the candidate; empty if it does not."""
    if weighed is None:
        return f"Guarded set {name} has no ground truth, so that nothing can be shown of it."
    figures, difference = weighed
    if all(page.current == page.candidate for page in figures.pages):
        return ""  # of a single page, too, which has no interval
    if difference.pages < LEAST_PAGES:
        return (
            f"Guarded set {name} has {_pages(difference.pages)}, on which the two models differ: that the candidate is "
            f"not worse there cannot be shown with fewer than {LEAST_PAGES}."
        )
    if -difference.low <= margin:
        return ""
    if -difference.points > margin:
        return f"On guarded set {name} the candidate is worse by more than {margin:g} points: {_told(figures)}."
    return (
        f"On guarded set {name} it is not shown that the candidate is worse by no more than {margin:g} points: "
        f"{_told(figures)}."
    )


def _pages(count: int) -> str:
    return f"{count} page{'s' if count != 1 else ''}"


def _told(figures: Figures) -> str:
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
