"""Whether a candidate takes the place of the model in use: by proof on pages that it was never trained with.

Promoted only if all of this holds:

* no page that it is judged by was trained with (a leak, :mod:`archive_pipeline.evaluation.leaks`);
* on the hand's frozen pages it makes fewer errors, and chance is no good explanation
  (:attr:`~archive_pipeline.evaluation.statistics.Difference.is_real`: p below 0.05, an interval without 0, six pages;
  stricter from the second proof on these pages on, :mod:`.counting`);
* on each guarded set it is shown not to be worse by more than a margin: the upper end of the 95 % interval of what it
  loses is at most that. The upper end and not the figure itself: "not worse" needs proof as much as "better" does, and
  a set of two pages proves nothing of either.

A model that finds lines is judged by what is read in the end: the model that reads the hand reads the lines that each
of the two finds (:mod:`archive_pipeline.evaluation.found_lines`), and the second of these rules decides.

Pure functions: they read no file and no clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.statistics import LEAST_PAGES, least_pages, smallest_p
from archive_pipeline.promotion.counting import level_of
from archive_pipeline.promotion.decision import MARGIN, Decision, ModelName
from archive_pipeline.promotion.figures import Compared, LineFigures, Measured, measured, told


def weigh(
    hand: str,
    current: ModelName,
    candidate: ModelName,
    frozen: Compared,
    guarded: Mapping[str, Compared],
    margin: float = MARGIN,
    *,
    proof: int = 1,
) -> Decision:
    """Decide whether a candidate is promoted.

    Args:
        current: The model that reads the hand now; the general one, if none is promoted.
        frozen: On the hand's frozen pages.
        guarded: On the sets that must not get worse, by name.
        margin: How many points of CER it may lose on a guarded set, from 0 on.
        proof: The how manieth on these frozen pages it is, from 1 on.

    Raises:
        UsageError: The figures of the two models are not of the same pages, or the margin is below 0.
    """
    if not margin >= 0:
        raise UsageError(f"the margin cannot be {margin}", remedy="Give points of CER, from 0 on.")
    level = level_of(proof)
    on_frozen = measured("the frozen pages", frozen, level)
    on_guarded = {name: measured(f"guarded set {name}", each) for name, each in guarded.items()}
    better, why = _gain(on_frozen, level)
    losses = [found for name, each in on_guarded.items() if (found := _loss(name, each, margin))]
    promoted = better and not losses
    if promoted:
        held = [f"On guarded set {name}: {told(each[0])}." for name, each in on_guarded.items() if each is not None]
        losses = held
    divided = f"0.05 / {proof} = {level:.3g}" if proof > 1 else "0.05"
    counted = [f"It is proof {proof} on these frozen pages, so that p had to be below {divided}."] if on_frozen else []
    return Decision(
        hand=hand,
        current=current,
        candidate=candidate,
        proof=proof,
        level=level,
        verdict="promoted" if promoted else "kept",
        reasons=(why, *losses, *counted),
        frozen=on_frozen[0] if on_frozen else None,
        guarded={name: each[0] if each else None for name, each in on_guarded.items()},
        margin=margin,
    )


def weigh_lines(
    hand: str,
    current: ModelName,
    candidate: ModelName,
    read_with: ModelName,
    frozen: Compared,
    lines: LineFigures,
    *,
    proof: int = 1,
) -> Decision:
    """Decide whether a model that finds lines is promoted. No guarded set counts: it finds lines for this hand alone.

    Args:
        read_with: The model that read the lines of both.
        frozen: What was read in the end, on the hand's frozen pages.
        lines: How well both found the lines. It is told and decides nothing: what lines are worth, what is read shows.

    Raises:
        UsageError: The figures of the two models are not of the same pages.
    """
    decision = weigh(hand, current, candidate, frozen, {}, proof=proof)
    before, after = lines.current, lines.candidate
    told_too = (
        f"Both were read with {read_with.id}. Of {before.lines} lines {before.recall:.1f} % → {after.recall:.1f} % "
        f"were found, and {before.precision:.1f} % → {after.precision:.1f} % of those found are lines."
    )
    return decision.model_copy(
        update={
            "task": "segmentation",
            "read_with": read_with,
            "lines": lines,
            "reasons": (*decision.reasons, told_too),
        }
    )


def _gain(weighed: Measured | None, level: float) -> tuple[bool, str]:
    """Whether the candidate is better on the frozen pages, and a sentence that says it."""
    if weighed is None:
        return False, "The hand has no frozen page with ground truth, so that nothing can be shown."
    figures, difference = weighed
    pages = difference.pages
    if difference.points == 0:
        return False, f"A tie: both make as many errors on {pages} frozen pages, and a tie is not promoted."
    if difference.points < 0:
        return False, f"The candidate makes more errors on the frozen pages: {told(figures)}."
    if pages < least_pages(level):
        return False, (
            f"With {pages} frozen pages nothing can be shown, however large the difference: chance alone gives the "
            f"like with a probability of {smallest_p(pages):.1%}, and it has to be below {level:.1%}. Correct "
            "or import more pages, of which about a quarter is frozen (not where a set is for tests: add to that), or "
            f"name a set for tests (ground-truth split HAND --test NAME), so that {least_pages(level)} are frozen."
        )
    if not difference.is_real:
        return False, f"It is not shown that the candidate is better on the frozen pages: {told(figures)}."
    return True, f"The candidate is better on {pages} frozen pages: {told(figures)}."


def _loss(name: str, weighed: Measured | None, margin: float) -> str:
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
        return f"On guarded set {name} the candidate is worse by more than {margin:g} points: {told(figures)}."
    return (
        f"On guarded set {name} it is not shown that the candidate is worse by no more than {margin:g} points: "
        f"{told(figures)}."
    )


def _pages(count: int) -> str:
    return f"{count} page{'s' if count != 1 else ''}"
