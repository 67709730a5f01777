"""Ditto marks in typed tables: told by their shape where the reading contradicts the ink.

A recogniser of text lines sees a pair of short strokes blown up to the height of a letter and reads ``n``, ``#`` or
``18``. Wrong numbers in a register do harm, so a short line is looked at again: ink that is much lower than a line and
made of two strokes side by side is no digit and no capital.
"""

from __future__ import annotations

import cv2
import numpy as np

from archive_pipeline.engines.base import Image

_LOW = 0.45  # ink of a mark, in heights of the strip; a digit has more than 0.5
_SURE = 0.9
_TALL = set("bdfhklt#$%&!?|/()[]{}ß")


def is_ditto(strip: Image, text: str, confidence: float) -> bool:
    """Is this strip a ditto mark although it was read as ``text``?

    Args:
        strip: A line image with some white above and below the letters.
        text: What the recogniser made of it.
        confidence: How sure it was, 0 to 1.
    """
    height, width = strip.shape[:2]
    if width > 1.2 * height:
        return False
    gray = cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)
    threshold, ink = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)
    if float(np.median(gray)) - threshold < 15:  # no ink, only paper
        return False
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink)
    parts = [stats[i] for i in range(1, count) if stats[i][cv2.CC_STAT_AREA] >= 0.005 * height * height]
    if not 1 <= len(parts) <= 2:
        return False
    left = min(p[cv2.CC_STAT_LEFT] for p in parts)
    top = min(p[cv2.CC_STAT_TOP] for p in parts)
    right = max(p[cv2.CC_STAT_LEFT] + p[cv2.CC_STAT_WIDTH] for p in parts)
    bottom = max(p[cv2.CC_STAT_TOP] + p[cv2.CC_STAT_HEIGHT] for p in parts)
    tall, wide = bottom - top, right - left
    # A digit or capital is taller; a small letter stands lower.
    contradiction = len(text) > 1 or any(c.isdigit() or c.isupper() or c in _TALL for c in text)
    if confidence >= _SURE and not contradiction and (top + bottom) / 2 > 0.48 * height:
        return False
    if tall > _LOW * height or not 0.6 * tall <= wide <= 2.0 * tall:
        return False
    return _has_two_strokes(ink[top:bottom, left:right])


def _has_two_strokes(ink: Image) -> bool:
    """More ink left and right than in the middle."""
    columns = (ink > 0).mean(axis=0)
    third = max(1, len(columns) // 3)
    valley = float(columns[third : len(columns) - third].min(initial=1.0))
    return valley < 0.6 * min(float(columns[:third].max()), float(columns[-third:].max()))
