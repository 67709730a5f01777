"""Is a PDF page nothing but one scan? Then that scan is the page image, as the scanner made it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pikepdf
from pikepdf import Name

from archive_pipeline.rendering.geometry import PageBox, turn
from archive_pipeline.rendering.page_content import NotUnderstood, PaintedImage, covers, read_content

# What an annotation of these kinds paints, if anything, is no part of the page.
_UNSEEN_ANNOTATIONS = (Name.Link, Name.Popup)
_HIDDEN_FLAGS = 0b100010  # Hidden, NoView


@dataclass(frozen=True)
class Makeup:
    """What is known of a page before it is rendered.

    Attributes:
        scan: The topmost opaque image that fills the page. What lies under it cannot be seen.
        alone: Nothing visible lies on the scan: the page is this image.
        pixels: Width and height of the largest image that fills the page, masked ones included; None if none does.
    """

    scan: PaintedImage | None = None
    alone: bool = False
    pixels: tuple[int, int] | None = None


def examine(page: pikepdf.Page, box: PageBox, rotation: int) -> Makeup:
    """Find the image that fills a page.

    It must cover the visible box, and end where the box ends, to within one part in a hundred. If more of it is cut
    off by the box, or it stands at a slant, the page is rendered.

    Args:
        box: The visible part of the page.
        rotation: Its /Rotate.

    Raises:
        TooLarge: The content is a decompression bomb.
    """
    try:
        marks = read_content(page, box).marks
        annotated = _has_visible_annotations(page)
        fills = [mark if mark and covers(mark.box, box) and covers(box, mark.box) else None for mark in marks]
        pixels = max((image.size for image in fills if image), key=math.prod, default=None)
        for position, image in reversed(list(enumerate(fills))):
            if image and image.opaque and turn(image.ctm, rotation, *image.size):
                return Makeup(image, position == len(marks) - 1 and not annotated, pixels)
    except (NotUnderstood, ZeroDivisionError):
        return Makeup()
    return Makeup(pixels=pixels)


def _has_visible_annotations(page: pikepdf.Page) -> bool:
    try:
        for annotation in page.obj.get("/Annots", pikepdf.Array()).as_list():
            hidden = int(annotation.get("/F", 0)) & _HIDDEN_FLAGS
            if "/AP" in annotation and annotation.get("/Subtype") not in _UNSEEN_ANNOTATIONS and not hidden:
                return True
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError) as error:
        raise NotUnderstood("annotations") from error
    return False
