"""The characters of a PDF page as pdfium sees them, in pixels of the page image."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from archive_pipeline.rendering.geometry import PageBox, apply, box_of
from archive_pipeline.rendering.model import Matrix

_HIDDEN_MODES = (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)


@dataclass(frozen=True)
class Character:
    """One character.

    Attributes:
        text: A blank stands for any white space, ``\\n`` for the end of a line.
        box: Left, top, right, bottom in pixels; the height is the font's. None for blanks and line ends.
        origin: Where it stands on its baseline.
        mapped: The file says which character the glyph is.
    """

    text: str
    box: tuple[float, float, float, float] | None = None
    origin: tuple[float, float] = (0, 0)
    mapped: bool = True


def visible_characters(
    page: pypdfium2.PdfPage, to_pixels: Matrix, width: int, height: int, hidden: set[int]
) -> Iterator[Character]:
    """Characters that can be seen on the page image, in the order of the file, with the blanks and line ends that
    pdfium finds between them.

    Args:
        to_pixels: From user space to pixels of the page image.
        width, height: Of the page image.
        hidden: Addresses of text objects that lie under something.
    """
    text = page.get_textpage()
    try:
        seen: dict[int, bool] = {}
        index, count = 0, text.count_chars()
        while index < count:
            character, step = _decode(text, index, count)
            if character.isspace():
                yield Character("\n" if character in "\r\n" else " ")
            elif _is_visible(text, index, seen, hidden):
                placed = _place(text, index, character, to_pixels)
                if placed and placed.box and _is_inside(placed.box, width, height):
                    yield placed
            index += step
    finally:
        text.close()


def _decode(text: pypdfium2.PdfTextPage, index: int, count: int) -> tuple[str, int]:
    """The character at an index, and how many indices it takes."""
    code = pdfium.FPDFText_GetUnicode(text, index)
    if 0xD800 <= code < 0xDC00 and index + 1 < count:
        low = pdfium.FPDFText_GetUnicode(text, index + 1)
        if 0xDC00 <= low < 0xE000:
            return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), 2
    # A hyphen at the end of a line comes as a control character.
    if pdfium.FPDFText_IsHyphen(text, index) == 1 or code == 2:
        return "-", 1
    return (chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"), 1


def _is_visible(text: pypdfium2.PdfTextPage, index: int, seen: dict[int, bool], hidden: set[int]) -> bool:
    raw = pdfium.FPDFText_GetTextObject(text, index)
    address = ctypes.cast(raw, ctypes.c_void_p).value
    if address is None:
        return False
    if address not in seen:
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        filled = pdfium.FPDFPageObj_GetFillColor(raw, red, green, blue, alpha)
        transparent = bool(filled) and alpha.value == 0
        mode = pdfium.FPDFTextObj_GetTextRenderMode(raw)
        seen[address] = address not in hidden and mode not in _HIDDEN_MODES and not transparent
    return seen[address]


def _place(text: pypdfium2.PdfTextPage, index: int, character: str, to_pixels: Matrix) -> Character | None:
    rectangle = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text, index, rectangle):
        return None
    box = box_of(to_pixels, rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    x, y = ctypes.c_double(), ctypes.c_double()
    pdfium.FPDFText_GetCharOrigin(text, index, x, y)
    private = "\ue000" <= character <= "\uf8ff" or character >= "\U000f0000"
    unknown = character == "\ufffd" or not character.isprintable() or private
    return Character(
        character,
        # In pixels y grows downwards, so the box's bottom is its top.
        (box.left, box.bottom, box.right, box.top),
        apply(to_pixels, x.value, y.value),
        mapped=not unknown and pdfium.FPDFText_HasUnicodeMapError(text, index) != 1,
    )


def _is_inside(box: tuple[float, float, float, float], width: int, height: int) -> bool:
    return 0 <= (box[0] + box[2]) / 2 < width and 0 <= (box[1] + box[3]) / 2 < height


@dataclass(frozen=True)
class Pictures:
    """Images on a page.

    Attributes:
        share: Part of the visible page that they cover, 0 to 1; where they overlap it is counted twice.
        under: Addresses of text objects that lie under an image of nearly the whole page.
    """

    share: float
    under: set[int]


_NEARLY_ALL = 0.9


def pictures(page: pypdfium2.PdfPage, box: PageBox) -> Pictures:
    """Look at the objects of a page in the order in which they are painted."""
    area = box.width * box.height
    share = 0.0
    under: set[int] = set()
    texts: list[int] = []
    for item in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_TEXT]):
        if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
            texts.append(ctypes.cast(item.raw, ctypes.c_void_p).value or 0)
            continue
        bounds = PageBox(*item.get_bounds())
        container = item.container
        while container is not None:
            bounds = box_of(container.get_matrix().get(), *bounds)
            container = container.container
        width = min(bounds.right, box.right) - max(bounds.left, box.left)
        height = min(bounds.top, box.top) - max(bounds.bottom, box.bottom)
        covered = max(0.0, width) * max(0.0, height) / area
        share += covered
        if covered >= _NEARLY_ALL:
            under.update(texts)
    return Pictures(min(share, 1.0), under)
