"""Lines that people vouch for and the machine does not have, put on the page: a person's line goes before a machine's.

People draw lines that the machine missed; and a page that is segmented anew may have other lines, or fragments of them,
where people corrected. What the machine has in the place of such a line makes way for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from shapely.geometry.base import BaseGeometry

from archive_pipeline.ground_truth.shapes import polygon
from archive_pipeline.page import Line, Page, Point, Region

_COVERED = 0.5
"""A machine's line with this share of its area in a person's line is the same ink."""


def with_drawn_lines(page: Page, drawn: Sequence[Line]) -> Page:
    """The page with these lines in it.

    Args:
        drawn: Lines with their text in ``correction``, in pixels of the page; their ids are no ids of the page.
    """
    regions = list(page.regions)
    for line in sorted(drawn, key=lambda each: (_middle(each)[1], each.id)):
        regions = _placed(regions, line)
    status = "done" if drawn and page.status == "blank" else page.status
    return page.model_copy(update={"regions": tuple(regions), "status": status, "reason": page.reason * (not drawn)})


def _placed(regions: list[Region], line: Line) -> list[Region]:
    area = polygon(line.boundary)
    home: int | None = None
    position = 0
    kept: list[Region] = []
    for number, region in enumerate(regions):
        stay = [each for each in region.lines if each.correction is not None or not _is_covered(each, area)]
        if len(stay) < len(region.lines) and home is None:
            first = next(n for n, each in enumerate(region.lines) if each not in stay)
            home, position = number, first
        kept.append(region.model_copy(update={"lines": tuple(stay)}) if len(stay) < len(region.lines) else region)
    if home is None:
        home = _around(kept, line)
        if home is None:
            return [*kept, Region(id=f"{line.id}-region", boundary=line.boundary or _corners(line), lines=(line,))]
        below = (n for n, each in enumerate(kept[home].lines) if _middle(each)[1] > _middle(line)[1])
        position = next(below, len(kept[home].lines))
    lines = kept[home].lines
    kept[home] = kept[home].model_copy(update={"lines": (*lines[:position], line, *lines[position:])})
    # A region that lost its last line to one in another region has nothing to say any more.
    return [region for n, region in enumerate(kept) if region.lines or not regions[n].lines]


def _is_covered(line: Line, area: BaseGeometry) -> bool:
    own = polygon(line.boundary)
    return not own.is_empty and not area.is_empty and own.intersection(area).area >= _COVERED * own.area


def _around(regions: Sequence[Region], line: Line) -> int | None:
    """The smallest region with lines in which the middle of a line is."""
    x, y = _middle(line)
    found = [
        ((box[2] - box[0]) * (box[3] - box[1]), number)
        for number, region in enumerate(regions)
        if region.lines and region.boundary
        for box in [region.box]
        if box[0] <= x < box[2] and box[1] <= y < box[3]
    ]
    return min(found)[1] if found else None


def _middle(line: Line) -> tuple[float, float]:
    if not line.boundary and not line.baseline:
        return 0.0, 0.0
    left, top, right, bottom = line.box
    return (left + right) / 2, (top + bottom) / 2


def _corners(line: Line) -> tuple[Point, ...]:
    left, top, right, bottom = line.box
    return (left, top), (right, top), (right, bottom), (left, bottom)
