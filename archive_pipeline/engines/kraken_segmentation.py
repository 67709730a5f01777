"""kraken's trainable segmenter (blla): baselines and regions, for handwriting and curved lines.

Kiessling, "A modular region and text line layout analysis system", 2020. kraken's library is used, never its command
line modules, which raise Pillow's limit on image size for the whole process.
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

import torch
from kraken.configs import SegmentationInferenceConfig
from kraken.models import load_models
from PIL import Image as PillowImage

from archive_pipeline.engines.base import Image, step_of
from archive_pipeline.engines.crops import clip
from archive_pipeline.engines.kraken_input import HEIGHT, not_too_wide
from archive_pipeline.engines.tiny_weights import drop_tiny_weights
from archive_pipeline.engines.versions import KRAKEN_SEGMENTATION
from archive_pipeline.errors import ModelError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Line, Point, Region, bounding_box

_MARGIN = 8
_DIRECTIONS = {"ltr": "horizontal-lr", "rtl": "horizontal-rl", "ttb": "vertical-rl"}


class KrakenSegmenter:
    """Baselines by kraken's blla network at a height of 1,200 pixels."""

    def __init__(self, model: InstalledModel) -> None:
        version = f"{importlib.metadata.version('kraken')}+{KRAKEN_SEGMENTATION}"
        self.step = step_of(model, version, {"height": HEIGHT})
        model.verify()  # kraken itself wants a path
        torch.set_num_threads(1)
        try:
            (self._net,) = load_models(model.path, tasks=["segmentation"])
        except ValueError as error:
            raise ModelError(f"model {model.id} cannot be loaded by kraken: {error}") from error
        drop_tiny_weights(self._net)
        batch, channels, _, width = self._net.input
        self._net.input = (batch, channels, HEIGHT, width)
        self._direction: Direction | None = None
        self._read_in("ltr")

    def _read_in(self, direction: Direction) -> None:
        if direction != self._direction:
            config = SegmentationInferenceConfig(num_threads=1, text_direction=_DIRECTIONS[direction])
            self._net.prepare_for_inference(config)
            self._direction = direction

    def segment(self, image: Image, direction: Direction = "ltr") -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Segmenter`."""
        height, width = image.shape[:2]
        if min(height, width) < 8:
            return ()
        self._read_in(direction)
        with torch.inference_mode():
            found = self._net.predict(im=PillowImage.fromarray(not_too_wide(image)))
        return _regions(found, width, height)


def _regions(found: Any, width: int, height: int) -> tuple[Region, ...]:
    """kraken's regions in the order of their first line; lines outside of any come in a region of their own.

    A region is split where another's lines are read in between, as :mod:`archive_pipeline.page` demands.
    """
    boundaries = {region.id: region.boundary for regions in found.regions.values() for region in regions}
    types = {region.id: name for name, regions in found.regions.items() for region in regions}
    groups: list[tuple[str | None, list[Any]]] = []
    for line in found.lines:
        if not line.baseline or len(line.baseline) < 2 or not line.boundary or len(line.boundary) < 3:
            continue
        owner = line.regions[0] if line.regions else None
        if not groups or groups[-1][0] != owner:
            groups.append((owner, []))
        groups[-1][1].append(line)
    regions = []
    for number, (owner, members) in enumerate(groups, start=1):
        lines = tuple(
            Line(
                id=f"r{number}l{position}",
                boundary=clip(_open(line.boundary), width, height),
                baseline=clip([(round(x), round(y)) for x, y in line.baseline], width, height),
            )
            for position, line in enumerate(members, start=1)
        )
        whole = owner is not None and sum(o == owner for o, _ in groups) == 1
        around = _open(boundaries[owner]) if owner is not None and whole else _box_around(lines)
        regions.append(
            Region(
                id=f"r{number}",
                type="graphic" if owner and types[owner] in {"image", "graphic"} else "text",
                boundary=clip(around, width, height),
                lines=lines,
            )
        )
    return tuple(regions)


def _open(polygon: Any) -> tuple[Point, ...]:
    """Whole pixels, without the first point repeated at the end."""
    points = [(round(float(x)), round(float(y))) for x, y in polygon]
    return tuple(points[:-1] if len(points) > 1 and points[0] == points[-1] else points)


def _box_around(lines: tuple[Line, ...]) -> tuple[Point, ...]:
    left, top, right, bottom = bounding_box(tuple(point for line in lines for point in line.boundary))
    return (
        (left - _MARGIN, top - _MARGIN),
        (right + _MARGIN, top - _MARGIN),
        (right + _MARGIN, bottom + _MARGIN),
        (
            left - _MARGIN,
            bottom + _MARGIN,
        ),
    )
