"""Strips as kraken's networks take them: inverted, padded with white, in batches."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from archive_pipeline.engines.base import Image

PADDING = 16
"""Pixels of white at both ends of a line, as kraken has it when it reads."""
_STEP = 64  # widths are rounded up to it: each shape costs memory for as long as the process lives


def batch_tensor(strips: Sequence[Image], channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Lines as a tensor N x channels x height x width (0 is white), and their widths with padding."""
    widths = [strip.shape[1] + 2 * PADDING for strip in strips]
    widest = -(-max(widths) // _STEP) * _STEP
    height = strips[0].shape[0]
    values = np.zeros((len(strips), height, widest, channels), np.float32)
    for index, strip in enumerate(strips):
        pixels = strip if channels == 3 else cv2.cvtColor(strip, cv2.COLOR_RGB2GRAY)[:, :, None]
        values[index, :, PADDING : PADDING + strip.shape[1]] = 1 - pixels.astype(np.float32) / 255
    lines = torch.from_numpy(values).permute(0, 3, 1, 2)
    return lines, torch.tensor(widths)
