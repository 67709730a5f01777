"""Reading order of detected lines: one column, several columns with headings across them, and simple tables.

Column gutters are found as upright white strips that few lines cross (after the page's skew is taken out); lines that
do cross them (a heading over two columns) part the page into bands, and each band is read column by column. A table is
read row by row: its cells share their rows with a neighbour, and one of its columns is too narrow for running text.

After the idea of whitespace covers (Breuel, "Two geometric algorithms for layout analysis", 2002), reduced to upright
gutters, which is what letters, registers, typescripts and gazettes have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float64]
"""n x 4: left, top, right, bottom, with the page's skew taken out."""

_CROSSING_SHARE = 0.12  # of the lines beside it may cross a gutter
_TEXT_LINE = 10  # length of a line of text, in line heights; a fifth of a column's lines are as long
_PARAGRAPH_GAP = 1.1  # white between two blocks, in line heights


@dataclass(frozen=True)
class Block:
    """Lines that belong together, as indices in reading order."""

    lines: tuple[int, ...]
    is_table: bool = False


def order_blocks(quads: Sequence[NDArray[np.float32]]) -> list[Block]:
    """Group lines into blocks and order both.

    Args:
        quads: Four corners of each line: top left, top right, bottom right, bottom left.

    Returns:
        Blocks in reading order; each index occurs exactly once.
    """
    if not quads:
        return []
    boxes = _upright_boxes(quads)
    return [
        block
        for band in _bands(boxes, list(range(len(quads))), _gutters(boxes, list(range(len(quads)))))
        for block in band
    ]


def rows(boxes: Boxes, members: Sequence[int]) -> list[list[int]]:
    """Members that stand beside each other, as rows from top to bottom, each from left to right."""
    found: list[list[int]] = []
    extents: list[tuple[float, float]] = []
    for index in sorted(members, key=lambda i: (boxes[i, 1] + boxes[i, 3], boxes[i, 0])):
        top, bottom = boxes[index, 1], boxes[index, 3]
        for row in range(len(found) - 1, max(-1, len(found) - 4), -1):
            shared = min(bottom, extents[row][1]) - max(top, extents[row][0])
            beside = all(boxes[index, 0] >= boxes[o, 2] - 2 or boxes[index, 2] <= boxes[o, 0] + 2 for o in found[row])
            if beside and shared > 0.5 * min(bottom - top, extents[row][1] - extents[row][0]):
                found[row].append(index)
                break
        else:
            found.append([index])
            extents.append((top, bottom))
    return [sorted(row, key=lambda i: boxes[i, 0]) for row in found]


def _upright_boxes(quads: Sequence[NDArray[np.float32]]) -> Boxes:
    """Bounding boxes after turning the page by the median slope of its long lines."""
    points = np.asarray(quads, dtype=np.float64)
    along = points[:, 1] - points[:, 0]
    lengths = np.linalg.norm(along, axis=1)
    long = lengths >= np.median(lengths)
    slope = float(np.median(np.arctan2(along[long, 1], along[long, 0])))
    if abs(slope) < math.radians(15):
        cos, sin = math.cos(-slope), math.sin(-slope)
        points = points @ np.array([[cos, sin], [-sin, cos]])
    around = np.column_stack([points.min(axis=1), points.max(axis=1)])
    # The middle of the slanted ends: a box around all corners would let neighbours overlap.
    middles = np.column_stack(
        [
            points[:, [0, 3], 0].mean(1),
            points[:, [0, 1], 1].mean(1),
            points[:, [1, 2], 0].mean(1),
            points[:, [2, 3], 1].mean(1),
        ]
    )
    level = np.abs(along[:, 0]) > np.abs(along[:, 1])
    return np.where(level[:, None], middles, around)


def _gutters(boxes: Boxes, members: list[int]) -> list[float]:
    """x of upright white strips between columns, from left to right."""
    if len(members) < 6:
        return []
    own = boxes[members]
    height = float(np.median(own[:, 3] - own[:, 1]))
    edges = np.unique(np.concatenate([own[:, 0], own[:, 2]]))
    strips: list[list[tuple[float, float, int]]] = []
    for left, right in pairwise(edges):
        middle = (left + right) / 2
        crossing = int(np.sum((own[:, 0] < middle) & (own[:, 2] > middle)))
        if crossing <= _CROSSING_SHARE * len(members):
            if strips and strips[-1][-1][1] >= left - 1e-6:
                strips[-1].append((left, right, crossing))
            else:
                strips.append([(left, right, crossing)])
    gutters = [_emptiest(strip) for strip in strips if strip[-1][1] - strip[0][0] >= 0.6 * height]
    # A strip with hardly anything on one side is a margin.
    return [x for x in gutters if min(np.sum(own[:, 2] <= x), np.sum(own[:, 0] >= x)) >= max(3, 0.08 * len(members))]


