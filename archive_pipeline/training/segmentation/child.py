"""The handler of the sealed child that opens page images and scales them for the network.

::

    {"height": 1200, "channels": 3}, with one open file
        ->  {"file": "page.raw", "width": …, "source": [width, height], "padded": height}

The file has ``height * width * channels`` bytes, row by row: whatever a stranger put into the image, it is pixels now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.engines.kraken_input import not_too_wide, scaled
from archive_pipeline.rendering.decoding import page_pixels

ENTRY = "archive_pipeline.training.segmentation.child:handle"
_FILE = "page.raw"


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Scale a page image as the engine does.

    Raises:
        PageFailed: It cannot be decoded.
    """
    (file,) = files
    image = page_pixels(file)
    padded = not_too_wide(image)
    made = scaled(padded, int(request["height"]), int(request["channels"]))
    (scratch / _FILE).write_bytes(made.tobytes())
    return {
        "file": _FILE,
        "width": made.shape[1],
        "source": [image.shape[1], image.shape[0]],
        "padded": padded.shape[0],
    }
