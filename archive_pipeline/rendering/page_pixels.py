"""The pixels of a page image of ours; for sealed children, as the image was a stranger's once."""

from __future__ import annotations

from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from archive_pipeline.errors import PageFailed


def page_pixels(file: BinaryIO) -> NDArray[np.uint8]:
    """Decode a page image that rendering wrote: JPEG or PNG, 8 bits, upright.

    Returns:
        RGB, ``(height, width, 3)``.

    Raises:
        PageFailed: It is none.
    """
    # Orientation was dealt with in rendering; OpenCV must not turn the image once more.
    bgr = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:
        raise PageFailed("the page image cannot be decoded", remedy="Delete it from the store and run again.")
    return np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8, copy=False)
