"""Polygons and baselines as strict readers want them: inside the page, with enough points, with an area."""

from __future__ import annotations

from collections.abc import Sequence

from archive_pipeline.page import Box, Page, Point, bounding_box


def clamp(points: Sequence[Point], page: Page) -> list[Point]:
    """Points moved into the page, without immediate repetitions."""
    inside: list[Point] = []
    for x, y in points:
        point = (min(max(x, 0), page.width - 1), min(max(y, 0), page.height - 1))
        if not inside or inside[-1] != point:
            inside.append(point)
    if len(inside) > 1 and inside[0] == inside[-1]:
        inside.pop()
    return inside


def polygon(points: Sequence[Point], page: Page) -> list[Point]:
    """A polygon of at least three points inside the page; what is less becomes the box around it.

    No points at all become the whole page: the text is somewhere on it.
    """
    inside = clamp(points, page)
    if len(inside) >= 3:
        return inside
    return corners(bounding_box(tuple(inside)) if inside else (0, 0, page.width, page.height), page)


def corners(box: Box, page: Page) -> list[Point]:
    """The four corners of a box, clockwise from the top left, at least one pixel apart where the page allows it."""
    left, top, right, bottom = box
    left, top = min(max(left, 0), page.width - 1), min(max(top, 0), page.height - 1)
    right, bottom = min(max(right - 1, left + 1), page.width - 1), min(max(bottom - 1, top + 1), page.height - 1)
    # Right or bottom cannot go further at the edge of the page, so the other side gives way.
    left, top = max(min(left, right - 1), 0), max(min(top, bottom - 1), 0)
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def baseline(points: Sequence[Point], page: Page) -> list[Point] | None:
    """A baseline of at least two points inside the page; None where there is not even one point to start from.

    A single point becomes the shortest line that tools accept.
    """
    inside = clamp(points, page)
    if not inside:
        return None
    if len(inside) == 1:
        x, y = inside[0]
        inside = [(x, y), (x + 1, y)] if x + 1 < page.width else [(max(x - 1, 0), y), (x, y)]
    return inside


def text(points: Sequence[Point]) -> str:
    """``x,y x,y``: the form of PAGE and ALTO."""
    return " ".join(f"{x},{y}" for x, y in points)
