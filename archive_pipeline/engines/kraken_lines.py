"""Our lines as kraken's: a piece of the page with one baseline and one boundary in it.

kraken wants both, inside the image, and a baseline that runs from left to right as the letters stand. It warps what is
within the boundary to an even height; how wide that gets depends on the line's shape alone, and is bounded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from kraken.containers import BaselineLine
from numpy.typing import NDArray

from archive_pipeline.engines.base import Image
from archive_pipeline.engines.baselines import baseline_of
from archive_pipeline.engines.crops import clip, line_quad, to_points
from archive_pipeline.page import Line, Point, bounding_box

_SHORTEST = 5  # pixels of a baseline that kraken reads
_LOWEST = 3.0  # pixels of a line's mean height: nothing can be read in less
_LONGEST = 100.0  # heights: longer lines are squeezed, since a network's memory grows with the length
_FEW_POINTS = 16  # of a boundary; kraken thins out those with more than 50
_CORNER = 3.0  # pixels
_PIXELS = 8_000_000  # of a piece of the page: larger ones are scaled down


@dataclass(frozen=True)
class LinePatch:
    """A line in its piece of the page.

    Attributes:
        image: height x width x 3, RGB.
        line: Its places are pixels of ``image``.
        origin: Where on the page ``image`` begins.
        scale: Pixels of ``image`` for each pixel of the page, across and down.
        vertical: The text runs from top to bottom by nature.
    """

    image: Image
    line: BaselineLine
    origin: Point
    scale: tuple[float, float]
    vertical: bool

    @property
    def upright(self) -> bool:
        """Does the baseline run up or down rather than across?"""
        (x0, y0), (x1, y1) = self.line.baseline[0], self.line.baseline[-1]
        return bool(abs(y1 - y0) > abs(x1 - x0))

    def reversed(self) -> LinePatch:
        """The same line, read the other way round."""
        line = BaselineLine(id=self.line.id, baseline=self.line.baseline[::-1], boundary=self.line.boundary)
        return replace(self, line=line)

    def on_page(self, points: Iterable[Sequence[float]]) -> tuple[Point, ...]:
        """Points of ``image`` as pixels of the page."""
        (left, top), (across, down) = self.origin, self.scale
        return tuple((round(x / across) + left, round(y / down) + top) for x, y in points)


def line_patch(image: Image, line: Line) -> LinePatch | None:
    """Cut a line out of a page; None where there is nothing to be read: off the page, or too small."""
    height, width = image.shape[:2]
    boundary = _distinct(clip(line.boundary, width, height))
    area = abs(cv2.contourArea(np.array(boundary, np.float32))) if len(boundary) > 2 else 0.0
    if area < _LOWEST:
        return None
    baseline = _baseline(image, line, width, height)
    lengths = np.linalg.norm(np.diff(np.array(baseline, np.float64), axis=0), axis=1)
    left, top, right, bottom = bounding_box(boundary)
    # The mean height tells how far kraken will stretch the line, however it bends.
    length = max(float(lengths.sum()), _extent(boundary, baseline))
    mean_height = area / max(length, 1.0)
    if lengths.sum() < _SHORTEST or mean_height < _LOWEST:
        return None
    shrink = min(1.0, (_PIXELS / ((right - left) * (bottom - top))) ** 0.5)
    squeeze = min(1.0, _LONGEST * mean_height / length)
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    scale = (shrink * squeeze, shrink) if abs(x1 - x0) >= abs(y1 - y0) else (shrink, shrink * squeeze)
    piece = np.ascontiguousarray(image[top:bottom, left:right])
    if scale != (1.0, 1.0):
        size = (max(1, round(piece.shape[1] * scale[0])), max(1, round(piece.shape[0] * scale[1])))
        piece = cv2.resize(piece, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    # kraken fills with 0 what is outside of the boundary, and then takes the smallest box around all that is not 0:
    # without a 0 inside, the size of that box does not depend on what is on the page.
    piece = np.maximum(piece, 1)

    def inside(points: Sequence[Point]) -> list[Point]:
        moved = (((x - left) * scale[0], (y - top) * scale[1]) for x, y in points)
        return list(_distinct(clip(to_points(np.array(list(moved))), piece.shape[1], piece.shape[0])))

    base = inside(baseline)
    ring = inside(_with_corners(boundary) if len(base) > 2 else boundary)
    if len(base) < 2 or len(set(ring)) < 3:
        return None
    kraken_line = BaselineLine(id=line.id, baseline=base, boundary=[*ring, ring[0]])
    return LinePatch(piece, kraken_line, (left, top), scale, line.direction == "ttb")


def _baseline(image: Image, line: Line, width: int, height: int) -> tuple[Point, ...]:
    """The line's baseline as kraken wants it; one is made where there is none."""
    baseline = _distinct(clip(line.baseline, width, height))
    if len(baseline) < 2:
        baseline = _distinct(clip(baseline_of(image, line_quad(line)), width, height))
    # Ours runs as the text is written, kraken's as the letters stand.
    return baseline[::-1] if line.direction == "rtl" and baseline[0][0] > baseline[-1][0] else baseline


def _with_corners(boundary: Sequence[Point]) -> tuple[Point, ...]:
    """A boundary of few points whose corners stay: kraken makes a spline of it where the baseline bends.

    A box would become an ellipse. A point close to each corner on either side holds the spline; boundaries of many
    points are kraken's own, and are what its models were trained with.
    """
    if len(boundary) > _FEW_POINTS:
        return tuple(boundary)
    corners = np.array(boundary, np.float64)
    held = []
    for before, here, after in zip(np.roll(corners, 1, 0), corners, np.roll(corners, -1, 0), strict=True):
        for other in (before, here, after):
            away = other - here
            held.append(here + away * min(0.5, _CORNER / max(float(np.linalg.norm(away)), 1e-6)))
    return to_points(np.array(held))


def _distinct(points: Sequence[Point]) -> tuple[Point, ...]:
    """Without points that repeat the one before: they have no direction."""
    return tuple(point for index, point in enumerate(points) if index == 0 or point != points[index - 1])


def _extent(boundary: Sequence[Point], baseline: Sequence[Point]) -> float:
    """How long the boundary is along the baseline's chord."""
    ends: NDArray[np.float64] = np.array([baseline[0], baseline[-1]], np.float64)
    along = ends[1] - ends[0]
    norm = float(np.linalg.norm(along))
    if norm == 0:
        return 0.0
    places = np.array(boundary, np.float64) @ (along / norm)
    return float(places.max() - places.min())
