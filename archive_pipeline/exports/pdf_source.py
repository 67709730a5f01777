"""The pages of a searchable PDF before it has any text: those of the source PDF, or made from image files.

Pages of a PDF stay as they are. Image files are embedded untouched where PDF can hold them (JPEG, JPEG 2000, and
losslessly PNG and TIFF), turned by ``/Rotate`` where their EXIF data says so. An image that PDF cannot hold (mirrored,
JPEG inside TIFF, WebP) is replaced by its page image.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import img2pdf
import numpy as np
import pikepdf
from PIL import Image, ImageSequence

from archive_pipeline.errors import DamagedFile, DocumentFailed, NoPages, PasswordProtected, printable
from archive_pipeline.rendering.geometry import PageBox, display, inverse
from archive_pipeline.rendering.images import is_thumbnail
from archive_pipeline.rendering.model import Matrix, PageImage

UNKNOWN_DPI = 200.0
"""Assumed for images that do not say, or say 72 or less, which cameras and web pages write without a thought: a page
of 2,000 by 3,000 pixels becomes 25 by 38 cm."""

_ROTATIONS = {1: 0, 3: 180, 6: 90, 8: 270}
"""Degrees by EXIF orientation; the others are mirrored, which /Rotate cannot say."""
_ORIENTATION = 0x0112
_FORMATS = ("JPEG", "PNG", "TIFF", "JPEG2000", "WEBP")
_A4 = (595.276, 841.89)
_LOSSY_TIFF = {"jpeg", "webp", "tiff_jpeg"}
_CHUNK = 32 << 20  # bytes of images that are held in memory before they go to the scratch folder

OpenImage = Callable[[PageImage], BinaryIO]
"""Opens the file of a page image."""


def open_pdf(source: BinaryIO) -> pikepdf.Pdf:
    """Open a source PDF. One that has only an owner's password opens, and is saved without it.

    Raises:
        PasswordProtected: It asks for a password to be read.
        DamagedFile: It is no PDF that can be read.
    """
    try:
        return pikepdf.open(source)
    except pikepdf.PasswordError:
        raise PasswordProtected("the PDF asks for a password") from None
    except pikepdf.PdfError as error:
        raise DamagedFile(f"the PDF cannot be read: {error}") from error


@dataclass(frozen=True)
class Frame:
    """An image file of one frame.

    Attributes:
        data: The file; None if PDF cannot hold it, so that its page image has to stand in for it.
        rotation: Degrees clockwise by which it is turned to be upright.
    """

    data: bytes | None
    rotation: int = 0


class ImagePages:
    """Collects image files as pages of a new PDF, in chunks on the disk.

    Args:
        scratch: Folder for the chunks.
        open_image: Opens page images, for those that have to stand in for their source.

    Attributes:
        notes: What a person should know of single pages.
    """

    def __init__(self, scratch: Path, open_image: OpenImage) -> None:
        self._scratch = scratch
        self._open_image = open_image
        self._pdf: pikepdf.Pdf | None = None
        self._chunk = pikepdf.new()
        self._waiting = 0
        self._parts: list[Path] = []
        self._count = 0
        self.notes: list[str] = []

    def add(self, frame: Frame, images: Sequence[PageImage | None]) -> None:
        """Add the next page.

        Args:
            frame: What the source has for it.
            images: The records of all page images.

        Raises:
            DocumentFailed: There are more frames than page images.
        """
        if self._count == len(images):
            raise DocumentFailed(f"the source has more than the {len(images)} pages that were read")
        self._count += 1
        data = self._as_pdf(frame, images[self._count - 1])
        if data is None:
            self._chunk.add_blank_page(page_size=_A4)
            self.notes.append(f"Page {self._count} is empty: its image cannot be put into a PDF.")
        else:
            with pikepdf.open(io.BytesIO(data)) as single:
                self._chunk.pages.append(single.pages[0])
            self._waiting += len(data)
        if self._waiting > _CHUNK:
            self._flush()

    def finish(self) -> pikepdf.Pdf:
        """The PDF of all pages; it can be saved until :meth:`close`.

        Raises:
            NoPages: Nothing was added.
        """
        self._flush()
        if not self._parts:
            raise NoPages("there are no images")
        merged = self._parts[0]
        if len(self._parts) > 1:
            # qpdf itself copies from file to file; appending pages with pikepdf would load every image into memory.
            merged = self._scratch / "pages.pdf"
            parts = [{"file": str(path), "range": "1-z"} for path in self._parts]
            pikepdf.Job({"inputFile": parts[0]["file"], "pages": parts, "outputFile": str(merged)}).run()
            self._clear()
            self._parts.append(merged)
        self._pdf = pikepdf.open(merged, access_mode=pikepdf.AccessMode.stream)
        if "/ID" in self._pdf.trailer:
            del self._pdf.trailer["/ID"]  # made of the time at which the images were joined
        return self._pdf

    def close(self) -> None:
        """Close the PDF and remove its chunks."""
        self._chunk.close()
        if self._pdf is not None:
            self._pdf.close()
        self._clear()

    def _clear(self) -> None:
        while self._parts:
            self._parts.pop().unlink()

    def _as_pdf(self, frame: Frame, image: PageImage | None) -> bytes | None:
        dpi = image.dpi if image is not None and image.dpi > 72 else UNKNOWN_DPI
        reason = "PDF cannot hold this kind of image as it is"
        if frame.data is not None:
            try:
                return _one_page(frame.data, frame.rotation, dpi)
            except _IMG2PDF_ERRORS as error:
                reason = printable(error)
        if image is None:
            return None
        self.notes.append(f"Page {self._count} shows the page image instead of the original: {reason}.")
        with self._open_image(image) as file:
            return _one_page(file.read(), 0, dpi)

    def _flush(self) -> None:
        """Move what was added since the last time from memory to the disk."""
        if not len(self._chunk.pages):
            return
        path = self._scratch / f"pages-{len(self._parts)}.pdf"
        self._parts.append(path)
        self._chunk.save(path)
        self._chunk.close()
        self._chunk, self._waiting = pikepdf.new(), 0


_IMG2PDF_ERRORS = (
    img2pdf.AlphaChannelError,
    img2pdf.ExifOrientationError,
    img2pdf.ImageOpenError,
    img2pdf.JpegColorspaceError,
    img2pdf.NegativeDimensionError,
    img2pdf.UnsupportedColorspaceError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
)


def _one_page(data: bytes, rotation: int, dpi: float) -> bytes:
    result = img2pdf.convert(
        data,
        layout_fun=img2pdf.get_fixed_dpi_layout_fun((dpi, dpi)),
        rotation=img2pdf.Rotation[str(rotation)],
        first_frame_only=True,
        nodate=True,
        engine=img2pdf.Engine.internal,
    )
    return bytes(result)


def frames(source: BinaryIO) -> Iterator[Frame]:
    """The frames of an image file, one after the other."""
    try:
        with Image.open(source, formats=_FORMATS) as image:
            if image.format == "TIFF" and getattr(image, "n_frames", 1) > 1:
                for frame in ImageSequence.Iterator(image):
                    if not is_thumbnail(frame):
                        yield _tiff_frame(frame)
                return
            rotation = _ROTATIONS.get(image.getexif().get(_ORIENTATION, 1))
            held = image.format != "WEBP" and image.info.get("compression") not in _LOSSY_TIFF and rotation is not None
    except (OSError, ValueError, Image.DecompressionBombError):
        rotation, held = 0, False
    if held:
        source.seek(0)
    yield Frame(source.read() if held else None, rotation or 0)


def _tiff_frame(frame: Image.Image) -> Frame:
    rotation = _ROTATIONS.get(frame.getexif().get(_ORIENTATION, 1))
    # Unpacked from its JPEG, such a frame would be ten times as large.
    if rotation is None or frame.info.get("compression") in _LOSSY_TIFF:
        return Frame(None)
    buffer = io.BytesIO()
    pixels = Image.fromarray(np.asarray(frame)) if frame.mode != "1" else frame.copy()
    pixels.save(buffer, "TIFF", compression="group4" if frame.mode == "1" else None)
    return Frame(buffer.getvalue(), rotation)


def placement(page: pikepdf.Page, image: PageImage) -> Matrix:
    """From pixels of an upright page image to user space of a page that is this image and no more."""
    rotation = int(page.obj.get(pikepdf.Name.Rotate, 0)) % 360
    return inverse(display(PageBox(*map(float, page.mediabox)), rotation, image.width, image.height))
