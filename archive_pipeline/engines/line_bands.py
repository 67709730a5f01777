"""How far the letters of a page reach from their baselines, so that all its lines are cut out at one size of letters.

A line's boundary goes around a flourish or a letter of the line above, wherever one stands. What is cut out by it is
made as high as a network's input, and the letters with the most room around them become the smallest: half as large as
those of the next line, where a network that reads a letter from eight columns of pixels has less than eight for each.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.page import Point

_SHARE = 0.8
"""Of the usual reach: flourishes may be cut off where they are longest, for letters that are larger by a quarter."""
_OTHER_SIZE = 1.8  # times the usual height, or less than one such part of it: a heading, a note


@dataclass(frozen=True)
class Band:
    """Reach above and below a baseline, in pixels; above is to the left of who walks along it."""

    above: float
    below: float

    @property
    def height(self) -> float:
        return self.above + self.below

    def scaled(self, by: float) -> Band:
        return Band(self.above * by, self.below * by)


def reach(baseline: Sequence[Point], boundary: Sequence[Point]) -> Band:
    """How far a boundary goes from a baseline of two and more points that are not all the same."""
    line: NDArray[np.float64] = np.array(baseline, np.float64)
    points: NDArray[np.float64] = np.array(boundary, np.float64)
    starts, along = line[:-1], np.diff(line, axis=0)
    kept = np.linalg.norm(along, axis=1) > 0
    starts, along = starts[kept], along[kept]
    lengths = np.linalg.norm(along, axis=1)
    # Shapes: points x pieces of the baseline (x 2).
    away = points[:, None] - starts[None]
    at = np.clip((away * along).sum(2) / lengths**2, 0, 1)
    nearest = np.linalg.norm(away - at[:, :, None] * along, axis=2).argmin(1)
    chosen = np.arange(len(points)), nearest
    cross = away[chosen][:, 0] * along[nearest][:, 1] - away[chosen][:, 1] * along[nearest][:, 0]
    distances = cross / lengths[nearest]  # y runs down, so what is above is positive
    return Band(max(0.0, float(distances.max())), max(0.0, float(-distances.min())))


def usual_band(reaches: Iterable[Band]) -> Band | None:
    """The median of the lines of a page; None if it has none."""
    found = list(reaches)
    if not found:
        return None
    return Band(statistics.median(each.above for each in found), statistics.median(each.below for each in found))


def band_to_read(own: Band, usual: Band | None) -> Band:
    """What of a line is given to a network: as much as of all others of its page, if its letters are as large."""
    if usual is None or not usual.height / _OTHER_SIZE < own.height < usual.height * _OTHER_SIZE:
        usual = own
    return usual.scaled(_SHARE)
