"""Cutting a line out of a page image as an upright strip, and coming back from the strip to the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from archive_pipeline.engines.base import Image
from archive_pipeline.page import Line, Point

Quad = NDArray[np.float32]
"""Four corners, 4 x 2: top left, top right, bottom right, bottom left, as the text is read."""


@dataclass(frozen=True)
class Strip:
    """A line image of fixed height.

    Attributes:
        image: height x width x 3.
        to_page: 3 x 3 matrix from strip pixels to page pixels.
    """

    image: Image
    to_page: NDArray[np.float64]

    def page_polygon(self, left: float, right: float, top: float, bottom: float) -> tuple[Point, ...]:
        """The quadrilateral on the page of a rectangle in the strip."""
        corners = np.array([[[left, top], [right, top], [right, bottom], [left, bottom]]], dtype=np.float64)
        return to_points(cv2.perspectiveTransform(corners, self.to_page)[0])


def cut_strip(image: Image, quad: Quad, height: int) -> Strip:
    """Cut the quadrilateral out of the page and scale it to ``height``, its width in proportion.

    Shrinking in one bilinear step would drop strokes, so a line much taller than ``height`` is cut at its own size and
    then averaged down.
    """
    across = max(float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[2] - quad[3])), 1.0)
    down = max(float(np.linalg.norm(quad[3] - quad[0])), float(np.linalg.norm(quad[2] - quad[1])), 1.0)
    width = max(1, round(across * height / down))
    cut_height = height if down <= 1.5 * height else round(down)
    cut_width = width if cut_height == height else max(1, round(across))
    corners = np.array([[0, 0], [cut_width, 0], [cut_width, cut_height], [0, cut_height]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(quad.astype(np.float32), corners)
    strip = cv2.warpPerspective(
        image, matrix, (cut_width, cut_height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    scale = np.diag([width / cut_width, height / cut_height, 1.0])
    if cut_height != height:
        strip = cv2.resize(strip, (width, height), interpolation=cv2.INTER_AREA)
    return Strip(strip, np.linalg.inv(scale @ matrix))


def line_quad(line: Line) -> Quad:
    """The quadrilateral of a line: its boundary where that has four corners, else the box along its baseline.

    It is :func:`degenerate` for a line that has no boundary.
    """
    points = np.array(line.boundary, dtype=np.float32)
    if not len(points):
        return np.zeros((4, 2), np.float32)
    if len(points) == 4:
        return points
    if len(line.baseline) < 2:
        left, top, right, bottom = line.box
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float32)
    start, end = np.array(line.baseline[0], dtype=np.float32), np.array(line.baseline[-1], dtype=np.float32)
    length = float(np.linalg.norm(end - start)) or 1.0
    along = (end - start) / length
    across = np.array([-along[1], along[0]], dtype=np.float32)
    u, v = (points - start) @ along, (points - start) @ across
    corners = [(u.min(), v.min()), (u.max(), v.min()), (u.max(), v.max()), (u.min(), v.max())]
    return np.array([start + a * along + b * across for a, b in corners], dtype=np.float32)


def degenerate(quad: Quad) -> bool:
    """Is there nothing inside it that could be cut out? So are lines that were clipped at the page's edge."""
    return cv2.contourArea(quad) < 1


def with_margin(quad: Quad, share: float) -> Quad:
    """The quadrilateral made taller by ``share`` of its height, above and below."""
    left, right = (quad[3] - quad[0]) * share, (quad[2] - quad[1]) * share
    return np.array([quad[0] - left, quad[1] - right, quad[2] + right, quad[3] + left], dtype=np.float32)


def mirrored(quad: Quad) -> Quad:
    """The quadrilateral in a mirror that stands upright at x = 0."""
    turned: Quad = quad[[1, 0, 3, 2]] * np.array([-1, 1], dtype=np.float32)
    return turned


def to_points(coordinates: NDArray[np.floating]) -> tuple[Point, ...]:
    """Nearest whole pixels."""
    return tuple((round(float(x)), round(float(y))) for x, y in coordinates)


def clip(points: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    """Points moved into the page."""
    return tuple((min(max(x, 0), width - 1), min(max(y, 0), height - 1)) for x, y in points)
