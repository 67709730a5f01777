"""Targets as kraken draws them: baselines, the separators at their ends, regions; one channel each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from kraken.lib.dataset import BaselineSet
from shapely import LineString

from archive_pipeline.training.segmentation.shapes import Classes, Points, Shapes


class TargetPainter:
    """Draws by :class:`kraken.lib.dataset.BaselineSet`, without its reading of files."""

    def __init__(self, classes: Classes, line_width: int) -> None:
        self._classes = classes
        # kraken counts the channels by their numbers; the last one may be a class that no page of ours has.
        names = {f"channel-{index}": index for index in range(2, classes.count) if index != classes.baseline}
        self._set = BaselineSet(
            {
                "aux": {"_start_separator": classes.start, "_end_separator": classes.end},
                "baselines": {"default": classes.baseline},
                "regions": names,
            },
            line_width=line_width,
        )
        self._line_width = line_width

    def draw(self, shapes: Shapes, width: int, height: int) -> torch.Tensor:
        """Draw what is on a page.

        Args:
            shapes: In pixels of the scaled page.
            width, height: Of the scaled page.

        Returns:
            ``(channels, height, width)`` of 0 and 1.
        """
        empty = torch.zeros(1, height, width)
        self._set.transforms = lambda _: empty
        limits = np.array([width - 1, height - 1], np.float64)
        regions = {
            channel: [SimpleNamespace(boundary=np.clip(points, 0, limits).tolist()) for points in regions]
            for channel, regions in shapes.regions.items()
        }
        lines = [line.tolist() for line in shapes.baselines if self._drawable(line, width, height)]
        target = {"baselines": {self._classes.baseline: lines}, "regions": regions}
        drawn: torch.Tensor = self._set.transform(SimpleNamespace(size=(width, height)), target)[1]
        return drawn

    def _drawable(self, points: Points, width: int, height: int) -> bool:
        """Whether a baseline, scaled and moved, is still a stroke on the page."""
        stroke: Any = LineString(points)
        left, top, right, bottom = stroke.bounds
        return bool(
            stroke.length > 1
            and right >= 0
            and bottom >= 0
            and left < width
            and top < height
            and stroke.buffer(self._line_width / 2, cap_style="flat").boundary.geom_type == "LineString"
        )
