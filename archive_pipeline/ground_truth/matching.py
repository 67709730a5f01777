"""Which line of one reading of a page is which line of another: by where they are, then by their names.

A name alone says nothing: tools name lines anew, and two segmentations both have a line ``l1``.
"""

from __future__ import annotations

from collections.abc import Sequence

from archive_pipeline.ground_truth.shapes import same_place
from archive_pipeline.page import Box, Line

ENOUGH = 0.5
"""Two lines are one from this share of their place on."""
_NAME = 0.2
"""What the same name adds, among places that agree enough."""


def match_lines(these: Sequence[Line], those: Sequence[Line], enough: float = ENOUGH) -> dict[int, int]:
    """Pairs of lines in one place, each line at most once; the better pair first.

    Args:
        enough: Share of their place that two lines must have in common.

    Returns:
        Index in ``these`` -> index in ``those``.
    """
    pairs = []
    boxes = [_box(line) for line in those]
    for one, line in enumerate(these):
        own = _box(line)
        if own is None:
            continue
        for other, box in enumerate(boxes):
            if box is None or not _touch(own, box):
                continue
            score = same_place(line, those[other])
            if score >= enough:
                pairs.append((score + _NAME * (line.id == those[other].id), one, other))
    matched: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if one not in matched and other not in taken:
            matched[one] = other
            taken.add(other)
    return matched


def scaled(line: Line, across: float, down: float) -> Line:
    """The line on the same picture in another size."""
    if across == 1 and down == 1:
        return line
    boundary, baseline = (
        tuple((round(x * across), round(y * down)) for x, y in points) for points in (line.boundary, line.baseline)
    )
    return line.model_copy(update={"boundary": boundary, "baseline": baseline})


def _box(line: Line) -> Box | None:
    return line.box if line.boundary or line.baseline else None


def _touch(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and other[0] <= one[2] and one[1] <= other[3] and other[1] <= one[3]
