"""The handler of the sealed child that opens page images of ground truth and cuts their lines out.

A request, with the open image: ``{"lines": [Line, …], "height": 48}``; the answer: ``{"widths": [633, 0, …]}``, 0 for
a line of which nothing can be read. The strips, RGB, one after another, are in ``strips.raw`` in scratch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.engines.baseline_strips import baseline_strip, usual_band_of
from archive_pipeline.page import Line
from archive_pipeline.rendering.decoding import page_pixels

ENTRY = "archive_pipeline.training.recognition.cutting_child:handle"
STRIPS = "strips.raw"


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Cut the lines of one page."""
    pixels = page_pixels(files[0])
    lines = [Line.model_validate(given) for given in request["lines"]]
    usual = usual_band_of(pixels, lines)
    widths = []
    with (scratch / STRIPS).open("wb") as out:
        for line in lines:
            strip = baseline_strip(pixels, line, request["height"], usual)
            widths.append(0 if strip is None else strip.shape[1])
            if strip is not None:
                out.write(strip.tobytes())
    return {"widths": widths}
