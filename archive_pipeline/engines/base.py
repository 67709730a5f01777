"""What an engine is: a :class:`Segmenter` finds lines, a :class:`Recognizer` reads them.

Both are made inside a page worker, keep their model loaded, and know nothing of documents, files or Dagster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.page import Line, Region, Step

Image = NDArray[np.uint8]
"""A page image: height x width x 3, RGB."""


class Segmenter(Protocol):
    """Finds regions and lines.

    Attributes:
        step: Engine, version, model and digest, for provenance and for the key by which results are reused.
    """

    step: Step

    def segment(self, image: Image) -> tuple[Region, ...]:
        """Regions in reading order, each with its lines in reading order, without text; empty for a blank page.

        Region and line ids are unique on the page. Coordinates are pixels of ``image``.
        """
        ...


class Recognizer(Protocol):
    """Reads lines.

    Attributes:
        step: As for a segmenter.
    """

    step: Step

    def recognize(self, image: Image, lines: Sequence[Line]) -> list[Line]:
        """The same lines in the same order with text, confidence and words; text is empty where nothing was read."""
        ...
