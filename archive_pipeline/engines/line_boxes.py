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
    joined = np.empty((len(quads), 4, 2), np.float32)
    count = 0
    for quad in sorted(quads, key=lambda quad: float(quad[:, 0].min())):
        continued = np.flatnonzero(_continues(joined[:count], quad))
        if len(continued):
            joined[continued[0]] = _union(joined[continued[0]], quad)
        else:
            joined[count] = quad
            count += 1
    return list(joined[:count].copy())


def _continues(left: NDArray[np.float32], right: Quad) -> NDArray[np.bool_]:
    """For each of n boxes (n x 4 x 2), whether another goes on where it ends. A page can have thousands of both."""
    ends = left[:, 1] - left[:, 0]
    left_length, left_height = np.linalg.norm(ends, axis=1), np.linalg.norm(left[:, 3] - left[:, 0], axis=1)
    right_length, right_height = size(right)
    height = np.minimum(left_height, right_height)
    along = ends / np.maximum(left_length, 1e-6)[:, None]
    across = np.column_stack([-along[:, 1], along[:, 0]])
    apart = right[[0, 3]].mean(0) - left[:, [1, 2]].mean(1)
    gap, offset = (apart * along).sum(1), (apart * across).sum(1)
    fits = (np.maximum(left_height, right_height) <= 1.6 * height) & (left_length >= left_height)
    if right_length > 2 * right_height:
        fits &= along @ ((right[1] - right[0]) / max(right_length, 1e-6)) >= 0.995
    joined: NDArray[np.bool_] = fits & (-0.5 * height < gap) & (gap < _JOIN_GAP * height)
    joined &= np.abs(offset) < 0.3 * height
    return joined


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
    corners = np.array(quads)
    return [
        _raise(quad, usual, _row_mate(index, corners, heights, middles, usual))
        if heights[index] < 0.75 * usual and lengths[index] < 2 * usual
        else quad
        for index, quad in enumerate(quads)
    ]


def _row_mate(
    index: int, quads: NDArray[np.float32], heights: NDArray[np.float64], middles: NDArray[np.float32], usual: float
) -> float | None:
    """Height on the page of the middle of the nearest line in the same row."""
    x, y = middles[index]
    mates = (0.75 * usual <= heights) & (heights <= 1.5 * usual)
    mates &= (quads[:, :, 1].min(1) <= y) & (y <= quads[:, :, 1].max(1))
    mates[index] = False
    candidates = np.flatnonzero(mates)
    if not len(candidates):
        return None
    edges = quads[candidates, :, 0]
    away = np.minimum(np.abs(edges.min(1) - x), np.abs(edges.max(1) - x))
    quad = quads[candidates[int(away.argmin())]]
    left, right = quad[[0, 3]].mean(0), quad[[1, 2]].mean(0)
    slope = (right[1] - left[1]) / max(float(right[0] - left[0]), 1.0)
    nearest = left if abs(left[0] - x) < abs(right[0] - x) else right
    return float(nearest[1] + slope * (x - nearest[0]))


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
