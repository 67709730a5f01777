"""Layout and reading order by surya's server, with detected lines put into its blocks."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image as PillowImage
from surya.layout import LayoutPredictor

from archive_pipeline.engines import surya_library  # noqa: F401 - before surya itself
from archive_pipeline.engines.serving import Server
from archive_pipeline.engines.surya_backend import ServedBackend
from archive_pipeline.engines.surya_blocks import (
    BLANK,
    Block,
    block_box,
    box_around,
    make_region,
    region_type,
    with_lines,
)
from archive_pipeline.page import Direction, Line, Region


class SuryaLayout:
    """surya's ``LayoutPredictor``, which asks the server one question a page."""

    def __init__(self, server: Server, model: str) -> None:
        self._backend = ServedBackend(server, model)
        self._predictor = LayoutPredictor(self._backend)

    def regions(
        self, scaled: PillowImage.Image, lines: Sequence[Line], width: int, height: int, direction: Direction
    ) -> tuple[Region, ...]:
        """Regions in the server's order; lines outside of any block follow in regions of their own.

        Args:
            scaled: The page as the server gets it.
            lines: Detected lines.
            width, height: Of the page, in pixels.
            direction: Of the text, for lines in a block.

        Raises:
            ServerFailed: It gave no layout that could be used.
        """
        self._backend.begin_page()
        (found,) = self._predictor([scaled], target_image_sizes=[(width, height)])
        blocks = [
            Block(region_type(box.label), block_box(box.polygon, (1.0, 1.0), width, height))
            for box in sorted(found.bboxes, key=lambda box: int(box.position))
            if box.label != BLANK
        ]
        regions: list[Region] = []
        for block, members in with_lines(blocks, lines, direction):
            kind, box = (block.type, block.box) if block else ("text", box_around(members))
            regions.append(make_region(len(regions) + 1, kind, box, members))
        return tuple(regions)
