"""Mending detected line boxes before they are read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.engines.crops import Quad

_JOIN_GAP = 0.35  # between the boxes of two fragments of a line, in line heights; cells of a table are further apart
_UPRIGHT = 2.5  # a box so much higher than wide holds text that runs up or down


def size(quad: Quad) -> tuple[float, float]:
    """Length along the text and height across it, in pixels."""
    return float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))


def upright(quad: Quad) -> Quad:
    """Start a tall box at its lower left corner: text in margins and on spines mostly runs upwards."""
    along, across = size(quad)
    return np.roll(quad, 1, axis=0) if across > _UPRIGHT * along and across > 60 else quad


def join_fragments(quads: Sequence[Quad]) -> list[Quad]:
    """Join boxes that lie on one line, one after the other with hardly a gap."""
    waiting = sorted(quads, key=lambda quad: float(quad[:, 0].min()))
    joined: list[Quad] = []
    for quad in waiting:
        for position, left in enumerate(joined):
            if _continues(left, quad):
                joined[position] = _union(left, quad)
                break
        else:
            joined.append(quad)
    return joined


def _continues(left: Quad, right: Quad) -> bool:
    (left_length, left_height), (right_length, right_height) = size(left), size(right)
    height = min(left_height, right_height)
    if max(left_height, right_height) > 1.6 * height or left_length < left_height:
        return False
    along = (left[1] - left[0]) / max(left_length, 1e-6)
    other = (right[1] - right[0]) / max(right_length, 1e-6)
    if right_length > 2 * right_height and float(along @ other) < 0.995:
        return False
    across = np.array([-along[1], along[0]])
    gap = float((right[[0, 3]].mean(0) - left[[1, 2]].mean(0)) @ along)
    offset = float((right[[0, 3]].mean(0) - left[[1, 2]].mean(0)) @ across)
    return -0.5 * height < gap < _JOIN_GAP * height and abs(offset) < 0.3 * height


def _union(left: Quad, right: Quad) -> Quad:
    return np.array([left[0], right[1], right[2], left[3]], dtype=np.float32)


def full_height(quads: Sequence[Quad]) -> list[Quad]:
    """Give marks that are lower than a line the height of a line.

    A tight box around a ditto mark or a dash would be blown up to the size of letters and read as something else. It
    takes the height and place of the nearest line in its row, else the page's usual height around its own middle.
    """
    if not quads:
        return []
    heights = np.array([size(quad)[1] for quad in quads])
    lengths = np.array([size(quad)[0] for quad in quads])
    lines = lengths > 2 * heights
    usual = float(np.median(heights[lines] if lines.any() else heights))
    middles = np.array([quad.mean(0) for quad in quads])
    return [
        _raise(quad, usual, _row_mate(index, quads, heights, middles, usual))
        if heights[index] < 0.75 * usual and lengths[index] < 2 * usual
        else quad
        for index, quad in enumerate(quads)
    ]


def _row_mate(
    index: int, quads: Sequence[Quad], heights: NDArray[np.float64], middles: NDArray[np.float32], usual: float
) -> float | None:
    """Height on the page of the middle of the nearest line in the same row."""
    best, distance = None, np.inf
    for other, quad in enumerate(quads):
        if other == index or not 0.75 * usual <= heights[other] <= 1.5 * usual:
            continue
        if quad[:, 1].min() <= middles[index, 1] <= quad[:, 1].max():
            away = float(min(abs(quad[:, 0].min() - middles[index, 0]), abs(quad[:, 0].max() - middles[index, 0])))
            if away < distance:
                left, right = quad[[0, 3]].mean(0), quad[[1, 2]].mean(0)
                slope = (right[1] - left[1]) / max(float(right[0] - left[0]), 1.0)
                nearest = left if abs(left[0] - middles[index, 0]) < abs(right[0] - middles[index, 0]) else right
                best, distance = float(nearest[1] + slope * (middles[index, 0] - nearest[0])), away
    return best


def _raise(quad: Quad, height: float, middle: float | None) -> Quad:
    left, right = float(quad[:, 0].min()), float(quad[:, 0].max())
    centre = float(quad[:, 1].mean()) if middle is None else middle
    margin = max(0.0, (0.6 * height - (right - left)) / 2)
    top = min(centre - height / 2, float(quad[:, 1].min()))
    bottom = max(centre + height / 2, float(quad[:, 1].max()))
    return np.array(
        [[left - margin, top], [right + margin, top], [right + margin, bottom], [left - margin, bottom]],
        dtype=np.float32,
    )
