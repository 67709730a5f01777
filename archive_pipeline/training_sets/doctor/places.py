"""Where lines are: outlines and baselines that no line can have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from archive_pipeline.ground_truth import shapes
from archive_pipeline.page import Line, Page, Point
from archive_pipeline.training_sets.doctor.findings import Code, Severity

Said = tuple[int, Code, Severity, str, str]
"""Index of the line, code, severity, what, remedy."""

_EDGE = 2
"""Pixels beyond the page that are rounding."""
_INSIDE = 0.5
"""Least share of a baseline within its outline."""
_MARGIN = 0.2
"""A baseline may lie below its outline by this share of the line's height: some tools cut outlines at it."""
_TWICE = 0.8
"""Two outlines with this much in common are one line drawn twice."""
_DRAW = "Draw the outline again, or delete it and have it made from the baseline."


def place_findings(page: Page) -> Iterator[Said]:
    """All findings about the places of a page's lines, in their order."""
    lines = list(page.lines())
    for index, line in enumerate(lines):
        if not line.boundary and len(line.baseline) < 2:
            yield index, "no-place", "error", "it has neither an outline nor a baseline", "Draw its baseline."
            continue
        yield from _boundary(index, line, page)
        yield from _baseline(index, line, page)
    yield from _twice(lines)


def _boundary(index: int, line: Line, page: Page) -> Iterator[Said]:
    if not line.boundary:
        return
    if shapes.polygon(line.boundary).area < 1:
        what = f"its outline of {len(line.boundary)} points has no area"
        yield index, "polygon-broken", "error", what, _DRAW
        return
    if shapes.crosses_itself(line.boundary):
        yield index, "polygon-crossing", "error", "its outline crosses itself", _DRAW
    if outside := _outside(line.boundary, page):
        what = f"its outline leaves the page of {page.width} x {page.height} pixels at {outside[0]},{outside[1]}"
        yield (
            index,
            "polygon-outside",
            "error",
            what,
            "Move it into the page, or put the image there that was transcribed.",
        )


def _baseline(index: int, line: Line, page: Page) -> Iterator[Said]:
    if len(line.baseline) < 2:
        if line.baseline:
            what = "its baseline is a single point"
            yield index, "polygon-broken", "error", what, "Draw the baseline again, from its beginning to its end."
        return
    if outside := _outside(line.baseline, page):
        what = f"its baseline leaves the page of {page.width} x {page.height} pixels at {outside[0]},{outside[1]}"
        yield (
            index,
            "baseline-outside-page",
            "error",
            what,
            "Move it into the page, or put the image there that was transcribed.",
        )
        return
    if shapes.polygon(line.boundary).area < 1:
        return
    share = shapes.inside_share(line.baseline, line.boundary, _MARGIN * shapes.height(line) + _EDGE)
    if share < _INSIDE:
        what = f"only {share:.0%} of its baseline lies within its outline"
        yield index, "baseline-outside-line", "error", what, "Draw the outline or the baseline again."


def _outside(points: Sequence[Point], page: Page) -> Point | None:
    for x, y in points:
        if not (-_EDGE <= x <= page.width - 1 + _EDGE and -_EDGE <= y <= page.height - 1 + _EDGE):
            return x, y
    return None


def _twice(lines: Sequence[Line]) -> Iterator[Said]:
    areas = [shapes.polygon(line.boundary) for line in lines]
    for first, second in combinations(range(len(lines)), 2):
        if areas[first].is_empty or areas[second].is_empty or not _meet(lines[first], lines[second]):
            continue
        if shapes.shared(areas[first], areas[second]) >= _TWICE:
            what = f"it lies where line {lines[first].id or first + 1} lies"
            yield second, "line-twice", "error", what, "Delete one of the two lines."


def _meet(first: Line, second: Line) -> bool:
    one, other = first.box, second.box
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
