"""What a PDF page is checked for before a library unpacks it: that it is not too large, and that it is all there.

Checked are the pixels of images that the page paints, and Flate-coded drawing instructions. What hides elsewhere (in
fonts, patterns, stacked filters) meets pdfium's own bound of 1 GB and the memory limit of the child process.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pikepdf
from pikepdf import Name
from PIL import Image

from archive_pipeline.errors import DamagedFile, TooLarge
from archive_pipeline.rendering.jpeg import bomb_limit

_MAX_UNPACKED = 256 << 20
_MAX_DEPTH = 10
_MAX_XOBJECTS = 10_000

MALFORMED = (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError)
"""As what malformed operands and dictionaries show up."""


def unpacked_size(contents: pikepdf.Object | None) -> int:
    """Bytes of drawing instructions in a content stream, or in an array of them.

    Raises:
        TooLarge: They are more than any drawing needs.
    """
    if contents is None:
        return 0
    streams = list(contents.as_list()) if isinstance(contents, pikepdf.Array) else [contents]
    return sum(_unpacked_size(stream) for stream in streams if isinstance(stream, pikepdf.Stream))


def _unpacked_size(stream: pikepdf.Object) -> int:
    data, length = stream.read_raw_bytes(), 0
    filters = stream.get("/Filter")
    if isinstance(filters, pikepdf.Array) and len(filters) == 1:
        filters = filters[0]
    if filters not in (Name.FlateDecode, Name.Fl):
        return len(data)
    unpacker = zlib.decompressobj()
    while data and not unpacker.eof:
        try:
            length += len(unpacker.decompress(data, 1 << 20))
        except zlib.error:
            return length  # damaged; the libraries take what is there, too
        if length > _MAX_UNPACKED:
            raise TooLarge(f"its drawing instructions unpack to more than {_MAX_UNPACKED >> 20} MB")
        data = unpacker.unconsumed_tail
    return length


def require_bounded(page: pikepdf.Page, max_pixels: int) -> None:
    """Refuse a page before anything of it is decoded.

    Raises:
        TooLarge: An image on it has more pixels, or its drawing instructions are endless.
    """
    with suppress(*MALFORMED):  # pdfium, which is forgiving, says what becomes of such a page
        unpacked_size(page.obj.get("/Contents"))
        for xobject in _painted(page):
            for image in (xobject, xobject.get("/SMask"), xobject.get("/Mask")) if xobject is not None else ():
                if not isinstance(image, pikepdf.Stream) or "/Width" not in image:
                    continue
                width, height = int(image.Width), int(image.Height)
                if width * height > max_pixels:
                    raise TooLarge(f"an image of {width} x {height} pixels on it is larger than {max_pixels} allowed")
                _require_bounded_code(image, max_pixels)


def _require_bounded_code(image: pikepdf.Object, max_pixels: int) -> None:
    """A JPEG and a JPEG 2000 have a size of their own, whatever the PDF says of them."""
    filters = image.get("/Filter")
    if isinstance(filters, pikepdf.Array) and len(filters) == 1:
        filters = filters[0]
    if filters in (Name.DCTDecode, Name.DCT, Name.JPXDecode):
        with (
            suppress(OSError, SyntaxError),  # not readable; whoever decodes it will say so
            bomb_limit(max_pixels),
            Image.open(io.BytesIO(image.read_raw_bytes()), formats=["JPEG", "JPEG2000"]),
        ):
            pass


def require_whole(page: pikepdf.Page) -> None:
    """Refuse a page of a damaged file that paints what the file has lost; it would come out blank.

    Raises:
        DamagedFile: Its content, or an image or form that it paints, is missing.
    """
    whole = "/Contents" in page.obj
    with suppress(*MALFORMED):
        whole = whole and all(xobject is not None for xobject in _painted(page))
    if not whole:
        raise DamagedFile("a part of the page is missing from the damaged file")


def _painted(page: pikepdf.Page) -> Iterator[pikepdf.Object | None]:
    """The images and forms that a page and its forms paint, each once; None for one that is not there."""
    seen: set[tuple[int, int]] = set()
    pending: list[tuple[Any, pikepdf.Object, Any, int]] = [
        (page.obj.get("/Contents"), page.obj, page.obj.get("/Resources"), 0)
    ]
    while pending and len(seen) < _MAX_XOBJECTS:
        contents, source, resources, depth = pending.pop()
        unpacked_size(contents)
        xobjects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
        for instruction in pikepdf.parse_content_stream(source, "Do") if contents is not None else ():
            xobject = xobjects.get(str(instruction.operands[0])) if xobjects is not None else None
            if not isinstance(xobject, pikepdf.Stream):
                yield None
            elif xobject.objgen not in seen:
                seen.add(xobject.objgen)
                if xobject.get("/Subtype") == Name.Form and depth < _MAX_DEPTH:
                    pending.append((xobject, xobject, xobject.get("/Resources", resources), depth + 1))
                yield xobject
