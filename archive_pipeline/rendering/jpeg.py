"""Opening images within our limit, and when the bytes of a JPEG can be taken as they are."""

from __future__ import annotations

import io
import re
import struct
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ExifTags, Image, UnidentifiedImageError

from archive_pipeline.errors import DamagedFile, TooLarge

_END = b"\xff\xd9"


def orientation(image: Image.Image) -> int:
    """The EXIF orientation: 1 (upright) to 8. Broken EXIF data counts as none, as in every viewer."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, ZeroDivisionError, struct.error):
        return 1
    return value if value in range(1, 9) else 1


def plain_jpeg(data: bytes, max_pixels: int) -> tuple[str, tuple[int, int]] | None:
    """Mode and size of a JPEG that every program shows the same way: grey or RGB, 8 bits, not turned.

    Returns:
        None for any other: CMYK, 12 bits, turned by EXIF, or not a JPEG.

    Raises:
        TooLarge: It has more than ``max_pixels``.
        DamagedFile: Its end is missing.
    """
    try:
        with bomb_limit(max_pixels), Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            if image.mode not in ("L", "RGB") or orientation(image) != 1:
                return None
            # Whatever follows the picture (padding, a second picture of a phone) must not hide that its end is missing.
            if not data.rstrip(b"\0\r\n").endswith(_END):
                image.load()
            return image.mode, image.size
    except UnidentifiedImageError:
        return None
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedFile(f"its JPEG image is damaged: {error}") from None


@contextmanager
def bomb_limit(max_pixels: int) -> Iterator[None]:
    """Have Pillow check every image and frame against our limit; its default hits legitimate scans.

    Raises:
        TooLarge: An image has more pixels than that.
    """
    Image.MAX_IMAGE_PIXELS = max_pixels
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Pillow warns up to twice the limit.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            yield
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            pixels = re.search(r"[0-9]+", str(error))
            raise TooLarge(
                f"the image has {pixels[0] if pixels else 'more'} pixels, the limit is {max_pixels}"
            ) from None
