"""The handler of the sealed child that opens page images and scales them for the network.

::

    {"height": 1200, "channels": 3}, with one open file
        ->  {"file": "page.raw", "width": …, "source": [width, height], "padded": height}

The file has ``height * width * channels`` bytes, row by row: whatever a stranger put into the image, it is pixels now.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from kraken.lib.dataset import ImageInputTransforms
from PIL import Image as PillowImage
from torchvision.transforms import v2

from archive_pipeline.engines.kraken_segmentation import not_too_wide
from archive_pipeline.rendering.page_pixels import page_pixels

ENTRY = "archive_pipeline.training.segmentation.child:handle"
FILE = "page.raw"


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Scale a page image as the engine does.

    Raises:
        PageFailed: It cannot be decoded.
    """
    (file,) = files
    height, channels = int(request["height"]), int(request["channels"])
    image = page_pixels(file)
    padded = not_too_wide(image)
    scaled = _scaled(PillowImage.fromarray(padded), height, channels)
    (scratch / FILE).write_bytes(scaled.tobytes())
    return {
        "file": FILE,
        "width": scaled.shape[1],
        "source": [image.shape[1], image.shape[0]],
        "padded": padded.shape[0],
    }


def _scaled(image: PillowImage.Image, height: int, channels: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """By kraken's own transforms, up to where it makes a tensor."""
    steps = ImageInputTransforms(1, height, 0, channels, 0, valid_norm=False).transforms
    for step in steps:
        if isinstance(step, v2.PILToTensor):
            break
        image = step(image)
    return np.asarray(image, np.uint8)
