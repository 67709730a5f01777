"""What of a page a segmentation network is to find: its baselines, and its regions where somebody drew them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from shapely import LineString, Polygon

from archive_pipeline.errors import BadGroundTruth
from archive_pipeline.page import Page, Point, Region

Points = NDArray[np.float64]
"""``(n, 2)``: x and y."""

_WHOLE_PAGE = 0.9  # share of the page beyond which its one region says nothing
_MOST_UNFIT = 0.05  # share of lines that may be left out: the network learns that where they are is no line
_NO_TEXT = frozenset({"graphic", "stamp"})


@dataclass(frozen=True)
class Classes:
    """The output channels of a network.

    Attributes:
        start, end: Of the separators at both ends of a line.
        baseline: Of all lines: pages have no types of lines.
        regions: By the network's names.
        count: Of all channels.
    """

    start: int
    end: int
    baseline: int
    regions: Mapping[str, int]
    count: int

    @classmethod
    def of(cls, mapping: Mapping[str, Mapping[str, int]], channels: int) -> Classes:
        """As kraken notes them in a model's metadata.

        Raises:
            KeyError, ValueError: It is no network for baselines.
        """
        baselines = mapping["baselines"]
        if not baselines:
            raise ValueError("it has no class of baselines")
        aux = mapping["aux"]
        line = baselines.get("default", min(baselines.values()))
        used = [aux["_start_separator"], aux["_end_separator"], line, *mapping["regions"].values()]
        if not all(isinstance(index, int) and 0 <= index < channels for index in used):
            raise ValueError("its classes are not its channels")
        return cls(used[0], used[1], line, dict(mapping["regions"]), channels)

    def region(self, region: Region) -> int | None:
        """The channel of a region: of its own type, or of text; None if the network has none for it."""
        if region.type in self.regions:
            return self.regions[region.type]
        return None if region.type in _NO_TEXT else self.regions.get("text")


@dataclass(frozen=True)
class Shapes:
    """What is on a page.

    Attributes:
        baselines: In pixels.
        regions: By channel; in pixels.
        regions_known: Whether the page says where its regions are; else the network is not told that it has none.
        left_out: Lines whose baseline cannot be drawn.
    """

    baselines: Sequence[Points]
    regions: Mapping[int, Sequence[Points]] = field(default_factory=dict)
    regions_known: bool = False
    left_out: int = 0

    def moved(self, matrix: NDArray[np.float64]) -> Shapes:
        """All points under an affine map.

        Args:
            matrix: ``(2, 3)``.
        """

        def of(points: Points) -> Points:
            return points @ matrix[:, :2].T + matrix[:, 2]

        regions = {channel: [of(region) for region in regions] for channel, regions in self.regions.items()}
        return Shapes([of(line) for line in self.baselines], regions, self.regions_known, self.left_out)


def shapes_of(page: Page, classes: Classes) -> Shapes:
    """Baselines and regions of a page.

    Lines count whether they have text or not, and whether their text is fit to train with or not.

    Raises:
        BadGroundTruth: It has no lines, or too many of which nobody knows the baseline.
    """
    lines = list(page.lines())
    drawn = [points for line in lines if (points := _baseline(line.baseline)) is not None]
    missing = len(lines) - len(drawn)
    if not drawn:
        raise BadGroundTruth("no line of it has a baseline", remedy="Draw baselines in the tool that made it.")
    if missing > _MOST_UNFIT * len(lines):
        raise BadGroundTruth(
            f"{missing} of its {len(lines)} lines have no baseline that can be drawn",
            remedy="Draw them: where a line is missing, the network learns that there is none.",
        )
    known = [region for region in page.regions if len(region.boundary) > 2]
    if not _says_regions(known, page):
        return Shapes(drawn, left_out=missing)
    regions: dict[int, list[Points]] = {}
    for region in known:
        channel = classes.region(region)
        if channel is not None:
            regions.setdefault(channel, []).append(np.array(region.boundary, np.float64))
    return Shapes(drawn, regions, regions_known=True, left_out=missing)


def _says_regions(regions: Sequence[Region], page: Page) -> bool:
    """One region for the whole page, or one that takes up lines that are in none, says nothing of regions."""
    whole = _WHOLE_PAGE * page.width * page.height
    return bool(regions) and all(_area(region.boundary) < whole for region in regions)


def _area(points: Sequence[Point]) -> float:
    polygon: Any = Polygon(points)
    return float(polygon.buffer(0).area)


def _baseline(points: Sequence[Point]) -> Points | None:
    """Without points that are there twice; None if no stroke can be drawn along it."""
    different = [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
    if len(different) < 2:
        return None
    stroke: Any = LineString(different)
    # kraken's drawing takes the outline of a stroke, which has to be one line: not that of a ring.
    if not stroke.is_simple or stroke.buffer(1.0, cap_style="flat").boundary.geom_type != "LineString":
        return None
    return np.array(different, np.float64)
