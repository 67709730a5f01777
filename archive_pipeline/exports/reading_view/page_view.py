"""What a page of the reading view shows, ready for its template: lines with anchors, shades and shapes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from archive_pipeline.exports import polygons
from archive_pipeline.exports.base import Identifiers
from archive_pipeline.page import Direction, Line, Page, Point, Region, RegionType, clean_text, needs_eye

SURE, DOUBTFUL, POOR = 95, 90, 75
"""Per cent. From the first on a line is sure; below the second it is doubtful, until the reader chooses another
threshold; below the third it is poor."""

Shade = Literal["sure", "fair", "doubtful", "poor", "unknown"]


def percent_of(confidence: float) -> int:
    """Whole per cent, rounded down: nothing that is uncertain is called 100 %."""
    # 0.29 * 100 is 28.999999999999996.
    return int(round(confidence * 100, 6))


def shade_of(percent: int | None) -> Shade:
    """The step of a confidence."""
    if percent is None:
        return "unknown"
    if percent >= SURE:
        return "sure"
    return "fair" if percent >= DOUBTFUL else "doubtful" if percent >= POOR else "poor"


@dataclass(frozen=True)
class Part:
    """A piece of a line's text that has one shade.

    Attributes:
        alternatives: What was proposed for a word, with commas between.
    """

    text: str
    shade: Shade = "sure"
    percent: int | None = None
    alternatives: str = ""


@dataclass(frozen=True)
class LineView:
    """A line, or a block that was read as a whole.

    Attributes:
        anchor: Its id in the page.
        number: From 1, on the page.
        parts: The best text; without any text there are none.
        percent: The machine's confidence, 0 where it read nothing; None if unknown or corrected.
        machine: What the machine read, where a person corrected it.
        points: Its shape on the page image, for SVG; empty where its place is not known.
    """

    anchor: str
    number: int
    parts: tuple[Part, ...]
    direction: Direction
    percent: int | None
    corrected: bool
    machine: str
    points: str

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts)

    @property
    def shade(self) -> Shade:
        return shade_of(self.percent)

    @property
    def doubtful(self) -> bool:
        return self.percent is not None and self.percent < DOUBTFUL

    @property
    def dir(self) -> str:
        """For HTML, where vertical text is ``ltr`` in a writing mode of its own."""
        return "rtl" if self.direction == "rtl" else "ltr"


@dataclass(frozen=True)
class RegionView:
    """A region; ``runs`` are its lines, those that follow each other in one direction together."""

    type: RegionType
    runs: tuple[tuple[Direction, tuple[LineView, ...]], ...]
    points: str


@dataclass(frozen=True)
class PageView:
    """A page."""

    regions: tuple[RegionView, ...]

    def lines(self) -> Iterator[LineView]:
        """In reading order."""
        for region in self.regions:
            for _, lines in region.runs:
                yield from lines


def page_view(page: Page) -> PageView:
    """Lay a page out for reading."""
    ids, numbers = Identifiers(), itertools.count(1)
    return PageView(tuple(_region(page, region, ids, numbers) for region in page.regions))


def _region(page: Page, region: Region, ids: Identifiers, numbers: Iterator[int]) -> RegionView:
    lines = [_line(page, line, ids, next(numbers)) for line in region.lines]
    if not lines and region.text:
        anchor, points = ids.take(f"line-{region.id}"), _points(region.boundary, page)
        lines = [
            LineView(anchor, next(numbers), (Part(region.text),), page.direction, None, False, "", points),
        ]
    runs = tuple((direction, tuple(run)) for direction, run in itertools.groupby(lines, lambda line: line.direction))
    return RegionView(region.type, runs, _points(region.boundary, page))


def _line(page: Page, line: Line, ids: Identifiers, number: int) -> LineView:
    percent = None if line.confidence is None else percent_of(line.confidence)
    corrected = line.correction is not None
    if corrected:
        percent = None
    elif not line.text.strip():
        percent = 0
    return LineView(
        anchor=ids.take(f"line-{line.id}"),
        number=number,
        parts=tuple(_parts(line)),
        direction=line.direction,
        percent=percent,
        corrected=corrected,
        machine=line.text if corrected else "",
        points=_points(line.boundary or line.baseline, page),
    )


def _parts(line: Line) -> Iterator[Part]:
    """The text, with those words apart that are less sure than can be passed over."""
    if line.correction is not None or " ".join(word.text for word in line.words) != line.text:
        if line.best_text.strip():
            yield Part(line.best_text)
        return
    plain = ""
    for index, word in enumerate(line.words):
        plain += " " if index else ""
        percent = None if word.confidence is None else percent_of(word.confidence)
        if percent is None or (percent >= DOUBTFUL and not word.alternatives):
            plain += word.text
            continue
        if plain:
            yield Part(plain)
        yield Part(word.text, shade_of(percent), percent, ", ".join(each.text for each in word.alternatives))
        plain = ""
    if plain.strip():
        yield Part(plain)


def _points(boundary: tuple[Point, ...], page: Page) -> str:
    # Without points the text is somewhere on the page; a shape as large as the page would lie in the way of the others.
    return polygons.text(polygons.polygon(boundary, page)) if boundary else ""


@dataclass(frozen=True, slots=True)
class PageRow:
    """A page in the list of pages, which is all that is kept of it.

    Attributes:
        name: Of its file, without an ending.
        confidence: Mean, 0 to 1; None where nothing was read.
        doubtful, corrected: Numbers of lines.
    """

    number: int
    name: str
    status: str
    reason: str
    lines: int
    confidence: float | None
    doubtful: int
    corrected: int
    needs_an_eye: bool

    @classmethod
    def of(cls, page: Page, view: PageView) -> PageRow:
        """What the list says of a page."""
        lines = list(view.lines())
        return cls(
            number=page.number,
            name=f"{page.number:04d}",
            status=page.status,
            reason=clean_text(page.reason),
            lines=len(lines),
            confidence=page.confidence,
            doubtful=sum(line.doubtful for line in lines),
            corrected=sum(line.corrected for line in lines),
            needs_an_eye=bool(needs_eye(page)),
        )
