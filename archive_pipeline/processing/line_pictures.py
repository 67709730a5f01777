"""Small pictures of lines, to see beside a text what it was read from. Made in a sealed child."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2

from archive_pipeline.engines.base import Image
from archive_pipeline.page import Box

MAX_BYTES = 200_000
"""No picture has more."""
_LONG_SIDE, _SHORT_SIDE = 900, 72
_PADDING = 0.1
"""Of the line's short side, on each side of it: letters reach out of their outlines."""


def cut_lines(image: Image, boxes: Sequence[Box]) -> Iterator[bytes]:
    """JPEGs of parts of a page image, in the order of their boxes; one that lies beyond the image is empty bytes.

    Args:
        image: RGB.
        boxes: In its pixels.
    """
    height, width = image.shape[:2]
    for left, top, right, bottom in boxes:
        pad = max(2, round(min(right - left, bottom - top) * _PADDING))
        part = image[max(0, top - pad) : min(height, bottom + pad), max(0, left - pad) : min(width, right + pad)]
        if 0 in part.shape:
            yield b""
            continue
        scale = min(1.0, _LONG_SIDE / max(part.shape[:2]), _SHORT_SIDE / min(part.shape[:2]))
        size = (max(1, round(part.shape[1] * scale)), max(1, round(part.shape[0] * scale)))
        small = cv2.cvtColor(cv2.resize(part, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
        yield bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes())
