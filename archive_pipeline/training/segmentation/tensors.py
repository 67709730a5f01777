"""Pixels as kraken gives them to a network."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms.v2.functional import to_dtype


def as_input(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """0 for the lightest of the page, up to 1 for black.

    Args:
        pixels: ``(height, width, channels)``.

    Returns:
        ``(1, channels, height, width)``.
    """
    whole = torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C"))
    scaled: torch.Tensor = to_dtype(whole, torch.float32, scale=True)  # torchvision's, to the last bit
    return (scaled.max() - scaled)[None]
