"""A small picture of a page with its regions and lines drawn on it, to see at a glance whether they were found."""

from __future__ import annotations

import cv2
import numpy as np

from archive_pipeline.engines.base import Image
from archive_pipeline.page import DOUBTFUL, Page, Point

_LONG_SIDE = 640
_REGION = (200, 120, 0)
_SURE, _UNSURE, _UNREAD = (0, 140, 0), (0, 140, 255), (0, 0, 220)  # BGR


def draw_preview(image: Image, page: Page) -> bytes:
    """JPEG, at most 640 pixels long: blue regions; lines green, orange where in doubt, red where unread."""
    scale = min(1.0, _LONG_SIDE / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    canvas = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    for region in page.regions:
        _polygon(canvas, region.boundary, scale, _REGION)
        for line in region.lines:
            unread = not line.best_text and line.confidence is not None
            colour = _UNREAD if unread else _UNSURE if (line.confidence or 1) < DOUBTFUL else _SURE
            _polygon(canvas, line.boundary, scale, colour)
    return bytes(cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, 50])[1].tobytes())


def _polygon(canvas: Image, points: tuple[Point, ...], scale: float, colour: tuple[int, int, int]) -> None:
    if points:
        corners = np.round(np.array(points, dtype=np.float64) * scale).astype(np.int32)
        cv2.polylines(canvas, [corners], isClosed=True, color=colour, thickness=1, lineType=cv2.LINE_AA)
