"""The invisible text of one page, as a form XObject in pixels of the page image.

Each word is stretched to its place along the baseline, which may be skewed or curved. Words come in reading order, a
blank after each, so that what is selected, copied or extracted is the text as it is read.

Right-to-left words are written with their letters from left to right, as they stand on the page: extractors turn them
around. Numbers in them keep their order. Brackets and marks beside numbers may come out in another place.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pikepdf
from pikepdf import Array, Dictionary, Name

from archive_pipeline.exports.base import number
from archive_pipeline.exports.pdf_font import ASCENT, DESCENT, PdfFont
from archive_pipeline.exports.tracks import Track, track_of, usual_height
from archive_pipeline.exports.word_places import Place, places
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.rendering.model import Matrix

_GAP = 0.2  # ems between words: poppler sees no blank below 0.1
_TIGHTEST = 0.5  # narrowest that letters are squeezed before the font gets smaller: poppler drops "doubled" letters
# Ems that words may rise and still be drawn level. Poppler, and so viewers, take letters apart whose baselines differ
# by half a point, and put the words of a rising line in the wrong order: such words cannot be found.
_LEVEL = 0.5
_FONT = "/F1"


@dataclass(frozen=True)
class _Word:
    """A word and the ends of its baseline on the page, in drawing direction."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]


@dataclass(frozen=True)
class _Drawn:
    """A line with its track."""

    line: Line
    track: Track


def text_layer(
    pdf: pikepdf.Pdf, font: PdfFont, page: Page, placement: Matrix, *, visible: bool = False
) -> pikepdf.Object | None:
    """The text of a page as a form XObject that puts itself in its place.

    Args:
        pdf: Where the object will live.
        font: The font that all pages share.
        page: Its best text is drawn.
        placement: From pixels of the page image to PDF user space.
        visible: Draw it in red, to see where it is.

    Returns:
        The XObject; None for a page without text.
    """
    operators = list(_lines(font, page))
    if not operators:
        return None
    content = "\n".join(["1 0 0 rg" if visible else "3 Tr", *operators]).encode()
    a, b, c, d, e, f = placement
    # The form has its origin at the bottom left, as text must not be drawn mirrored.
    matrix = (a, b, -c, -d, e + c * page.height, f + d * page.height)
    form = pikepdf.Stream(
        pdf,
        # Compressed at once, so that a thousand pages lie in memory small.
        zlib.compress(content, 9),
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=Array([0, 0, page.width, page.height]),
        Matrix=Array([round(value, 8) for value in matrix]),
        Resources=Dictionary(Font=Dictionary({_FONT: font.reference})),
        Filter=Name.FlateDecode,
    )
    return pdf.make_indirect(form)


def _lines(font: PdfFont, page: Page) -> Iterator[str]:
    drawn = [
        _Drawn(line, track_of(line, region.box if region.boundary else (0, 0, page.width, page.height)))
        for region in page.regions
        for line in (region.lines or _rows(font, region, page))
        if line.best_text.strip()
    ]
    usual = usual_height([each.track for each in drawn], page.height)
    for each in drawn:
        yield from _line(font, each, usual, page.height)


def _rows(font: PdfFont, region: Region, page: Page) -> tuple[Line, ...]:
    """Lines for a region that has only text as a whole: its words, wrapped into its box."""
    left, top, right, bottom = region.box if region.boundary else (0, 0, page.width, page.height)
    width, height = max(right - left, 1), max(bottom - top, 1)
    natural = font.width(region.text)
    count = max(1, math.ceil(math.sqrt(natural * height / width / (ASCENT + DESCENT))))
    rows: list[list[str]] = [[]]
    for word in region.text.split():
        if font.width(" ".join([*rows[-1], word])) > natural / count and rows[-1] and len(rows) < count:
            rows.append([])
        rows[-1].append(word)
    step = height / len(rows)
    return tuple(
        Line(id="", boundary=((left, round(top + i * step)), (right, round(top + (i + 1) * step))), text=" ".join(row))
        for i, row in enumerate(rows)
    )


def _line(font: PdfFont, drawn: _Drawn, usual: float, page_height: int) -> Iterator[str]:
    line, track = drawn.line, drawn.track
    found = places(line, track, font.width)
    height = track.height if track.height >= 3 else usual
    natural = font.width(line.best_text)
    length = max(place.end for place in found) - min(place.start for place in found)
    size = height / (ASCENT + DESCENT)
    if natural:
        size = min(size, length / natural / _TIGHTEST)
    size = max(size, 0.5)
    yield f"BT {_FONT} {number(size, 2)} Tf"
    for run in _runs(_with_gaps(found, track, _GAP * size), track, _LEVEL * size):
        for word in run:
            yield _word(font, word, size, page_height, line.direction == "rtl")
    yield "ET"


def _with_gaps(found: list[Place], track: Track, gap: float) -> Iterator[_Word]:
    """The words on the page, each ending so that the one drawn after it stands clear of it."""
    starts = sorted(place.start for place in found)
    following = dict(itertools.pairwise(starts))
    for place in found:
        limit = following.get(place.start, math.inf) - gap
        end = max(min(place.end, limit), place.start + 0.5 * (place.end - place.start))
        yield _Word(place.text, track.point(place.start), track.point(end))


def _runs(words: Iterable[_Word], track: Track, rise: float) -> Iterator[list[_Word]]:
    """The words in runs that may be drawn level, at their mean height; words that are too steep stay as they are."""
    across = 1 - track.axis
    run: list[_Word] = []
    for word in words:
        heights = [point[across] for each in (*run, word) for point in (each.start, each.end)]
        if run and max(heights) - min(heights) > rise:
            yield [_level(each, across, run, rise) for each in run]
            run = []
        run.append(word)
    yield [_level(each, across, run, rise) for each in run]


def _level(word: _Word, across: int, run: list[_Word], rise: float) -> _Word:
    heights = [point[across] for each in run for point in (each.start, each.end)]
    if max(heights) - min(heights) > rise:
        return word
    height = (max(heights) + min(heights)) / 2
    start, end = list(word.start), list(word.end)
    start[across] = end[across] = height
    return _Word(word.text, (start[0], start[1]), (end[0], end[1]))


def _word(font: PdfFont, word: _Word, size: float, page_height: int, rtl: bool) -> str:
    (x0, y0), (x1, y1) = word.start, word.end
    length = math.hypot(x1 - x0, y1 - y0)
    cos, sin = (x1 - x0) / length, (y0 - y1) / length
    natural = font.width(word.text) * size
    stretch = length / natural if natural else 1.0
    text = f"{word.text} "
    if rtl or _is_rtl(word.text):
        # The blank after it is to its left.
        text = f" {_left_to_right(word.text)}"
        blank = font.width(" ") * size * stretch
        x0, y0 = x0 - blank * cos, y0 + blank * sin
    matrix = " ".join([*(number(v) for v in (cos, sin, -sin, cos)), number(x0, 2), number(page_height - y0, 2)])
    return f"{number(100 * stretch, 2)} Tz {matrix} Tm {font.encode(text)} Tj"


def _is_rtl(text: str) -> bool:
    return any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)


def _left_to_right(text: str) -> str:
    """A right-to-left word in the order in which it stands on the page: turned around, but for its numbers."""
    if not _is_rtl(text):
        return text
    runs = itertools.groupby(text, lambda char: unicodedata.bidirectional(char) in {"EN", "AN", "L"})
    parts = ["".join(run) if forward else "".join(run)[::-1] for forward, run in runs]
    return "".join(reversed(parts))
