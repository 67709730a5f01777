"""Image files as page images: TIFF with its many frames, JPEG, PNG, JPEG 2000, WebP.

A JPEG or PNG that every program shows the same way is copied byte for byte. Everything else becomes an 8-bit grey or
RGB PNG: turned upright by its EXIF orientation, transparency on white, deeper samples scaled down.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image, PngImagePlugin, TiffImagePlugin

from archive_pipeline.errors import ArchiveError, DamagedFile, NoPages, TooLarge
from archive_pipeline.rendering.formats import JPEG, PNG, Format
from archive_pipeline.rendering.jpeg import bomb_limit, orientation, plain_jpeg
from archive_pipeline.rendering.model import PageImage, RenderOptions
from archive_pipeline.rendering.output import write_as_is, write_png
from archive_pipeline.rendering.pixels import upright
from archive_pipeline.rendering.reader import Identity, identity, independent

_PLAUSIBLE_DPI = (30, 2400)
_NEW_SUBFILE_TYPE, _REDUCED = 254, 1


@contextmanager
def _opened(file: BinaryIO, form: Format, options: RenderOptions) -> Iterator[Image.Image]:
    """Open an image whose size is within the limit; nothing is decoded.

    Raises:
        TooLarge, DamagedFile: It has too many pixels, or is not readable as what its first bytes say.
    """
    with bomb_limit(options.max_pixels), independent(file) as own:
        try:
            with Image.open(own, formats=form.pillow) as image:
                yield image
        except (ArchiveError, MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise
        except Exception as error:
            # Pillow's readers raise anything from struct.error to IndexError on a damaged file.
            raise DamagedFile(f"the image is damaged: {error}") from error


def count_pages(file: BinaryIO, form: Format, options: RenderOptions) -> int:
    """Number of pages; more than one in TIFF files only.

    Raises:
        TooLarge, DamagedFile, NoPages: See :func:`_opened`; or it has too many pages, or none.
    """
    with _opened(file, form, options) as image:
        return len(_page_frames(file, image, options))


_frames: dict[Identity | None, list[int]] = {}
"""The page frames of the file that was looked at last; finding them takes a walk through the whole file."""


def is_thumbnail(image: Image.Image) -> bool:
    """Whether the current frame of a TIFF file is a smaller copy of another one, and so no page."""
    return isinstance(image, TiffImagePlugin.TiffImageFile) and bool(
        int(image.tag_v2.get(_NEW_SUBFILE_TYPE, 0)) & _REDUCED
    )


def _page_frames(file: BinaryIO, image: Image.Image, options: RenderOptions) -> list[int]:
    """Which frames of a file are pages: all of a TIFF but its thumbnails, one of any other."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return [0]
    key = identity(file)
    if key is not None and key in _frames:
        return _frames[key]
    frames = []
    for number in range(2 * options.max_pages + 2):
        try:
            image.seek(number)
        except EOFError:
            break
        if not is_thumbnail(image):
            frames.append(number)
    if not frames:
        raise NoPages("the TIFF file has no pages")
    if len(frames) > options.max_pages:
        raise TooLarge(f"the file has more than {options.max_pages} pages")
    _frames.clear()
    _frames[key] = frames
    return frames


def render_image(
    file: BinaryIO, form: Format, index: int, number: int, options: RenderOptions, out_dir: Path
) -> PageImage:
    """Make the page image of one page of an image file.

    Args:
        index: Of the page in this file, from 0.
        number: Of the page in the document, from 1.

    Raises:
        TooLarge, DamagedFile: The page has too many pixels, or cannot be decoded to its end.
        OSError: The page image cannot be written.
    """
    with _opened(file, form, options) as image:
        frames = _page_frames(file, image, options)
        if index >= len(frames):
            raise DamagedFile("the file has fewer pages than before")
        image.seek(frames[index])
        dpi = _dpi(image)
        data = _plain_bytes(file, form, image, options)
        size = image.size
        page = None if data else upright(image)
    if data:
        written = write_as_is(data, ".jpg" if form == JPEG else ".png", number, size, out_dir)
    elif page:
        written = write_png(page, number, dpi, out_dir)
    return PageImage(
        number=number,
        file=written.file,
        sha256=written.sha256,
        width=written.width,
        height=written.height,
        dpi=dpi,
        method="image-file",
    )


def _plain_bytes(file: BinaryIO, form: Format, image: Image.Image, options: RenderOptions) -> bytes | None:
    """The bytes of the file, if it is a page image already; None if it must be converted."""
    if form == PNG:
        # The raw mode says how deep the samples are: 16-bit colour is mode RGB, too.
        raw_mode = image.tile[0].args if isinstance(image, PngImagePlugin.PngImageFile) else None
        plain = image.mode in ("L", "RGB") and raw_mode == image.mode and "transparency" not in image.info
        if not plain or getattr(image, "is_animated", False) or orientation(image) != 1:
            return None
        image.load()
    elif form != JPEG:
        return None
    with independent(file) as own:
        data = own.read()
    return data if form == PNG or plain_jpeg(data, options.max_pixels) else None


def _dpi(image: Image.Image) -> float:
    """Of the image's metadata, where they are plausible; 0 if not."""
    try:
        x, y = (float(value) for value in image.info["dpi"])
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return 0
    low, high = _PLAUSIBLE_DPI
    return round(math.sqrt(x * y), 2) if low <= x <= high and low <= y <= high else 0
