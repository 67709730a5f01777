"""One page of a PDF as a page image, in one of two ways.

``embedded-image``: the page is one image, so that image is the page image, pixel for pixel. Bytes of a plain JPEG are
kept; other codings are decoded; images that do not stand upright are turned without loss.

``rendered``: everything else, by pdfium. At the configured resolution; or, where images fill the page but something
lies over them or they are masked, at the resolution of the finest of these, so that no detail of a scan is lost for a
stamp on it. A small image of high resolution has no say.
"""

from __future__ import annotations

import math
from pathlib import Path

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from archive_pipeline.errors import ArchiveError, DamagedFile, TooLarge
from archive_pipeline.rendering import born_digital
from archive_pipeline.rendering.bombs import MALFORMED, require_bounded, require_whole
from archive_pipeline.rendering.full_page_image import Makeup, examine
from archive_pipeline.rendering.geometry import (
    PageBox,
    PointsPerInch,
    display,
    image_to_user,
    inverse,
    resolution,
    then,
    turn,
)
from archive_pipeline.rendering.jpeg import plain_jpeg
from archive_pipeline.rendering.model import Matrix, Method, PageImage, RenderOptions
from archive_pipeline.rendering.output import Written, gray_if_gray, write_as_is, write_png
from archive_pipeline.rendering.page_content import PaintedImage
from archive_pipeline.rendering.pdf_document import OpenPdf

_FINEST = 600
"""Dots per inch above which a rendered page gains nothing for reading."""


def render_pdf_page(document: OpenPdf, index: int, number: int, options: RenderOptions, out_dir: Path) -> PageImage:
    """Make the page image of one page.

    Args:
        index: Of the page in this file, from 0.
        number: Of the page in the document, from 1.

    Raises:
        TooLarge: The page image, or an image on the page, would have too many pixels.
        DamagedFile: The page, or the image that it consists of, cannot be read.
        OSError: The page image cannot be written.
    """
    try:
        page = document.pdfium[index]
    except (pypdfium2.PdfiumError, IndexError):
        raise DamagedFile("the page cannot be read", page=number) from None
    try:
        return _PdfPage(document, page, index, number, options).write(out_dir)
    except ArchiveError as error:
        error.at(page=number)
        raise
    except (pypdfium2.PdfiumError, UnicodeDecodeError) as error:  # names in a PDF may have any bytes
        raise DamagedFile(f"the page cannot be read: {error}", page=number) from None
    finally:
        page.close()


