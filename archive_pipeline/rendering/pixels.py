"""Any image that Pillow reads as an upright 8-bit image, grey or RGB."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from archive_pipeline.rendering.jpeg import orientation
from archive_pipeline.rendering.output import gray_if_gray

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SAMPLE_BITS = (8, 10, 12, 14, 16)


def upright(image: Image.Image) -> Image.Image:
    """Decode an image, turn it by its EXIF orientation and bring it to mode L or RGB.

    Raises:
        OSError, ValueError: It cannot be decoded.
    """
    image.load()
    # Pillow has turned a TIFF by now, and taken the mark away.
    turn = _TURNS.get(orientation(image))
    page = to_8_bit(image)
    return page.transpose(turn) if turn is not None else page


def to_8_bit(image: Image.Image) -> Image.Image:
    """Mode L or RGB: transparency on white, palettes resolved, deeper samples scaled."""
    mode = image.mode
    if mode in ("L", "RGB") and "transparency" not in image.info:
        return image
    if mode == "1":
        return image.convert("L")
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_scaled(np.asarray(image)))
    if mode == "LAB":
        to_rgb = ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
        return ImageCms.applyTransform(image, to_rgb) or image
    if "transparency" in image.info or mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        if mode in ("RGBa", "La"):
            image = image.convert("RGBA" if mode == "RGBa" else "LA")
        white = Image.new("RGBA", image.size, "white")
        return gray_if_gray(Image.alpha_composite(white, image.convert("RGBA")).convert("RGB"))
    return gray_if_gray(image.convert("RGB"))


def _scaled(samples: NDArray[Any]) -> NDArray[np.uint8]:
    """Samples of any depth as 8 bits.

    Scanners store 10, 12 or 14 bits in 16 and nothing says so but the largest sample; taken for 16 bits, such a page
    would be black.
    """
    if samples.dtype.kind == "f":
        samples = np.nan_to_num(samples)
        top = float(samples.max(initial=0))
        scale = 255.0 if top <= 1 else 1.0 if top <= 255 else 255.0 / top
        return np.clip(samples * scale, 0, 255).astype(np.uint8)
    top = int(samples.max(initial=0))
    bits = next((bits for bits in _SAMPLE_BITS if top < 1 << bits), top.bit_length())
    result: NDArray[np.uint8] = (np.clip(samples, 0, None) >> (bits - 8)).astype(np.uint8)
    return result
