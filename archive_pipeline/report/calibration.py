"""How many errors a confidence means: a curve through pages whose errors are known, and how sure it is.

A recogniser's confidence is no error rate: one model that says 95 % makes two errors in a hundred characters, another
eight, and a hand that it was not made for changes it again. So confidence is tied to errors by pages that a person has
corrected, for each recognition model by itself.

* The curve is a logistic regression of a page's error rate on the log odds of doubt, weighted by characters:
  ``logit(CER) = a + b · logit(1 - confidence)``. Platt scaling (Platt 1999; Guo et al., "On calibration of
  modern neural networks", ICML 2017) is this with the same two parameters. A step function (isotonic regression) would
  give no error at all to every page that is surer than the surest corrected one, and has never pages enough.
* With few pages the slope is hardly known. It is drawn towards 1 (errors in proportion to doubt) as by a few pages, and
  never below 0: less confidence never means fewer errors.
* The interval is a percentile bootstrap over documents, as errors of one document hang together (its hand, its paper),
  over pages where there are too few documents for that (:mod:`archive_pipeline.evaluation.statistics`).

With fewer than :data:`LEAST_PAGES` pages there is no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from archive_pipeline.evaluation.statistics import LEAST_PAGES, LEVEL, Rate, error_rate

Floats = NDArray[np.float64]

DRAWS = 999
_MOST_PAGES = 5_000
_SEED = 0  # the same pages give the same interval
_SURE = 5e-4
"""Doubt below this, and above its opposite, counts as this: a confidence of 1.0 is a rounded one."""
_PULL = 3.0
"""Pages of ordinary spread that the pull of the slope towards 1 is worth."""
_STEPS = 40
_AT_ONCE = 100


@dataclass(frozen=True)
class Estimate:
    """An error rate that nobody has counted, in percent.

    Attributes:
        low, high: 95 % interval.
    """

    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """A curve from confidence to error rate.

    Attributes:
        pages, documents, characters: Of the ground truth that it was made from.
        counted: The error rate on those pages.
        least, most: Confidence of those pages.
        by_documents: Whether the interval is one over documents; else it is over pages, and too narrow.
        curve: ``a, b``.
        draws: The same of each bootstrap draw, draws x 2.
    """

    pages: int
    documents: int
    characters: int
    counted: Rate
    least: float
    most: float
    by_documents: bool
    curve: tuple[float, float]
    draws: Floats

    def rate(self, confidence: ArrayLike) -> Floats:
        """Expected share of wrong characters, 0 to 1, for each confidence."""
        a, b = self.curve
        return np.asarray(expit(a + b * _doubt(confidence)), np.float64)


def estimate(parts: Sequence[tuple[Calibration, ArrayLike, ArrayLike]]) -> Estimate:
    """The error rate of many pages together, of one model or several.

    Args:
        parts: For each model its curve, and the confidence and characters of its pages, or of classes of pages; one
            character at least in all.
    """
    total = sum(float(np.asarray(characters, np.float64).sum()) for _, _, characters in parts)
    whole, drawn = 0.0, np.zeros(DRAWS)
    for calibration, confidence, characters in parts:
        weight = np.asarray(characters, np.float64) / total
        doubt = _doubt(confidence)
        whole += float(weight @ calibration.rate(confidence))
        # The models' draws are independent of each other: their pages are others.
        drawn += np.array([weight @ expit(a + b * doubt) for a, b in calibration.draws])
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(drawn, [tail, 100 - tail])
    return Estimate(100 * whole, 100 * float(low), 100 * float(high))


def calibrate(
    confidence: ArrayLike, errors: ArrayLike, characters: ArrayLike, documents: ArrayLike
) -> Calibration | None:
    """Fit the curve; None where there are too few pages.

    Args:
        confidence: What the machine said of each page, 0 to 1.
        errors: Characters to insert, delete or replace on each.
        characters: Of the ground truth of each.
        documents: To which each belongs: any labels.
    """
    sure, wrong = np.asarray(confidence, np.float64), np.asarray(errors, np.int64)
    of, labels = np.asarray(characters, np.int64), np.asarray(documents)
    keep = of > 0
    if keep.sum() > _MOST_PAGES:
        chosen = np.random.default_rng(_SEED).choice(np.flatnonzero(keep), _MOST_PAGES, replace=False)
        keep = np.isin(np.arange(len(of)), chosen)
    sure, wrong, of, labels = sure[keep], wrong[keep], of[keep], labels[keep]
    if len(of) < LEAST_PAGES:
        return None
    groups = np.unique(labels, return_inverse=True)[1]
    by_documents = int(groups.max()) + 1 >= LEAST_PAGES
    doubt, weight = _doubt(sure), of / of.mean()
    # Half an error in all, so that no rate is 0: that nobody has seen an error does not mean that there are none.
    rate = np.minimum(wrong / of + 0.5 / of.sum(), 1.0)
    fitted = _fit(doubt, rate, weight[None, :])[0]
    rng = np.random.default_rng(_SEED)
    units = int(groups.max()) + 1 if by_documents else len(of)
    counts = rng.multinomial(units, np.full(units, 1 / units), size=DRAWS)
    drawn = counts[:, groups] if by_documents else counts
    draws = np.concatenate(
        [_fit(doubt, rate, drawn[start : start + _AT_ONCE] * weight) for start in range(0, DRAWS, _AT_ONCE)]
    )
    return Calibration(
        pages=len(of),
        documents=int(groups.max()) + 1,
        characters=int(of.sum()),
        counted=error_rate(wrong.tolist(), of.tolist()),
        least=float(sure.min()),
        most=float(sure.max()),
        by_documents=by_documents,
        curve=(float(fitted[0]), float(fitted[1])),
        draws=draws,
    )


def _doubt(confidence: ArrayLike) -> Floats:
    """Log odds of what the machine is not sure of."""
    return np.asarray(logit(np.clip(1 - np.asarray(confidence, np.float64), _SURE, 1 - _SURE)), np.float64)


def _fit(doubt: Floats, rate: Floats, weights: Floats) -> Floats:
    """``a, b`` for each row of weights, by Newton's method; rows x 2."""
    total = weights.sum(1)
    mean = np.clip((weights * rate).sum(1) / total, 1e-9, 1 - 1e-9)
    centre = (weights * doubt).sum(1) / total
    x = doubt[None, :] - centre[:, None]
    pull = _PULL * mean * (1 - mean)
    a, b = logit(mean), np.ones(len(weights))
    for _ in range(_STEPS):
        p = expit(a[:, None] + b[:, None] * x)
        miss, spread = weights * (rate - p), weights * p * (1 - p)
        gradient_a, gradient_b = miss.sum(1), (miss * x).sum(1) - pull * (b - 1)
        aa, ab, bb = spread.sum(1), (spread * x).sum(1), (spread * x * x).sum(1) + pull
        determinant = np.maximum(aa * bb - ab * ab, 1e-12)
        step_a = np.clip((bb * gradient_a - ab * gradient_b) / determinant, -1, 1)
        step_b = np.clip((aa * gradient_b - ab * gradient_a) / determinant, -1, 1)
        a, b = a + step_a, b + step_b
        if max(np.abs(step_a).max(), np.abs(step_b).max()) < 1e-8:
            break
    rising = b >= 0
    a, b = np.where(rising, a, logit(mean)), np.where(rising, b, 0.0)
    return np.stack([a - b * centre, b], axis=1)
