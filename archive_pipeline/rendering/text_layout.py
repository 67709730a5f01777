"""From characters in the order of the file to words, lines and regions.

The order of the file is kept: programs write what belongs together one after another. A new region begins where the
next line is not right below its predecessor.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from archive_pipeline.page import Box, Direction, Line, Point, Region, Word, clean_text
from archive_pipeline.rendering.text_characters import Character

_NEXT_LINE = 1.2
"""Largest distance between a line's bottom and the next one's top in a region, in heights of the line."""


@dataclass
class TextLine:
    """The words of a line, each a list of characters with boxes."""

    words: list[list[Character]] = field(default_factory=list)

    @property
    def characters(self) -> list[Character]:
        return [character for word in self.words for character in word]

    @property
    def upright(self) -> bool:
        """It runs across the page image, not up or down."""
        first, last = self.characters[0].origin, self.characters[-1].origin
        return abs(last[0] - first[0]) >= abs(last[1] - first[1])

    @property
    def extent(self) -> tuple[float, float, float, float]:
        return _extent(self.characters)


def lines_of(characters: Iterable[Character]) -> list[TextLine]:
    """Split at blanks and line ends, and where the next character stands on another baseline."""
    lines = [TextLine([[]])]
    previous: Character | None = None
    for character in characters:
        if character.text == "\n" or (previous and character.box and _leaves_line(previous, character)):
            lines.append(TextLine([[]]))
            previous = None
        if character.box:
            lines[-1].words[-1].append(character)
            previous = character
        elif lines[-1].words[-1]:
            lines[-1].words.append([])
    for line in lines:
        line.words = [word for word in line.words if clean_text("".join(c.text for c in word)).strip()]
    return [line for line in lines if line.words]


def _leaves_line(previous: Character, character: Character) -> bool:
    """pdfium ends lines itself; this is for text at several angles and for files that jump about."""
    left, top, right, bottom = _extent([previous, character])
    size = max(_sides(previous) + _sides(character))
    # Neighbours on a line, whatever its direction, are near in one of the two directions.
    dx = abs(character.origin[0] - previous.origin[0])
    dy = abs(character.origin[1] - previous.origin[1])
    return min(dx, dy) > size and right - left > 0 and bottom - top > 0


def _sides(character: Character) -> list[float]:
    left, top, right, bottom = character.box or (0, 0, 0, 0)
    return [right - left, bottom - top]


def _extent(characters: Iterable[Character]) -> tuple[float, float, float, float]:
    boxes = [character.box for character in characters if character.box]
    return (
        min(box[0] for box in boxes),
        min(box[1] for box in boxes),
        max(box[2] for box in boxes),
        max(box[3] for box in boxes),
    )


def regions_of(lines: list[TextLine], width: int, height: int) -> tuple[Region, ...]:
    """Regions of lines that follow each other, in pixels inside a page image of that size."""
    groups: list[list[TextLine]] = []
    for line in lines:
        if groups and _follows(groups[-1][-1], line):
            groups[-1].append(line)
        else:
            groups.append([line])
    regions = []
    for number, group in enumerate(groups, 1):
        members = tuple(_line(f"r{number}l{place}", line, width, height) for place, line in enumerate(group, 1))
        corners = [point for member in members for point in member.boundary]
        left, right = min(x for x, _ in corners), max(x for x, _ in corners)
        top, bottom = min(y for _, y in corners), max(y for _, y in corners)
        boundary = ((left, top), (right, top), (right, bottom), (left, bottom))
        regions.append(Region(id=f"r{number}", boundary=boundary, lines=members))
    return tuple(regions)


def _follows(above: TextLine, line: TextLine) -> bool:
    if not (above.upright and line.upright):
        return False
    left, top, right, bottom = above.extent
    next_left, next_top, next_right, next_bottom = line.extent
    size = min(bottom - top, next_bottom - next_top)
    overlap = min(right, next_right) - max(left, next_left)
    return overlap > 0 and -size / 2 <= next_top - bottom <= _NEXT_LINE * size


def _line(name: str, line: TextLine, width: int, height: int) -> Line:
    words = tuple(
        Word(text="".join(c.text for c in word), box=_box(_extent(word), width, height)) for word in line.words
    )
    direction = _direction(line)
    left, top, right, bottom = _box(line.extent, width, height)
    return Line(
        id=name,
        boundary=((left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)),
        baseline=_baseline(line, width, height),
        text=" ".join(word.text for word in words),
        words=words,
        direction=direction,
    )


def _box(extent: tuple[float, float, float, float], width: int, height: int) -> Box:
    """Whole pixels, at least one, inside the page image."""
    left = min(max(int(extent[0]), 0), width - 1)
    top = min(max(int(extent[1]), 0), height - 1)
    right = min(max(round(extent[2] + 0.5), left + 1), width)
    bottom = min(max(round(extent[3] + 0.5), top + 1), height)
    return left, top, right, bottom


def _baseline(line: TextLine, width: int, height: int) -> tuple[Point, Point]:
    """On which the characters stand, in writing direction."""
    left, top, right, bottom = line.extent
    origins = [character.origin for character in line.characters]
    if line.upright:
        y = median(origin[1] for origin in origins)
        ends = [(left, y), (right, y)]
        if origins[-1][0] < origins[0][0]:  # right to left, or upside down
            ends.reverse()
    else:
        x = median(origin[0] for origin in origins)
        ends = [(x, top), (x, bottom)]
        if origins[-1][1] < origins[0][1]:
            ends.reverse()
    start, end = ((min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1)) for x, y in ends)
    return start, end


def _direction(line: TextLine) -> Direction:
    kinds = [unicodedata.bidirectional(c.text[0]) for c in line.characters]
    backwards = sum(kind in ("R", "AL") for kind in kinds)
    return "rtl" if backwards > sum(kind == "L" for kind in kinds) else "ltr"
