"""Writing a page image: losslessly, quickly, and with what the rest of the house must know of it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageChops

# Level 1 writes a page four times as fast as the default and makes it about a tenth larger.
_COMPRESS_LEVEL = 1


class Written(NamedTuple):
    """A page image file; size in pixels."""

    file: str
    sha256: str
    width: int
    height: int


def write_png(image: Image.Image, number: int, dpi: float, out_dir: Path) -> Written:
    """Write a page image of mode L or RGB.

    Args:
        number: Page of the document, from 1.
        dpi: 0 if unknown.
        out_dir: Folder; its parent process takes the file from there.

    Raises:
        OSError: It cannot be written.
    """
    path = out_dir / f"{number:04d}.png"
    options = {"dpi": (dpi, dpi)} if dpi else {}
    image.info.clear()  # no colour profile, comment or date of the source goes into ours
    with path.open("wb") as file:
        image.save(file, "PNG", compress_level=_COMPRESS_LEVEL, **options)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(path.name, digest, image.width, image.height)


def write_as_is(data: bytes, suffix: str, number: int, size: tuple[int, int], out_dir: Path) -> Written:
    """Write the bytes of an image file that is a page image already.

    Args:
        suffix: With its dot.
        size: Width and height in pixels.

    Raises:
        OSError: It cannot be written.
    """
    path = out_dir / f"{number:04d}{suffix}"
    path.write_bytes(data)
    return Written(path.name, hashlib.sha256(data).hexdigest(), *size)


def gray_if_gray(image: Image.Image) -> Image.Image:
    """An RGB image that shows no colour, as mode L: a third of the size and of the work downstream."""
    if image.mode != "RGB":
        return image
    red, green, blue = image.split()
    if ImageChops.difference(red, green).getbbox() or ImageChops.difference(green, blue).getbbox():
        return image
    return green
