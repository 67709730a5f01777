"""A page as kraken's segmentation networks see it: not too wide, and of one height."""

# Without torch, which takes seconds to import: sealed children scale pages and do nothing else.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

HEIGHT = 1200
"""Pixels to which a page is scaled; 1,800 finds the same lines in twice the time."""

_WIDEST = 2.0  # width of the scaled page in heights: more takes memory without bound (kraken issue 765)


def not_too_wide(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The image ``(height, width, 3)``; a very wide one goes on below as it ends."""
    height, width = image.shape[:2]
    below = max(0, round(width / _WIDEST) - height)
    return np.pad(image, ((0, below), (0, 0), (0, 0)), mode="edge") if below else image


def scaled(image: NDArray[np.uint8], height: int, channels: int) -> NDArray[np.uint8]:
    """As kraken's own transforms do (``ImageInputTransforms``), before they make numbers of pixels.

    Args:
        channels: 1 for grey, 3 for RGB.

    Returns:
        ``(height, width, channels)``.
    """
    picture = PillowImage.fromarray(image).convert("RGB" if channels == 3 else "L")
    width = int(picture.width * height / picture.height)
    if width < 1:
        return np.zeros((height, 0, channels), np.uint8)
    made = picture.resize((width, height), PillowImage.Resampling.LANCZOS)
    return np.asarray(made, np.uint8).reshape(height, width, channels)
