"""Are the baselines found? As the baseline detection competitions count: Grüning, Labahn, Diem, Kleber, Fiel,
"READ-BAD: A New Dataset and Evaluation Scheme for Baseline Detection in Archival Documents", 2018 (arXiv 1705.03311).

Computed by kraken's library (``kraken.lib.segmentation_metrics``), which takes one found line for each true one where
the paper lets several together stand for one, so that a torn line is punished harder here:

* both lines are sampled twice in each tolerance; a sample scores 1 within the tolerance of the other line, 0 beyond
  three tolerances, and in between what a straight line from 1 to 0 gives; a pair scores the mean of both directions;
* pairs are chosen so that the sum is largest, each line in one pair at most;
* recall is that sum over the true lines, precision over the found ones, F1 their harmonic mean.

The tolerance is the paper's: a quarter of the distance between lines; here of the page (the median of its lines), where
the paper takes each line's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""``(n, 2)``: x and y, in pixels."""

SHARE = 0.25
"""Tolerance in distances between lines."""

_SPACING = 5.0  # of kraken's samples
_OF_A_LENGTH = 0.01  # tolerance where there is one line only: a hundredth of it


@dataclass(frozen=True)
class BaselineScore:
    """Of one page, each 0 to 1."""

    precision: float
    recall: float
    f1: float


def score_baselines(truth: Sequence[Points], found: Sequence[Points], tolerance: float) -> BaselineScore:
    """Compare baselines. A page without lines, of which none are found, is perfect.

    Args:
        tolerance: In pixels, more than 0.
    """
    # Of kraken, and with it torch: imported where it is used, as most of evaluation does without.
    import torch
    from kraken.lib.segmentation_metrics import compute_detection_metrics, interpolate_polyline

    # kraken's samples are so many pixels apart: scaled, the score of a page does not depend on its resolution.
    reach = 2 * _SPACING
    scale = reach / max(tolerance, 1e-6)

    # In double precision: distances come of squared coordinates, by which a line far from the origin is apart from
    # itself in single.
    def sampled(lines: Sequence[Points]) -> list[torch.Tensor]:
        return [interpolate_polyline(torch.tensor(scale * line, dtype=torch.float64)) for line in lines if len(line)]

    score = compute_detection_metrics(sampled(found), sampled(truth), reach)
    return BaselineScore(score["precision"], score["recall"], score["f1"])


def tolerance_of(lines: Sequence[Points]) -> float:
    """A quarter of the distance between the lines of a page, in pixels; 0 where there are none.

    The distance of a line is that to the nearest one beside it: one that has a part of its length in common with it,
    and does not go on where it ends.
    """
    if not lines:
        return 0.0
    distances = [distance for line in lines if (distance := _nearest(line, lines)) is not None]
    if distances:
        return SHARE * float(np.median(distances))
    return _OF_A_LENGTH * float(max(np.abs(np.diff(line, axis=0)).sum() for line in lines))


def _nearest(line: Points, lines: Sequence[Points]) -> float | None:
    distances = [distance for other in lines if other is not line and (distance := _between(line, other))]
    return min(distances, default=None)


def _between(one: Points, other: Points) -> float | None:
    """How far apart two lines are, across the direction of the first one; None if they are not side by side."""
    run = one[-1] - one[0]
    length = float(np.hypot(*run))
    if length == 0:
        return None
    along, across = run / length, np.array([-run[1], run[0]]) / length
    place, far = (other - one[0]) @ along, (other - one[0]) @ across
    if min(place.max(), length) - max(place.min(), 0.0) <= 0:
        return None
    return abs(float(far.mean()) - float(((one - one[0]) @ across).mean()))
