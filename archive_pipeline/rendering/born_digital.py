"""Pages whose text is in the file already, because a program and not a scanner made them.

Each page is judged by itself. Its text is taken if all of this holds:

1. The text can be seen: it is not drawn invisibly (text render mode 3 or 7, or fully transparent), does not lie under
   an image of nearly the whole page, and is inside the visible part of the page. So a scan with a layer of text from
   another OCR program is a scan.
2. The file says which characters they are, for at least four in five. Fonts without that knowledge give gibberish.
3. There are at least ten characters beside blanks. So a lone page number decides nothing.
4. Where images cover half of the page or more, there are at least fifty characters, and their lines take up a tenth of
   its height. So a scan with a stamp, a watermark or a download notice on it is a scan, and a slide with a picture
   behind its text is not.

A page that fails is recognised like any scan; nothing is lost by that but exactness.
"""

from __future__ import annotations

from pypdfium2 import PDFIUM_INFO, PdfPage

from archive_pipeline.page import Page, Step
from archive_pipeline.rendering.geometry import PageBox, inverse
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.rendering.text_characters import Character, pictures, visible_characters
from archive_pipeline.rendering.text_layout import lines_of, regions_of

_MIN_CHARACTERS = 10
_MIN_MAPPED = 0.8
_MANY_PICTURES = 0.5
_MIN_CHARACTERS_ON_PICTURES = 50
_MIN_HEIGHT_ON_PICTURES = 0.1


def extract(page: PdfPage, box: PageBox, image: PageImage) -> Page | None:
    """The text of a born-digital page.

    Args:
        box: The visible part of the page.
        image: Its page image; the result is in its pixels.

    Returns:
        None if the page is not born digital by the rule above.
    """
    if image.placement is None:
        return None
    seen = pictures(page, box)
    characters = list(visible_characters(page, inverse(image.placement), image.width, image.height, hidden=seen.under))
    if not _is_real(characters, image.height, seen.share):
        return None
    regions = regions_of(lines_of(characters), image.width, image.height)
    if not regions:
        return None
    lines = [line for region in regions for line in region.lines]
    backwards = sum(line.direction == "rtl" for line in lines)
    return Page(
        number=image.number,
        width=image.width,
        height=image.height,
        dpi=image.dpi,
        image_digest=image.sha256,
        status="born_digital",
        direction="rtl" if 2 * backwards > len(lines) else "ltr",
        regions=regions,
        steps=(Step(task="text-extraction", engine="pdfium", version=str(PDFIUM_INFO)),),
    )


def _is_real(characters: list[Character], height: int, pictures_share: float) -> bool:
    glyphs = [character for character in characters if character.box]
    mapped = sum(glyph.mapped for glyph in glyphs)
    if mapped < _MIN_CHARACTERS or mapped < _MIN_MAPPED * len(glyphs):
        return False
    if pictures_share < _MANY_PICTURES:
        return True
    return mapped >= _MIN_CHARACTERS_ON_PICTURES and _covered_height(glyphs) >= _MIN_HEIGHT_ON_PICTURES * height


def _covered_height(glyphs: list[Character]) -> float:
    """Height of the page that has text at any place across, in pixels."""
    total, end = 0.0, float("-inf")
    for top, bottom in sorted((glyph.box[1], glyph.box[3]) for glyph in glyphs if glyph.box):
        total += max(0.0, bottom - max(top, end))
        end = max(end, bottom)
    return total
