"""Where the baseline of a detected line is, from its ink."""

from __future__ import annotations

import cv2
import numpy as np

from archive_pipeline.engines.base import Image
from archive_pipeline.engines.crops import Quad, cut_strip, to_points
from archive_pipeline.page import Point

_HEIGHT = 32


def baseline_of(image: Image, quad: Quad) -> tuple[Point, Point]:
    """The row under which the ink thins out most, in the lower part of the line, as two points on the page.

    Letters stand on the baseline and few go below it, so the profile of ink by row falls steepest there.
    """
    strip = cut_strip(image, quad, _HEIGHT)
    gray = cv2.cvtColor(strip.image, cv2.COLOR_RGB2GRAY)
    ink = np.maximum(0.0, float(np.median(gray)) - gray.astype(np.float64))
    profile = np.convolve(ink.mean(axis=1), np.ones(3) / 3, mode="same")
    low, high = int(0.45 * _HEIGHT), int(0.95 * _HEIGHT)
    fall = profile[low:high] - profile[low + 1 : high + 1]
    row = low + 1 + int(np.argmax(fall)) if fall.max(initial=0.0) > 0 else round(0.8 * _HEIGHT)
    ends = np.array([[[0.0, row], [strip.image.shape[1], row]]])
    start, end = to_points(cv2.perspectiveTransform(ends, strip.to_page)[0])
    return start, end
