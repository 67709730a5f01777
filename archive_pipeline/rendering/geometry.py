"""Affine maps between pixels of a page image, PDF user space and the page as it is displayed."""

from __future__ import annotations

import math
from typing import NamedTuple

from PIL.Image import Transpose

from archive_pipeline.rendering.model import Matrix

PointsPerInch = 72.0


class PageBox(NamedTuple):
    """The visible part of a PDF page, in user space (before /Rotate)."""

    left: float
    bottom: float
    right: float
    top: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.top - self.bottom


def then(first: Matrix, second: Matrix) -> Matrix:
    """The map that does ``first`` and then ``second``."""
    a, b, c, d, e, f = first
    p, q, r, s, t, u = second
    return (p * a + r * b, q * a + s * b, p * c + r * d, q * c + s * d, p * e + r * f + t, q * e + s * f + u)


def inverse(matrix: Matrix) -> Matrix:
    """The map back.

    Raises:
        ZeroDivisionError: It flattens the plane.
    """
    a, b, c, d, e, f = matrix
    k = 1 / (a * d - b * c)
    return (d * k, -b * k, -c * k, a * k, (c * f - d * e) * k, (b * e - a * f) * k)


def apply(matrix: Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def box_of(matrix: Matrix, left: float, bottom: float, right: float, top: float) -> PageBox:
    """Smallest upright box around the image of a box."""
    corners = [apply(matrix, x, y) for x in (left, right) for y in (bottom, top)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return PageBox(min(xs), min(ys), max(xs), max(ys))


def display(box: PageBox, rotation: int, width: int, height: int) -> Matrix:
    """From user space to pixels of the displayed page, which fills ``width`` x ``height`` pixels exactly.

    Args:
        rotation: The page's /Rotate: 0, 90, 180 or 270 degrees clockwise.
    """
    left, bottom, right, top = box
    w, h = box.width, box.height
    if rotation == 90:
        return (0, height / w, width / h, 0, -bottom * width / h, -left * height / w)
    if rotation == 180:
        return (-width / w, 0, 0, height / h, right * width / w, -bottom * height / h)
    if rotation == 270:
        return (0, -height / w, -width / h, 0, top * width / h, right * height / w)
    return (width / w, 0, 0, -height / h, -left * width / w, top * height / h)


def image_to_user(ctm: Matrix, width: int, height: int) -> Matrix:
    """From pixels of an image to user space, for an image painted under ``ctm`` (PDF 32000-1, 8.9.5.2)."""
    return then((1 / width, 0, 0, -1 / height, 0, 1), ctm)


# Which way the rows and columns of the image run on the displayed page: swapped or not, x backwards, y backwards.
_TRANSPOSE = {
    (False, False, False): None,
    (False, True, False): Transpose.FLIP_LEFT_RIGHT,
    (False, False, True): Transpose.FLIP_TOP_BOTTOM,
    (False, True, True): Transpose.ROTATE_180,
    (True, False, False): Transpose.TRANSPOSE,
    (True, True, False): Transpose.ROTATE_270,
    (True, False, True): Transpose.ROTATE_90,
    (True, True, True): Transpose.TRANSVERSE,
}
_SKEW = 0.002
"""Tangent of the largest angle (0.1 degrees) that still counts as straight."""


class Turn(NamedTuple):
    """How an image must be turned to stand as a reader sees it."""

    transpose: Transpose | None
    to_image: Matrix
    """From pixels of the turned image to pixels of the image as stored."""


def turn(ctm: Matrix, rotation: int, width: int, height: int) -> Turn | None:
    """How to turn a ``width`` x ``height`` image painted under ``ctm`` on a page with that /Rotate.

    Returns:
        None if it is painted at a slant.
    """
    to_display = then(image_to_user(ctm, width, height), display(PageBox(0, 0, 1, 1), rotation, 1, 1))
    a, b, c, d, _, _ = to_display
    # Lengths in display units of the image's whole width and height.
    xx, xy, yx, yy = a * width, b * width, c * height, d * height
    if abs(xy) <= _SKEW * abs(xx) and abs(yx) <= _SKEW * abs(yy):
        swapped, back_x, back_y = False, xx < 0, yy < 0
        to_image: Matrix = (
            -1 if back_x else 1,
            0,
            0,
            -1 if back_y else 1,
            width if back_x else 0,
            height if back_y else 0,
        )
    elif abs(xx) <= _SKEW * abs(xy) and abs(yy) <= _SKEW * abs(yx):
        # The image's y runs along the display's x, and its x along the display's y.
        swapped, back_x, back_y = True, yx < 0, xy < 0
        to_image = (
            0,
            -1 if back_x else 1,
            -1 if back_y else 1,
            0,
            width if back_y else 0,
            height if back_x else 0,
        )
    else:
        return None
    return Turn(_TRANSPOSE[swapped, back_x, back_y], to_image)


def resolution(placement: Matrix, user_unit: float) -> float:
    """Dots per inch of a page image, as the geometric mean of both directions.

    Args:
        user_unit: Size of a unit of user space, in 1/72 inch.
    """
    a, b, c, d, _, _ = placement
    return PointsPerInch / (math.sqrt(abs(a * d - b * c)) * user_unit)
