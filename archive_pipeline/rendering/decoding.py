"""The pixels of a page image that rendering wrote. Only in a sealed child: its bytes may be an uploader's own."""

from __future__ import annotations

from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from archive_pipeline.errors import PageFailed


def page_pixels(file: BinaryIO) -> NDArray[np.uint8]:
    """Decode a page image: JPEG or PNG, 8 bits, upright. Height x width x 3, RGB.

    Raises:
        PageFailed: It cannot be decoded.
    """
    # Orientation was dealt with in rendering; OpenCV must not turn the image once more.
    bgr = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if bgr is None:
        raise PageFailed("the page image cannot be decoded", remedy="Delete it from the store and run again.")
    return np.ascontiguousarray(bgr[:, :, ::-1]).astype(np.uint8, copy=False)
