"""Lines as they might have been written and photographed: what makes a few hundred of them enough.

Each is drawn from a generator of its own, seeded by what it is for, so that a training that goes on after a kill sees
the very same lines.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from archive_pipeline.engines.base import Image

_STRETCH, _TALLER, _SLANT, _TURN = 0.15, 0.12, 0.3, 0.008
_WAVE = 60  # pixels from one height of the wavy baseline to the next


def augmented(line: Image, strength: float, draw: np.random.Generator) -> Image:
    """A line image of the same height: slanted, stretched, bent, blurred, thinner or thicker, darker or lighter.

    Args:
        line: height x width x 3.
        strength: 0 gives the line itself.
    """
    if strength <= 0:
        return line
    changed = _bent(_slanted(line, strength, draw), strength, draw)
    return _lit(_inked(changed, strength, draw), strength, draw)


def _slanted(line: Image, strength: float, draw: np.random.Generator) -> Image:
    height, width = line.shape[:2]
    across = 1 + draw.uniform(-_STRETCH, _STRETCH) * strength
    down = 1 + draw.uniform(-_TALLER, _TALLER) * strength
    slant, turn = draw.uniform(-_SLANT, _SLANT) * strength, draw.uniform(-_TURN, _TURN) * strength
    middle = height / 2
    shift = middle * (1 - down) - turn * width / 2 + draw.uniform(-2, 2) * strength
    matrix = np.array([[across, -slant, slant * middle], [turn, down, shift]], np.float32)
    size = (max(16, round(width * across)), height)
    return _warped(cv2.warpAffine(line, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _bent(line: Image, strength: float, draw: np.random.Generator) -> Image:
    if draw.random() >= 0.3 * strength:
        return line
    height, width = line.shape[:2]
    heights = draw.normal(0, 1.2, max(2, width // _WAVE) + 2)
    wave = np.interp(np.arange(width), np.linspace(0, width, len(heights)), heights).astype(np.float32)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return _warped(cv2.remap(line, x, y + wave[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _inked(line: Image, strength: float, draw: np.random.Generator) -> Image:
    kind = draw.random() / strength
    if kind < 0.15:
        return _warped(cv2.GaussianBlur(line, (3, 3), draw.uniform(0.4, 1.2)))
    if kind < 0.35:
        change = cv2.erode if kind < 0.25 else cv2.dilate
        return _warped(change(line, np.ones((2, 2), np.uint8)))
    return line


def _lit(line: Image, strength: float, draw: np.random.Generator) -> Image:
    values: NDArray[np.float32] = line.astype(np.float32)
    mean = float(values.mean())
    contrast, light = 1 + draw.uniform(-0.25, 0.25) * strength, draw.uniform(-25, 25) * strength
    values = (values - mean) * np.float32(contrast) + np.float32(mean + light)
    if draw.random() < 0.3 * strength:
        values += draw.normal(0, draw.uniform(2, 8), values.shape).astype(np.float32)
    return np.clip(values, 0, 255).astype(np.uint8)


def _warped(image: NDArray[np.generic]) -> Image:
    """OpenCV's own types know nothing of the kind of pixels, which stays."""
    return image.astype(np.uint8, copy=False)
