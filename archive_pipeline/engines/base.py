"""What an engine is: a :class:`Segmenter` finds lines, a :class:`Recognizer` reads a page's regions.

Both are made inside a page worker, keep their model loaded, and know nothing of documents, files or Dagster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Line, Region, Step

Image = NDArray[np.uint8]
"""A page image: height x width x 3, RGB."""


class Segmenter(Protocol):
    """Finds regions and lines.

    Attributes:
        step: Engine, version, model and digest, for provenance and for the key by which results are reused.
    """

    step: Step

    def segment(self, image: Image, direction: Direction = "ltr") -> tuple[Region, ...]:
        """Regions in reading order, each with its lines in reading order, without text; empty for a blank page.

        ``direction`` is that of the text: where it is from right to left, so are columns and cells read. The lines
        themselves need not be marked with it.

        Region and line ids are unique on the page. Coordinates are pixels of ``image``.
        """
        ...


class Recognizer(Protocol):
    """Reads a segmented page.

    Attributes:
        step: As for a segmenter.
    """

    step: Step

    def recognize(self, image: Image, regions: Sequence[Region]) -> tuple[Region, ...]:
        """The page with text.

        An engine that reads lines gives back the same regions and lines in the same order, each line with text,
        confidence and words, its text empty where nothing was read. One that reads blocks may give other regions:
        with lines where it is certain which line has which text, else with the text of the block alone.
        """
        ...


def each_line(regions: Sequence[Region], read: Callable[[Line], Line]) -> tuple[Region, ...]:
    """The regions with each of their lines read."""
    return tuple(region.model_copy(update={"lines": tuple(map(read, region.lines))}) for region in regions)


def step_of(model: InstalledModel, version: str, parameters: Mapping[str, str | int | float | bool]) -> Step:
    """Provenance of what an engine does with a model. The licence of the weights goes with it."""
    return Step(
        task=model.task,
        engine=model.engine,
        version=version,
        model=model.id,
        model_digest=model.digest or None,
        parameters={"licence": model.licence, **parameters},
    )
