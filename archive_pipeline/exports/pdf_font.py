"""One font for all invisible text of a PDF: embedded once, with only the characters that are used.

The glyphs are those of Noto Sans (SIL Open Font License), so that viewers which draw selected text draw something
legible. A character that Noto Sans lacks is drawn as a blank: it is found and copied like any other. Characters are
written one code each (no shaping, no ligatures), so what is extracted is what was put in.
"""

from __future__ import annotations

import functools
import io
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pikepdf
from fontTools import subset
from fontTools.ttLib import TTFont
from pikepdf import Array, Dictionary, Name, Stream

from archive_pipeline.errors import ArchiveError

ASCENT = 1.069
"""Of the font, above the baseline, in ems: what viewers highlight."""
DESCENT = 0.293
"""Of the font, below the baseline, in ems."""

_NAME = Name("/ARCHIV+NotoSans-Regular")
_BLANK = 0x2002
_BLOCK = 100  # most entries of one block of a CMap, by its specification


@functools.cache
def font_file() -> Path:
    """Noto Sans, as the pinned OCRmyPDF brings it along.

    Raises:
        ArchiveError: It is not there.
    """
    try:
        # Not importlib.resources: that would import all of OCRmyPDF for the sake of a file.
        path = Path(str(distribution("ocrmypdf").locate_file("ocrmypdf/data/NotoSans-Regular.ttf")))
    except PackageNotFoundError:
        path = Path("NotoSans-Regular.ttf")
    if not path.is_file():
        raise ArchiveError("the font for the PDF text layer is missing", remedy="Run make setup.")
    return path


@functools.cache
def _glyphs_and_advances() -> tuple[dict[int, str], dict[str, int]]:
    """The font's glyph for each code point, and how far each glyph advances, in thousandths of an em."""
    with TTFont(font_file(), lazy=True) as font:
        return font.getBestCmap(), {name: advance for name, (advance, _) in font["hmtx"].metrics.items()}


class PdfFont:
    """Gives codes to characters while pages are written, and embeds the font at the end.

    Attributes:
        reference: The font object, for the resources of pages; it is complete after :meth:`embed`.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._glyphs, self._advances = _glyphs_and_advances()
        self._codes: dict[str, int] = {}
        self.reference = pdf.make_indirect(Dictionary(Type=Name.Font))

    @property
    def used(self) -> bool:
        """Whether anything was encoded."""
        return bool(self._codes)

    def width(self, text: str) -> float:
        """Width of a text in ems."""
        return sum(self._advance(char) for char in text) / 1000

    def encode(self, text: str) -> str:
        """The text as a hexadecimal string for a content stream."""
        # From 1: code 0 is .notdef, which PDF/A forbids.
        return "<" + "".join(f"{self._codes.setdefault(char, len(self._codes) + 1):04x}" for char in text) + ">"

    def embed(self) -> None:
        """Complete :attr:`reference` with the glyphs of the characters encoded so far."""
        if len(self._codes) > 0xFFFF:
            raise ArchiveError("more than 65,535 different characters in one PDF", remedy="Split the document.")
        program, glyph_ids = self._subset()
        chars = list(self._codes)
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=_NAME,
            Flags=4,
            FontBBox=[-1000, -300, 3000, 1100],
            ItalicAngle=0,
            Ascent=round(ASCENT * 1000),
            Descent=round(-DESCENT * 1000),
            CapHeight=714,
            StemV=80,
            FontFile2=self._pdf.make_indirect(Stream(self._pdf, program, Length1=len(program))),
        )
        to_glyphs = b"\0\0" + b"".join(glyph_ids[self._glyph(char)].to_bytes(2, "big") for char in chars)
        descendant = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=_NAME,
            CIDSystemInfo=Dictionary(Registry=b"Adobe", Ordering=b"Identity", Supplement=0),
            FontDescriptor=self._pdf.make_indirect(descriptor),
            W=Array([1, Array([self._advance(char) for char in chars])]),
            CIDToGIDMap=self._pdf.make_indirect(Stream(self._pdf, to_glyphs)),
        )
        self.reference.update(
            Dictionary(
                Subtype=Name.Type0,
                BaseFont=_NAME,
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([self._pdf.make_indirect(descendant)]),
                ToUnicode=self._pdf.make_indirect(Stream(self._pdf, _to_unicode(chars))),
            )
        )

    def _glyph(self, char: str) -> str:
        return self._glyphs.get(ord(char)) or self._glyphs[_BLANK]

    def _advance(self, char: str) -> int:
        return self._advances[self._glyph(char)]

    def _subset(self) -> tuple[bytes, dict[str, int]]:
        """The font program with the used glyphs, and their new numbers."""
        options = subset.Options(hinting=False, notdef_outline=True, name_IDs=[], glyph_names=False)
        # A font inside a PDF is addressed by glyph; these are for other uses.
        options.drop_tables += ["cmap", "name", "OS/2", "post"]
        subsetter = subset.Subsetter(options)
        subsetter.populate(glyphs=sorted({self._glyph(char) for char in self._codes}))
        buffer = io.BytesIO()
        # Without recalcTimestamp=False the font would have the time of this moment in it.
        with TTFont(font_file(), recalcTimestamp=False) as font:
            # So are these, which are large: dropped before, they are not even parsed.
            for table in {"GDEF", "GPOS", "GSUB"} & set(font.keys()):
                del font[table]
            font.getGlyphOrder()  # the glyphs' names, while the table that has them is still there
            subsetter.subset(font)
            font.save(buffer)
            return buffer.getvalue(), font.getReverseGlyphMap()


def _to_unicode(chars: list[str]) -> bytes:
    """The CMap that says which character each code is."""
    entries = [f"<{code:04x}> <{char.encode('utf-16-be').hex()}>" for code, char in enumerate(chars, 1)]
    blocks = [entries[start : start + _BLOCK] for start in range(0, len(entries), _BLOCK)]
    lines = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def",
        "/CMapName /Adobe-Identity-UCS def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        "<0000> <ffff>",
        "endcodespacerange",
        *(line for block in blocks for line in (f"{len(block)} beginbfchar", *block, "endbfchar")),
        "endcmap",
        "CMapName currentdict /CMap defineresource pop",
        "end",
        "end",
    ]
    return "\n".join(lines).encode()
