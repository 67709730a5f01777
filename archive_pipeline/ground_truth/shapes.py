"""Polygons and baselines as shapes: whether they are whole, and how far two of them are the same.

Every function takes any points, broken ones too, and answers: files of other tools have polygons that cross
themselves, lie on one line, or have a single point.
"""

from __future__ import annotations

from collections.abc import Sequence

import shapely
from shapely.geometry import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from archive_pipeline.page import Line, Point

_CORRIDOR = 0.3
"""Baselines of one line are at most this share of its height apart."""
_THINNEST = 4.0


def polygon(points: Sequence[Point]) -> BaseGeometry:
    """The area within points; empty if there is none. What crosses itself is taken apart, all of it counts."""
    if len(points) < 3:
        return Polygon()
    shape = Polygon(points)
    if not shape.is_valid:
        shape = shapely.make_valid(shape)
    return shape if shape.area > 0 else Polygon()


def crosses_itself(points: Sequence[Point]) -> bool:
    """Whether a polygon with an area has edges that cross. Edges that only touch are the habit of some tools."""
    if len(points) < 4 or polygon(points).area == 0:
        return False
    shape = Polygon(points)
    if shape.is_valid:
        return False
    # Points that are there twice, and spikes, leave nothing over; two halves of a bow tie do.
    whole = polygon(points)
    largest = max((part.area for part in getattr(whole, "geoms", [whole])), default=0.0)
    return bool(largest < 0.98 * abs(whole.area))


def shared(first: BaseGeometry, second: BaseGeometry) -> float:
    """Intersection over union of two areas, from 0 to 1."""
    if first.is_empty or second.is_empty or not first.intersects(second):
        return 0.0
    union = first.union(second).area
    return float(first.intersection(second).area / union) if union else 0.0


def inside_share(baseline: Sequence[Point], boundary: Sequence[Point], margin: float) -> float:
    """What share of a baseline's length lies within a polygon made larger by ``margin`` pixels, from 0 to 1."""
    if len(baseline) < 2:
        return 1.0
    track = LineString(baseline)
    area = polygon(boundary).buffer(margin)
    return float(track.intersection(area).length / track.length) if track.length else 1.0


def height(line: Line) -> float:
    """About how high a line is, in pixels: its area by its length, else the short side of its box."""
    area = polygon(line.boundary).area
    length = LineString(line.baseline).length if len(line.baseline) > 1 else 0.0
    if area and length:
        return float(max(area / length, 1.0))
    if not line.boundary and not line.baseline:
        return 1.0
    left, top, right, bottom = line.box
    return float(max(min(right - left, bottom - top), 1))


def length(line: Line) -> float:
    """How long a line is along its text, in pixels; 0 for one without a place."""
    if len(line.baseline) > 1:
        return float(LineString(line.baseline).length)
    if not line.boundary:
        return 0.0
    left, top, right, bottom = line.box
    return float(max(right - left, bottom - top))


def same_place(first: Line, second: Line) -> float:
    """How far two lines are in one place, from 0 to 1: by their areas or by their baselines, whichever agree more.

    People draw outlines anew, wider or narrower, and leave the baseline; machines do it the other way round.
    """
    areas = shared(polygon(first.boundary), polygon(second.boundary))
    if len(first.baseline) < 2 or len(second.baseline) < 2:
        return areas
    width = max(_CORRIDOR * min(height(first), height(second)), _THINNEST)
    one, other = LineString(first.baseline), LineString(second.baseline)
    if not one.length or not other.length:
        return areas
    near = one.intersection(other.buffer(width)).length / one.length
    far = other.intersection(one.buffer(width)).length / other.length
    return max(areas, float(min(near, far)))
