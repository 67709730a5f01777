"""How sure an error rate is, and whether two of them differ: resampling over pages.

Errors on one page hang together (its hand, its paper, its camera), so pages are drawn, not characters or lines.

* Intervals are percentile bootstraps (Efron & Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13) of the
  ratio of sums, errors to characters, as Bisani & Ney do it for error rates ("Bootstrap estimates for confidence
  intervals in ASR performance evaluation", ICASSP 2004).
* Two models are compared on the same pages, and each draw takes both figures of a page (paired; Bisani & Ney): that a
  page is hard for both says nothing of their difference.
* The p value is that of a paired permutation test (Fisher, "The Design of Experiments", 1935; Efron & Tibshirani, ch.
  15): if the models read alike, it is chance which of a page's two figures is whose. It is exact up to 13 pages, above
  that from 9,999 random swaps.

Both are scipy's. With few pages a percentile interval is too narrow, and the test holds against it: with n pages no p
is below 2 / 2ⁿ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DRAWS = 9_999
LEVEL = 0.95
ALPHA = 0.05
LEAST_PAGES = 6
"""With fewer, 2 / 2ⁿ is above 0.05: no difference can be significant."""

_BATCH = 1_000  # draws at a time: a thousand pages then take 8 MB
_SEED = 0  # the same figures give the same intervals


@dataclass(frozen=True)
class Rate:
    """An error rate, in percent.

    Attributes:
        low, high: 95 % interval; ``nan`` where there is one page.
    """

    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """Rate of A minus rate of B, in percentage points: positive where B makes fewer errors.

    Attributes:
        low, high: Interval, of 95 % if ``alpha`` is 0.05; ``nan`` where there is one page.
        p: Of the paired permutation test, two-sided.
        pages: On how many pages.
        alpha: How often chance may pass for a difference; the interval is one of 1 minus that.
    """

    points: float
    low: float
    high: float
    p: float
    pages: int
    alpha: float = ALPHA

    @property
    def is_real(self) -> bool:
        """Whether chance is no good explanation: by the test, and by the interval as well."""
        return self.pages >= LEAST_PAGES and self.p < self.alpha and (self.low > 0 or self.high < 0)


def error_rate(errors: Sequence[int], totals: Sequence[int]) -> Rate:
    """The rate over all pages, with its interval.

    Args:
        errors: Of each page.
        totals: Characters (or words) of each page's ground truth, one at least in all.
    """
    counted, of = _with_ground_truth(errors, totals)

    def rate(errors: NDArray[Any], totals: NDArray[Any], axis: int = -1) -> Any:
        return 100 * errors.sum(axis) / totals.sum(axis)

    return Rate(float(rate(counted, of)), *_interval((counted, of), rate))


def paired_difference(
    errors_a: Sequence[int], errors_b: Sequence[int], totals: Sequence[int], alpha: float = ALPHA
) -> Difference:
    """How two models differ on the same pages.

    Args:
        errors_a, errors_b: Of each page.
        totals: Characters (or words) of each page's ground truth, one at least in all.
        alpha: How often chance may pass for a difference.
    """
    a, of = _with_ground_truth(errors_a, totals)
    b, _ = _with_ground_truth(errors_b, totals)

    def points(a: NDArray[Any], b: NDArray[Any], of: NDArray[Any], axis: int = -1) -> Any:
        return 100 * (a.sum(axis) - b.sum(axis)) / of.sum(axis)

    def more_errors(a: NDArray[Any], b: NDArray[Any], axis: int = -1) -> Any:
        # The characters stay the same whichever figure is whose, and whole numbers compare exactly.
        return a.sum(axis) - b.sum(axis)

    if len(of) < 2 or (a == b).all():
        p = 1.0
    else:
        p = float(
            stats.permutation_test(
                (a, b),
                more_errors,
                permutation_type="samples",
                vectorized=True,
                n_resamples=DRAWS,
                batch=_BATCH,
                rng=np.random.default_rng(_SEED),
            ).pvalue
        )
    interval = _interval((a, b, of), points, 1 - alpha)
    return Difference(float(points(a, b, of)), *interval, p=p, pages=len(of), alpha=alpha)


def smallest_p(pages: int) -> float:
    """The smallest p value that the paired permutation test can have on so many pages."""
    return 2 / 2**pages if pages else 1.0


def least_pages(alpha: float) -> int:
    """On how many pages a difference can be shown, if it is large enough."""
    return next(pages for pages in itertools.count(1) if smallest_p(pages) < alpha)


def _with_ground_truth(errors: Sequence[int], totals: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Without the pages that have none: a draw of them alone would divide by zero."""
    of = np.asarray(totals, np.int64)
    return np.asarray(errors, np.int64)[of > 0], of[of > 0]


def _interval(data: tuple[NDArray[np.int64], ...], statistic: Any, level: float = LEVEL) -> tuple[float, float]:
    if len(data[0]) < 2:
        return math.nan, math.nan
    found = stats.bootstrap(
        data,
        statistic,
        paired=True,
        vectorized=True,
        n_resamples=DRAWS,
        batch=_BATCH,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    ).confidence_interval
    return float(found.low), float(found.high)
