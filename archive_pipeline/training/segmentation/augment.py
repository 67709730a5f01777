"""Small changes to a page, each time others: as if it had been laid on the scanner once more."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from archive_pipeline.training.segmentation.prepared import PreparedPage
from archive_pipeline.training.segmentation.shapes import Shapes

_TURN = 2.0  # degrees
_SCALE = 0.1
_MOVE = 0.02  # of width and height
_LIGHT = 0.15


def changed(page: PreparedPage, draw: np.random.Generator) -> tuple[NDArray[np.uint8], Shapes]:
    """A page turned, scaled, moved and lit a little, with its shapes.

    kraken's own augmentation turns pages by up to 45 degrees, which no scan is, and warps the drawn target; here the
    points are moved, and drawn afterwards.
    """
    height, width = page.pixels.shape[:2]
    matrix = _matrix(width, height, draw)
    contrast, light = 1 + draw.uniform(-_LIGHT, _LIGHT), 255 * draw.uniform(-_LIGHT, _LIGHT) / 2
    moved = cv2.warpAffine(
        page.pixels, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).reshape(page.pixels.shape)
    lit = np.clip((moved.astype(np.float32) - 128) * contrast + 128 + light, 0, 255).astype(np.uint8)
    return lit, page.shapes.moved(matrix)


def _matrix(width: int, height: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """``(2, 3)``: around the middle of the page."""
    angle = math.radians(draw.uniform(-_TURN, _TURN))
    scale = 1 + draw.uniform(-_SCALE, _SCALE)
    turn = scale * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    middle = np.array([width / 2, height / 2])
    move = np.array([width, height]) * draw.uniform(-_MOVE, _MOVE, 2)
    return np.hstack([turn, (middle - turn @ middle + move)[:, None]])
