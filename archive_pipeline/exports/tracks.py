"""The track on which a line's text stands: its baseline, or the one it must have, and the heights around it.

Coordinates are pixels of the page image, x to the right and y down. A position along a track is a pixel coordinate
along its main axis (x for lines that are more level than upright), times its sign, so that positions grow in the
direction in which glyphs are drawn: from left to right for level lines, also for right-to-left scripts.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from archive_pipeline.exports import polygons
from archive_pipeline.page import Box, Line, Page, Point, Region, bounding_box

_DESCENT_SHARE = 0.215  # of a line's height, below the baseline: that of most Latin fonts
_UPRIGHT = 2.5  # a box so much higher than wide holds text that runs upwards, unless it is vertical script


@dataclass(frozen=True)
class Track:
    """A baseline.

    Attributes:
        axis: 0 if positions are along x, 1 if along y.
        sign: 1 or -1; see the module.
        stops: Position and other coordinate of each point, by rising position; two or more.
        ascent, descent: Pixels that the line's shape reaches above and below, across the track.
    """

    axis: int
    sign: int
    stops: tuple[tuple[float, float], ...]
    ascent: float
    descent: float

    @property
    def start(self) -> float:
        return self.stops[0][0]

    @property
    def end(self) -> float:
        return self.stops[-1][0]

    @property
    def height(self) -> float:
        return self.ascent + self.descent

    def point(self, position: float) -> tuple[float, float]:
        """The point of the page at a position; beyond an end the last piece goes on straight."""
        index = 1
        while index < len(self.stops) - 1 and self.stops[index][0] < position:
            index += 1
        (p0, q0), (p1, q1) = self.stops[index - 1], self.stops[index]
        other = q0 + (q1 - q0) * (position - p0) / (p1 - p0)
        along = position * self.sign
        return (along, other) if self.axis == 0 else (other, along)

    def extent(self, box: Box) -> tuple[float, float]:
        """From where to where a box lies along the track."""
        a, b = box[self.axis] * self.sign, box[self.axis + 2] * self.sign
        return min(a, b), max(a, b)


def is_long(baseline: tuple[Point, ...]) -> bool:
    """Whether a baseline is long enough to tell a direction; what is shorter stands for none."""
    if not baseline:
        return False
    (x0, y0), (x1, y1) = baseline[0], baseline[-1]
    return max(abs(x1 - x0), abs(y1 - y0)) >= 2


def track_of(line: Line, fallback: Box) -> Track:
    """The track of a line.

    Args:
        line: With a baseline, or only a boundary, or neither.
        fallback: Where the text is if the line has no points at all.
    """
    box = bounding_box(line.boundary or line.baseline) if line.boundary or line.baseline else fallback
    if not is_long(line.baseline):
        return _from_box(line, box)
    first, last = line.baseline[0], line.baseline[-1]
    across = (last[0] - first[0], last[1] - first[1])
    axis = 0 if abs(across[0]) >= abs(across[1]) else 1
    sign = _sign(line, axis, 1 if across[axis] > 0 else -1)
    stops: list[tuple[float, float]] = []
    for point in sorted(line.baseline, key=lambda p: p[axis] * sign):
        stop = (float(point[axis] * sign), float(point[1 - axis]))
        if not stops or stop[0] - stops[-1][0] >= 1:
            stops.append(stop)
    if len(stops) < 2:
        return _from_box(line, box)
    ascent, descent = _heights(axis, sign, stops, line.boundary)
    return Track(axis, sign, tuple(stops), ascent, descent)


def baseline_in(page: Page, region: Region, line: Line) -> list[Point]:
    """The line's baseline inside the page; where the engine gave none, the one that its shape suggests.

    kraken and eScriptorium pass over lines without one, and their text with them.
    """
    if is_long(line.baseline) and (given := polygons.baseline(line.baseline, page)) is not None:
        return given
    track = track_of(line, region.box if region.boundary else (0, 0, page.width, page.height))
    ends = (track.point(track.start), track.point(track.end))
    return polygons.baseline([(round(x), round(y)) for x, y in ends], page) or []


def _sign(line: Line, axis: int, drawn: int) -> int:
    """In which direction glyphs are drawn: as the baseline runs, unless the words or the script say otherwise."""
    writing = -1 if line.direction == "rtl" else 1
    if len(line.words) > 1:
        first, last = line.words[0].box, line.words[-1].box
        moved = first[axis] + first[axis + 2] - last[axis] - last[axis + 2]
        return (-1 if moved > 0 else 1) * writing if moved else drawn
    # Engines disagree on which way the baseline of right-to-left text runs; on level lines its glyphs run to the right.
    return (1 if axis == 0 else -drawn) if writing < 0 else drawn


def _from_box(line: Line, box: Box) -> Track:
    left, top, right, bottom = box
    width, height = max(right - left, 1), max(bottom - top, 1)
    upright = line.direction == "ttb" or (height > _UPRIGHT * width and len(line.best_text) > 1)
    axis = 1 if upright else 0
    sign = _sign(line, axis, -1 if upright and line.direction != "ttb" else 1)
    thickness = width if upright else height
    descent = _DESCENT_SHARE * thickness
    # Glyphs that run upwards have their feet to the right, those that run downwards to the left.
    feet = right - descent if sign < 0 else left + descent
    other = feet if upright else bottom - descent
    begin, end = sorted((box[axis] * sign, box[axis + 2] * sign))
    stops = ((float(begin), other), (float(max(end, begin + 1)), other))
    return Track(axis, sign, stops, thickness - descent, descent)


def _heights(
    axis: int, sign: int, stops: list[tuple[float, float]], boundary: tuple[Point, ...]
) -> tuple[float, float]:
    """How far the boundary reaches above and below the straight line between the ends, across it."""
    if len(boundary) < 3:
        return 0.0, 0.0
    (p0, q0), (p1, q1) = stops[0], stops[-1]
    length = ((p1 - p0) ** 2 + (q1 - q0) ** 2) ** 0.5
    # On a level track drawn to the right, up is where y gets smaller; each turn of axis or sign turns that around.
    up = -sign if axis == 0 else sign
    offsets = [
        up * ((point[1 - axis] - q0) * (p1 - p0) - (q1 - q0) * (point[axis] * sign - p0)) / length for point in boundary
    ]
    return max(0.0, max(offsets)), max(0.0, -min(offsets))


def usual_height(tracks: list[Track], page_height: int) -> float:
    """A height for lines that have none: that of the page's other lines, in pixels."""
    heights = [track.height for track in tracks if track.height >= 3]
    return statistics.median(heights) if heights else page_height / 60
