"""Limits on what a PDF page unpacks to, looked up before a library unpacks it.

Checked are the pixels of images that the page paints, and Flate-coded drawing instructions. What hides elsewhere (in
fonts, patterns, stacked filters) meets pdfium's own bound of 1 GB and the memory limit of the child process.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Name

from archive_pipeline.errors import TooLarge

_MAX_UNPACKED = 256 << 20
_MAX_DEPTH = 10
_MAX_XOBJECTS = 10_000


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
    try:
        unpacked_size(page.obj.get("/Contents"))
        for width, height in _painted_sizes(page):
            if width * height > max_pixels:
                raise TooLarge(f"an image of {width} x {height} pixels on it is larger than the {max_pixels} allowed")
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Malformed: pdfium, which is forgiving, says what becomes of it.
        return


def _painted_sizes(page: pikepdf.Page) -> Iterator[tuple[int, int]]:
    """Sizes of the images that a page and its forms paint, and of their masks."""
    seen: set[tuple[int, int]] = set()
    pending: list[tuple[Any, pikepdf.Object, Any, int]] = [
        (page.obj.get("/Contents"), page.obj, page.obj.get("/Resources"), 0)
    ]
    while pending and len(seen) < _MAX_XOBJECTS:
        contents, source, resources, depth = pending.pop()
        xobjects = resources.get("/XObject") if isinstance(resources, pikepdf.Dictionary) else None
        if not isinstance(xobjects, pikepdf.Dictionary):
            continue
        unpacked_size(contents)
        for instruction in pikepdf.parse_content_stream(source, "Do"):
            xobject = xobjects.get(str(instruction.operands[0]))
            if not isinstance(xobject, pikepdf.Stream) or xobject.objgen in seen:
                continue
            seen.add(xobject.objgen)
            if xobject.get("/Subtype") == Name.Form and depth < _MAX_DEPTH:
                pending.append((xobject, xobject, xobject.get("/Resources", resources), depth + 1))
            for image in (xobject, xobject.get("/SMask"), xobject.get("/Mask")):
                if isinstance(image, pikepdf.Stream) and "/Width" in image:
                    yield int(image.Width), int(image.Height)
