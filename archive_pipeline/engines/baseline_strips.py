"""A line along its baseline as one straight strip, as kraken's networks get it, with paper around it instead of black.

kraken cuts a line out by its boundary, fills the rest with black, and stretches the baseline straight. Models that are
trained here get the colour of the paper there: to a network that has only seen print on paper, black blots are ink.
"""

from __future__ import annotations

import numpy as np
from kraken.containers import Segmentation
from kraken.lib.functional_im_transforms import pil_fixed_resize
from kraken.lib.segmentation import extract_polygons
from PIL import Image as PillowImage

from archive_pipeline.engines.base import Image
from archive_pipeline.engines.kraken_lines import LinePatch, line_patch
from archive_pipeline.page import Line


def segmentation_of(patch: LinePatch) -> Segmentation:
    """One line as kraken's segmentation of its piece of the page."""
    return Segmentation(
        type="baselines",
        imagename="",
        text_direction="vertical-lr" if patch.vertical else "horizontal-lr",
        script_detection=False,
        lines=[patch.line],
    )


def on_paper(strip: PillowImage.Image) -> PillowImage.Image:
    """Fill what is black because it is outside of the line with the line's own paper.

    Inside nothing is quite black: :func:`.kraken_lines.line_patch` sees to that.
    """
    pixels = np.asarray(strip.convert("RGB"))
    outside = ~pixels.any(axis=2)
    inside = pixels[~outside]
    if not outside.any() or not len(inside):
        return strip
    light = inside.mean(axis=1)
    filled = pixels.copy()
    # The lighter half of a line is paper.
    filled[outside] = np.median(inside[light >= np.median(light)], axis=0).astype(np.uint8)
    return PillowImage.fromarray(filled)


def baseline_strip(image: Image, line: Line, height: int) -> Image | None:
    """The strip of a line, height x width x 3 (RGB); None where there is nothing to be read."""
    patch = line_patch(image, line)
    if patch is None:
        return None
    try:
        strip, _ = next(extract_polygons(PillowImage.fromarray(patch.image), segmentation_of(patch)))
    except (ValueError, StopIteration):  # kraken's way to say that a line cannot be cut out
        return None
    if 0 in strip.size or strip.width * height < strip.height:
        return None
    return np.asarray(pil_fixed_resize(on_paper(strip), (height, 0)).convert("RGB"), np.uint8)
