"""PP-OCRv6's text detection: the default segmenter, for print and typescript.

The network and its post-processing (differentiable binarisation, Liao et al. 2020) are RapidOCR's, used as they are.
Ours is what comes after: fragments of a line are joined, marks lower than a line (a ditto, a dash) get the height of
their line, so that they are read at the right scale, and lines are put into blocks and order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rapidocr.ch_ppocr_det.utils import DBPostProcess, DetPreProcess

from archive_pipeline.engines.base import Image, step_of
from archive_pipeline.engines.baselines import baseline_of
from archive_pipeline.engines.crops import Quad, clip, mirrored, to_points
from archive_pipeline.engines.line_boxes import full_height, join_fragments, upright
from archive_pipeline.engines.onnx_session import session
from archive_pipeline.engines.reading_order import Block, order_blocks
from archive_pipeline.engines.versions import PPOCR_SEGMENTATION
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Line, Region

_SIDE = 1280
_PARAMETERS: dict[str, Any] = {
    "thresh": 0.3,
    "box_thresh": 0.5,
    "max_candidates": 3000,
    "unclip_ratio": 1.6,
    "use_dilation": True,
    "score_mode": "fast",
}


class PpocrSegmenter:
    """Lines by PP-OCR's detection, at a long side of 1,280 pixels."""

    def __init__(self, model: InstalledModel) -> None:
        self.step = step_of(model, PPOCR_SEGMENTATION, {"side": _SIDE, **_PARAMETERS})
        self._session = session(model.read(), model.id)
        self._input = self._session.get_inputs()[0].name
        self._before = DetPreProcess(_SIDE, "max")
        self._after = DBPostProcess(**_PARAMETERS)

    def segment(self, image: Image, direction: Direction = "ltr") -> tuple[Region, ...]:
        """See :class:`archive_pipeline.engines.base.Segmenter`."""
        quads = [upright(quad) for quad in self._detect(image)]
        quads = full_height(join_fragments(quads))
        # What is read from right to left is ordered in the mirror.
        placed = [mirrored(quad) for quad in quads] if direction == "rtl" else quads
        return tuple(_region(number, block, quads, image) for number, block in enumerate(order_blocks(placed), start=1))

    def _detect(self, image: Image) -> list[Quad]:
        # Paddle's networks take BGR.
        prepared = self._before(np.ascontiguousarray(image[:, :, ::-1]))
        if prepared is None:  # a side of less than 16 pixels after scaling: nothing can be read there
            return []
        probabilities: NDArray[np.float32] = self._session.run(None, {self._input: prepared})[0]
        boxes, _ = self._after(probabilities, image.shape[:2])
        return [np.asarray(box, dtype=np.float32) for box in boxes]


def _region(number: int, block: Block, quads: list[Quad], image: Image) -> Region:
    height, width = image.shape[:2]
    lines = tuple(
        Line(
            id=f"r{number}l{position}",
            boundary=clip(to_points(quads[index]), width, height),
            baseline=clip(baseline_of(image, quads[index]), width, height),
        )
        for position, index in enumerate(block.lines, start=1)
    )
    corners = np.concatenate([line.boundary for line in lines])
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    return Region(
        id=f"r{number}",
        type="table" if block.is_table else "text",
        boundary=((int(left), int(top)), (int(right), int(top)), (int(right), int(bottom)), (int(left), int(bottom))),
        lines=lines,
    )
