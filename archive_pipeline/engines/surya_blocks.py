"""Blocks of surya's layout as regions, with the detected lines that lie in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from archive_pipeline.engines.crops import line_quad, mirrored
from archive_pipeline.engines.reading_order import order_blocks
from archive_pipeline.page import Box, Direction, Line, Point, Region, RegionType, bounding_box

_INSIDE = 0.5  # share of a line's box that lies in its block

_TYPES: dict[str, RegionType] = {
    "Text": "text",
    "ListGroup": "text",
    "Bibliography": "text",
    "Footnote": "text",
    "Form": "text",
    "TableOfContents": "text",
    "SectionHeader": "heading",
    "PageHeader": "header",
    "PageFooter": "footer",
    "Caption": "caption",
    "Table": "table",
    "Picture": "graphic",
    "Figure": "graphic",
    "Diagram": "graphic",
}
BLANK = "BlankPage"


def region_type(label: str) -> RegionType:
    """Our type for one of surya's public labels; formulas, code and what is not known are ``other``."""
    return _TYPES.get(label, "other")


@dataclass(frozen=True)
class Block:
    """A block of the server's layout.

    Attributes:
        box: On the page, in pixels.
        texts: Its lines of text; empty if it was not read.
        confidence: 0 to 1; None if nobody knows.
    """

    type: RegionType
    box: Box
    texts: tuple[str, ...] = ()
    confidence: float | None = None


def block_box(polygon: Sequence[Sequence[float]], scale: tuple[float, float], width: int, height: int) -> Box:
    """The box of a polygon, inside the page and at least one pixel wide and high.

    Args:
        scale: Pixels of the page for each unit of the polygon, across and down.
    """
    xs, ys = [point[0] * scale[0] for point in polygon], [point[1] * scale[1] for point in polygon]
    left, top = min(max(round(min(xs)), 0), width - 1), min(max(round(min(ys)), 0), height - 1)
    return left, top, min(max(round(max(xs)), left + 1), width), min(max(round(max(ys)), top + 1), height)


def with_lines(
    blocks: Sequence[Block], lines: Sequence[Line], direction: Direction = "ltr"
) -> Iterator[tuple[Block | None, tuple[Line, ...]]]:
    """Each block with its lines in reading order; then lines outside of any block, in groups without one.

    A line belongs to the block that holds most of it, if that is at least half of it or has its middle: the server's
    boxes are tight, and the detector's are not.
    """
    members: list[list[Line]] = [[] for _ in blocks]
    outside: list[Line] = []
    for line in lines:
        shares = [_share(line.box, block.box) for block in blocks]
        best = int(np.argmax(shares)) if shares else -1
        held = best >= 0 and (shares[best] >= _INSIDE or _has_middle(blocks[best].box, line.box))
        (members[best] if held else outside).append(line)
    for block, inside in zip(blocks, members, strict=True):
        yield block, tuple(line for group in in_order(inside, direction) for line in group)
    for group in in_order(outside, direction):
        yield None, group


def in_order(lines: Sequence[Line], direction: Direction = "ltr") -> list[tuple[Line, ...]]:
    """Lines in groups, both in our own reading order."""
    return [members for members, _ in own_blocks(lines, direction)]


def own_blocks(lines: Sequence[Line], direction: Direction) -> list[tuple[tuple[Line, ...], bool]]:
    """Lines in groups, both in our own reading order, each with whether it is a table."""
    quads = [line_quad(line) for line in lines]
    # What is read from right to left is ordered in the mirror.
    placed = [mirrored(quad) for quad in quads] if direction == "rtl" else quads
    return [(tuple(lines[index] for index in block.lines), block.is_table) for block in order_blocks(placed)]


def make_region(number: int, kind: RegionType, box: Box, lines: Sequence[Line], text: str = "") -> Region:
    """A region with lines that are named after it."""
    return Region(
        id=f"r{number}",
        type=kind,
        boundary=corners(box),
        lines=tuple(line.model_copy(update={"id": f"r{number}l{place}"}) for place, line in enumerate(lines, start=1)),
        text=text,
    )


def corners(box: Box) -> tuple[Point, ...]:
    """The corner pixels of a box."""
    left, top, right, bottom = box[0], box[1], box[2] - 1, box[3] - 1
    return (left, top), (right, top), (right, bottom), (left, bottom)


def box_around(lines: Sequence[Line]) -> Box:
    return bounding_box(tuple(point for line in lines for point in line.boundary))


def _has_middle(block: Box, line: Box) -> bool:
    x, y = (line[0] + line[2]) / 2, (line[1] + line[3]) / 2
    return block[0] <= x < block[2] and block[1] <= y < block[3]


def _share(line: Box, block: Box) -> float:
    across = min(line[2], block[2]) - max(line[0], block[0])
    down = min(line[3], block[3]) - max(line[1], block[1])
    return max(across, 0) * max(down, 0) / max((line[2] - line[0]) * (line[3] - line[1]), 1)
