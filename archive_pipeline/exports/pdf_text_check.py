"""Reading the text back from the finished PDF, by another program than the one that wrote it (PDFium).

Runs in the sealed child that writes the PDF. What is compared are letters, whatever their order: extractors put marks
beside numbers and columns in an order of their own, and that is no loss.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pypdfium2

from archive_pipeline.page import Page

_WITH_TEXT = {"done", "born_digital"}
_HYPHEN = "\ufffe"
"""What PDFium makes of a hyphen at the end of a line."""


def text_found(path: Path, pages: Sequence[Page]) -> Iterator[float | None]:
    """For each page the share of its letters that the PDF gives back, or None where no text is expected.

    Args:
        path: The PDF.
        pages: What was read; as many pages as the PDF has. May load lazily.
    """
    with ExitStack() as stack:
        pdf = None
        with suppress(pypdfium2.PdfiumError):  # one that cannot be opened gives back no text at all
            pdf = stack.enter_context(closing(pypdfium2.PdfDocument(path)))
        for index, page in enumerate(pages):
            expected = _letters(page.text) if page.status in _WITH_TEXT else Counter()
            yield _share(expected, _letters(_text(pdf, index))) if expected else None


def _text(pdf: pypdfium2.PdfDocument | None, index: int) -> str:
    if pdf is None:
        return ""
    try:
        with closing(pdf[index]) as page, closing(page.get_textpage()) as text:
            return str(text.get_text_range()).replace(_HYPHEN, "-")
    except pypdfium2.PdfiumError:
        return ""


def _letters(text: str) -> Counter[str]:
    # Ligatures and presentation forms are taken apart by some extractors.
    return Counter(char for char in unicodedata.normalize("NFKC", text) if not char.isspace())


def _share(expected: Counter[str], found: Counter[str]) -> float:
    # Rounded down: what is not all of it is not called so.
    return int((expected & found).total() / expected.total() * 10_000) / 10_000
