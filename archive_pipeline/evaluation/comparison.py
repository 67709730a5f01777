"""Two models on the same pages: their error rates, and in one sentence whether one is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archive_pipeline.evaluation.scoring import PageScore
from archive_pipeline.evaluation.statistics import (
    LEAST_PAGES,
    Difference,
    Rate,
    error_rate,
    paired_difference,
    smallest_p,
)


@dataclass(frozen=True)
class ModelResult:
    """One model on all pages.

    Attributes:
        extra: Characters of read lines that ground truth does not have, in percent of its characters.
    """

    model: str
    cer: Rate
    wer: Rate
    extra: float


@dataclass(frozen=True)
class Comparison:
    """Two models on the same pages.

    Attributes:
        cer, wer: First model minus second.
        characters, words: Of the ground truth.
    """

    first: ModelResult
    second: ModelResult
    cer: Difference
    wer: Difference
    characters: int
    words: int

    @property
    def verdict(self) -> str:
        """Whether one is better, in a sentence; by characters, of which there are more."""
        return verdict(self.cer, self.first.model, self.second.model)


def compare(models: tuple[str, str], first: Sequence[PageScore], second: Sequence[PageScore]) -> Comparison:
    """Compare what two models read on the same pages, in the same order; one character at least has ground truth."""
    totals, words = [page.characters for page in first], [page.words for page in first]

    def result(model: str, pages: Sequence[PageScore]) -> ModelResult:
        return ModelResult(
            model,
            error_rate([page.errors for page in pages], totals),
            error_rate([page.word_errors for page in pages], words),
            100 * sum(page.extra for page in pages) / sum(totals),
        )

    return Comparison(
        result(models[0], first),
        result(models[1], second),
        paired_difference([page.errors for page in first], [page.errors for page in second], totals),
        paired_difference([page.word_errors for page in first], [page.word_errors for page in second], words),
        sum(totals),
        sum(words),
    )


def verdict(difference: Difference, first: str, second: str) -> str:
    """In one sentence: whether a difference is real, and how large."""
    pages = f"{difference.pages} page{'s' if difference.pages != 1 else ''}"
    if difference.points == 0 and difference.p == 1:
        return f"No difference: {first} and {second} make as many errors on {pages}."
    better = second if difference.points > 0 else first
    low, high = sorted((abs(difference.low), abs(difference.high)))
    if difference.is_real:
        return (
            f"{better} is better by {abs(difference.points):.2f} points, 95 % [{low:.2f}, {high:.2f}], "
            f"p = {difference.p:.4f}, on {pages}: real."
        )
    if difference.pages < LEAST_PAGES:
        return (
            f"No difference can be shown on {pages}, however large: with fewer than {LEAST_PAGES} no result is "
            f"significant (the smallest p is {smallest_p(difference.pages):.2f}). Take more pages."
        )
    return (
        f"No difference can be shown on {pages}: {better} makes fewer errors by {abs(difference.points):.2f} points, "
        f"95 % of first minus second [{difference.low:.2f}, {difference.high:.2f}], p = {difference.p:.2f}, "
        "which chance explains as well."
    )
