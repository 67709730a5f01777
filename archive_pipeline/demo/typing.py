"""Typing on a page: characters at a fixed pitch with the faults of an old machine, or set in proportion like print.

The only font that is sure to be there is the Noto Sans that comes with OCRmyPDF (SIL Open Font License); put at a fixed
pitch, with uneven ink and jumping letters, it passes for typescript.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from archive_pipeline.errors import ModelError
from archive_pipeline.page import Box


@dataclass(frozen=True)
class TypedLine:
    """A line as it was put on the page.

    Attributes:
        box: Around its ink, in pixels.
        baseline: y of the baseline.
    """

    text: str
    box: Box
    baseline: int


@cache
def font_path() -> Path:
    """The demo's font file.

    Raises:
        ModelError: The package that carries it is missing.
    """
    spec = find_spec("ocrmypdf")
    if spec is None or spec.origin is None:
        raise ModelError("the demo's font comes with ocrmypdf, which is missing", remedy="Run make setup.")
    return Path(spec.origin).parent / "data" / "NotoSans-Regular.ttf"


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The demo's font at a size in pixels."""
    return ImageFont.truetype(str(font_path()), size)


def type_line(ink: Image.Image, text: str, left: int, baseline: int, size: int, draw: random.Random) -> TypedLine:
    """Type a line at a fixed pitch onto a layer of ink (mode L, 0 is no ink)."""
    face, pitch = font(size), round(size * 0.64)
    top, bottom, right = baseline, baseline, left
    for position, character in enumerate(text):
        if character == " ":
            continue
        stamp = Image.new("L", (2 * size, 2 * size), 0)
        ImageDraw.Draw(stamp).text((size, 3 * size // 2), character, font=face, fill=255, anchor="ms")
        stamp = stamp.rotate(draw.gauss(0, 0.7), resample=Image.Resampling.BILINEAR)
        density = min(1.0, max(0.55, draw.gauss(0.88, 0.08)))
        stamp = stamp.point(lambda value, density=density: int(value * density))
        x = left + position * pitch + pitch // 2 + round(draw.gauss(0, size * 0.012))
        y = baseline + round(draw.gauss(0, size * 0.018))
        ink.paste(255, (x - size, y - 3 * size // 2), stamp)
        inked = stamp.getbbox()
        if inked:
            top = min(top, y - 3 * size // 2 + inked[1])
            bottom = max(bottom, y - 3 * size // 2 + inked[3])
            right = x - size + inked[2]
    return TypedLine(text, (left, top, right, bottom), baseline)


def set_line(ink: Image.Image, text: str, left: int, baseline: int, size: int) -> TypedLine:
    """Set a line in proportion, as print is."""
    pen = ImageDraw.Draw(ink)
    pen.text((left, baseline), text, font=font(size), fill=235, anchor="ls")
    box = pen.textbbox((left, baseline), text, font=font(size), anchor="ls")
    return TypedLine(text, (int(box[0]), int(box[1]), int(box[2]), int(box[3])), baseline)
