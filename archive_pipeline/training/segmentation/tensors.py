"""Pixels as kraken gives them to a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def as_input(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """0 for the lightest of the page, up to 1 for black.

    Args:
        pixels: ``(height, width, channels)``.

    Returns:
        ``(1, channels, height, width)``.
    """
    scaled = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1))).float() / 255
    return (scaled.max() - scaled)[None]