class _PdfPage:
    def __init__(
        self, document: OpenPdf, page: pypdfium2.PdfPage, index: int, number: int, options: RenderOptions
    ) -> None:
        self._page = page
        self._number = number
        self._options = options
        self._box = PageBox(*page.get_bbox())
        if not (0 < self._box.width < math.inf and 0 < self._box.height < math.inf):
            raise DamagedFile("the page has no area")
        self._rotation = page.get_rotation()
        self._user_unit = 1.0
        self._makeup = Makeup()
        if document.structure is not None:
            structure = document.structure.pages[index]
            require_bounded(structure, options.max_pixels)
            if document.damaged:
                require_whole(structure)
            self._user_unit = _user_unit(structure)
            self._makeup = examine(structure, self._box, self._rotation)

    def write(self, out_dir: Path) -> PageImage:
        scan = self._scan_object() if self._makeup.alone else None
        if scan is not None and self._makeup.scan is not None:
            written, placement = self._write_scan(scan, self._makeup.scan, out_dir)
            method: Method = "embedded-image"
        else:
            written, placement = self._write_rendered(out_dir)
            method = "rendered"
        image = PageImage(
            number=self._number,
            file=written.file,
            sha256=written.sha256,
            width=written.width,
            height=written.height,
            dpi=round(resolution(placement, self._user_unit), 2),
            method=method,
            placement=placement,
        )
        # Text under a scan, or invisible on it, was read by another program; the page is a scan.
        if self._options.born_digital == "keep" and method == "rendered":
            return image.model_copy(update={"text": born_digital.extract(self._page, self._box, image)})
        return image

    def _scan_object(self) -> pypdfium2.PdfImage | None:
        """pdfium's handle on the scan."""
        if self._makeup.scan is None:
            return None
        images = self._page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE])
        same = [image for image in images if image.get_px_size() == self._makeup.scan.size]
        return same[-1] if same else None

    def _write_scan(self, image: pypdfium2.PdfImage, painted: PaintedImage, out_dir: Path) -> tuple[Written, Matrix]:
        jpeg = _jpeg_bytes(image, painted.xobject)
        plain = plain_jpeg(jpeg, self._options.max_pixels) if jpeg else None
        if jpeg and plain and _shows_as_stored(painted.xobject, plain[0]):
            turned = turn(painted.ctm, self._rotation, *plain[1])
            if turned and turned.transpose is None:
                written = write_as_is(jpeg, ".jpg", self._number, plain[1], out_dir)
                return written, image_to_user(painted.ctm, *plain[1])
        try:
            pixels = _copied(image.get_bitmap())
        except pypdfium2.PdfiumError:
            raise DamagedFile("the image that the page consists of cannot be decoded") from None
        turned = turn(painted.ctm, self._rotation, *pixels.size)
        if turned is None:
            raise DamagedFile("the image that the page consists of has no area")
        placement = then(turned.to_image, image_to_user(painted.ctm, *pixels.size))
        if turned.transpose is not None:
            pixels = pixels.transpose(turned.transpose)
        dpi = resolution(placement, self._user_unit)
        return write_png(pixels, self._number, dpi, out_dir), placement

    def _write_rendered(self, out_dir: Path) -> tuple[Written, Matrix]:
        width, height = self._size()
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGR, rev_byteorder=True)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        where = (bitmap, self._page, 0, 0, width, height, 0, pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER)
        pdfium.FPDF_RenderPageBitmap(*where)
        if self._page.formenv:
            pdfium.FPDF_FFLDraw(self._page.formenv, *where)
        placement = inverse(display(self._box, self._rotation, width, height))
        dpi = resolution(placement, self._user_unit)
        return write_png(gray_if_gray(bitmap.to_pil()), self._number, dpi, out_dir), placement

    def _size(self) -> tuple[int, int]:
        """Width and height of the rendered page in pixels, within the limit."""
        inches = [side * self._user_unit / PointsPerInch for side in (self._box.width, self._box.height)]
        if self._rotation in (90, 270):
            inches.reverse()
        limit = self._options.max_pixels
        dpi = float(self._options.dpi)
        if self._makeup.pixels:
            own = math.sqrt(math.prod(self._makeup.pixels) / math.prod(inches))
            if own > dpi and math.prod(inches) * min(own, _FINEST) ** 2 < limit:
                dpi = max(dpi, min(own, _FINEST))
        width, height = (max(1, round(side * dpi)) for side in inches)
        if width * height > limit:
            raise TooLarge(
                f"the page of {inches[0]:.1f} x {inches[1]:.1f} inches has {width} x {height} pixels at {dpi:.0f} dpi, "
                f"more than the {limit} allowed"
            )
        return width, height


def _copied(bitmap: pypdfium2.PdfBitmap) -> Image.Image:
    """A bitmap of pdfium as a page image of our own, grey or RGB."""
    image: Image.Image = bitmap.to_pil().copy()
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _jpeg_bytes(image: pypdfium2.PdfImage, xobject: pikepdf.Object) -> bytes | None:
    filters = image.get_filters()
    if not filters or filters[-1] != "DCTDecode" or not set(filters[:-1]) <= set(image.SIMPLE_FILTERS):
        return None
    # A parameter that contradicts the JPEG itself: pdfium knows what to make of it.
    parameters = xobject.get("/DecodeParms", xobject.get("/DP"))
    if parameters is not None and "ColorTransform" in repr(parameters):
        return None
    return bytes(image.get_data(decode_simple=True))


def _shows_as_stored(xobject: pikepdf.Object, mode: str) -> bool:
    """Whether a PDF viewer shows a JPEG of that mode as any other program would."""
    try:
        return _has_plain_colours(xobject, mode)
    except MALFORMED:
        return False


def _has_plain_colours(xobject: pikepdf.Object, mode: str) -> bool:
    components = 1 if mode == "L" else 3
    if "/Decode" in xobject and [float(x) for x in xobject.Decode.as_list()] != [0.0, 1.0] * components:
        return False
    space = xobject.get("/ColorSpace")
    if isinstance(space, pikepdf.Array) and len(space) > 1:
        if space[0] == pikepdf.Name.ICCBased:
            return int(space[1].get("/N", 0)) == components
        space = space[0]
    names = ("/DeviceGray", "/CalGray", "/G") if mode == "L" else ("/DeviceRGB", "/CalRGB", "/RGB")
    return space is not None and str(space) in names


def _user_unit(page: pikepdf.Page) -> float:
    try:
        unit = float(page.obj.get("/UserUnit", 1))
    except (TypeError, ValueError):
        return 1.0
    return unit if 0 < unit < math.inf else 1.0
