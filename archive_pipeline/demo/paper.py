"""Making a clean page look like a scan of old paper."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from archive_pipeline.demo.typing import TypedLine
from archive_pipeline.page import Line, Page, Point, Region, RegionType

Pixels = NDArray[np.uint8]


def scan(ink: Image.Image, skew: float, draw: random.Random, *, stains: int = 2) -> Pixels:
    """Turn a layer of ink (mode L) by ``skew`` degrees, and put it on paper with grain, stains and a dark edge.

    Returns:
        height x width x 3, RGB.
    """
    noise = np.random.default_rng(draw.randrange(1 << 30))
    height, width = ink.height, ink.width
    turned = ink.rotate(skew, resample=Image.Resampling.BICUBIC)
    layer = cv2.GaussianBlur(np.asarray(turned), (0, 0), 0.7).astype(np.float32) / 255
    grain = noise.normal(0, 1, (height, width)).astype(np.float32)
    coarse = cv2.resize(noise.normal(0, 1, (height // 16 + 1, width // 16 + 1)).astype(np.float32), (width, height))
    tone = 1 + 0.012 * grain + 0.012 * coarse
    for _ in range(stains):
        centre = (draw.randrange(width), draw.randrange(height))
        stain = np.zeros((height, width), np.float32)
        cv2.circle(stain, centre, draw.randrange(width // 20, width // 8), 1.0, -1)
        tone -= 0.09 * cv2.GaussianBlur(stain, (0, 0), width / 80)
    ramp = np.minimum(np.linspace(0, 1, width), np.linspace(1, 0, width))
    tone *= (0.93 + 0.07 * np.clip(ramp * 30, 0, 1)).astype(np.float32)
    paper = np.array([236, 228, 208], np.float32)[None, None, :] * tone[:, :, None]
    # A ribbon does not ink evenly.
    layer = layer * np.clip(0.94 + 0.05 * coarse, 0.7, 1.0)
    page = paper * (1 - layer[:, :, None]) + np.array([42, 40, 52], np.float32) * layer[:, :, None]
    result: Pixels = np.clip(page, 0, 255).astype(np.uint8)
    return result


def turned_point(x: float, y: float, width: int, height: int, skew: float) -> Point:
    """Where a point of the ink layer lies after :func:`scan` has turned it."""
    angle = math.radians(skew)
    dx, dy = x - width / 2, y - height / 2
    return (
        round(width / 2 + dx * math.cos(angle) + dy * math.sin(angle)),
        round(height / 2 - dx * math.sin(angle) + dy * math.cos(angle)),
    )


def truth(
    number: int, width: int, height: int, skew: float, blocks: Sequence[tuple[RegionType, Sequence[TypedLine]]]
) -> Page:
    """Ground truth of a page: its lines in reading order, turned like the page."""
    regions = []
    for at, (kind, typed) in enumerate(((k, [t for t in lines if t.text]) for k, lines in blocks), start=1):
        lines = []
        for position, line in enumerate(typed, start=1):
            left, top, right, bottom = line.box
            corners = [(left - 4, top - 4), (right + 4, top - 4), (right + 4, bottom + 4), (left - 4, bottom + 4)]
            lines.append(
                Line(
                    id=f"r{at}l{position}",
                    text=line.text,
                    boundary=tuple(turned_point(x, y, width, height, skew) for x, y in corners),
                    baseline=tuple(turned_point(x, line.baseline, width, height, skew) for x in (left, right)),
                )
            )
        if lines:
            points = [point for line in lines for point in line.boundary]
            left, right = min(x for x, _ in points), max(x for x, _ in points)
            top, bottom = min(y for _, y in points), max(y for _, y in points)
            around = ((left, top), (right, top), (right, bottom), (left, bottom))
            regions.append(Region(id=f"r{at}", type=kind, boundary=around, lines=tuple(lines)))
    status = "done" if regions else "blank"
    return Page(number=number, width=width, height=height, dpi=200, status=status, regions=tuple(regions))