def _emptiest(strip: list[tuple[float, float, int]]) -> float:
    """x in a strip that the fewest lines cross: long lines of one column reach into it, but seldom through it."""
    fewest = min(crossing for _, _, crossing in strip)
    left, right = max(((a, b) for a, b, crossing in strip if crossing == fewest), key=lambda part: part[1] - part[0])
    return (left + right) / 2


def _bands(boxes: Boxes, members: list[int], gutters: list[float]) -> list[list[Block]]:
    """Blocks of each band, a band being what stands between two lines that cross a gutter."""
    if not gutters:
        return [_column_blocks(boxes, members)]
    bands: list[list[Block]] = []
    waiting: list[int] = []
    for index in sorted(members, key=lambda i: (boxes[i, 1] + boxes[i, 3]) / 2):
        if any(boxes[index, 0] < x < boxes[index, 2] for x in gutters):
            bands.append(_band_blocks(boxes, waiting, gutters))
            waiting = []
            bands.append([Block((index,))])
        else:
            waiting.append(index)
    bands.append(_band_blocks(boxes, waiting, gutters))
    return _join_single_lines([band for band in bands if band])


def _band_blocks(boxes: Boxes, members: list[int], gutters: list[float]) -> list[Block]:
    if not members:
        return []
    columns: list[list[int]] = [[] for _ in range(len(gutters) + 1)]
    for index in members:
        columns[int(np.searchsorted(gutters, (boxes[index, 0] + boxes[index, 2]) / 2))].append(index)
    columns = [column for column in columns if column]
    if len(columns) > 1 and _is_table(boxes, columns):
        return [Block(tuple(i for cell in _cells(boxes, members, columns) for i in cell), is_table=True)]
    return [block for column in columns for block in _column_blocks(boxes, column)]


def _is_table(boxes: Boxes, columns: list[list[int]]) -> bool:
    """Do the columns share their rows, and is one of them too narrow for running text?"""
    if all(len(column) >= 3 and _is_wide(boxes, column) for column in columns):
        return False
    aligned = total = 0
    for a, b in pairwise(columns):
        fewer, more = sorted((a, b), key=len)
        middles = (boxes[more, 1] + boxes[more, 3]) / 2
        for index in fewer:
            middle, height = (boxes[index, 1] + boxes[index, 3]) / 2, boxes[index, 3] - boxes[index, 1]
            aligned += bool(np.min(np.abs(middles - middle)) < 0.4 * height)
            total += 1
    return aligned >= 0.6 * total


def _is_wide(boxes: Boxes, column: list[int]) -> bool:
    """Has the column lines as long as lines of text? Typed on one grid, columns of text share their rows, too."""
    ratios = (boxes[column, 2] - boxes[column, 0]) / (boxes[column, 3] - boxes[column, 1])
    return bool(np.percentile(ratios, 80) >= _TEXT_LINE)


def _cells(boxes: Boxes, members: list[int], columns: list[list[int]]) -> list[list[int]]:
    """Cells of a table, row by row; a cell may have several lines.

    A row begins at each line of the first column that has a line beside it in another column, and the other lines
    belong to the row that began last.
    """
    column_of = {index: number for number, column in enumerate(columns) for index in column}
    lines = rows(boxes, members)
    most = max(len(line) for line in lines)
    grid: list[list[list[int]]] = []
    for line in lines:
        # A line of text alone under a fuller one goes on in a cell of it (an entry of two lines).
        if not grid or len(line) >= max(2, 0.4 * most):
            grid.append([[] for _ in columns])
        for index in line:
            grid[-1][column_of[index]].append(index)
    return [cell for row in grid for cell in row if cell]


def _column_blocks(boxes: Boxes, members: list[int]) -> list[Block]:
    """One column, parted where the white between two rows is larger than a line."""
    if not members:
        return []
    lines = rows(boxes, members)
    height = float(np.median(boxes[members, 3] - boxes[members, 1]))
    blocks: list[list[int]] = [list(lines[0])]
    for above, below in pairwise(lines):
        gap = min(boxes[i, 1] for i in below) - max(boxes[i, 3] for i in above)
        if gap > _PARAGRAPH_GAP * height:
            blocks.append([])
        blocks[-1].extend(below)
    return [Block(tuple(block)) for block in blocks]


def _join_single_lines(bands: list[list[Block]]) -> list[list[Block]]:
    """Neighbouring bands of one crossing line each become one block: a heading of two lines, or a wide paragraph."""
    joined: list[list[Block]] = []
    for band in bands:
        single = len(band) == 1 and not band[0].is_table
        if joined and single and len(band[0].lines) == 1 and len(joined[-1]) == 1 and not joined[-1][0].is_table:
            joined[-1] = [Block(joined[-1][0].lines + band[0].lines)]
        else:
            joined.append(band)
    return joined
