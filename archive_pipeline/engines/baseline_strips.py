"""A line along its baseline as one straight strip, as networks that are trained here get it.

kraken cuts a line out by its boundary, fills the rest with black, and stretches the baseline straight. Models that are
trained here get the colour of the paper there: to a network that has only seen print on paper, black blots are ink. And
they get all lines of a page at one size: :mod:`.line_bands`.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from kraken.containers import Segmentation
from kraken.lib.functional_im_transforms import pil_fixed_resize
from kraken.lib.segmentation import extract_polygons
from PIL import Image as PillowImage

from archive_pipeline.engines.base import Image
from archive_pipeline.engines.kraken_lines import LinePatch, line_patch
from archive_pipeline.engines.line_bands import Band, band_to_read, reach, usual_band
from archive_pipeline.page import Line

_EDGE = 5  # pixels


def segmentation_of(patch: LinePatch) -> Segmentation:
    """One line as kraken's segmentation of its piece of the page."""
    return Segmentation(
        type="baselines",
        imagename="",
        text_direction="vertical-lr" if patch.vertical else "horizontal-lr",
        script_detection=False,
        lines=[patch.line],
    )


def on_paper(strip: PillowImage.Image, own: Band, band: Band) -> PillowImage.Image:
    """A strip as networks that are trained here get it: no higher and no lower than its band, with paper around.

    What is black because it is outside of the line becomes the line's own paper. Inside nothing is quite black:
    :func:`.kraken_lines.line_patch` sees to that. At the edge kraken mixes both to a dark outline, which goes too.

    Args:
        own, band: What the strip reaches from its baseline, and what it shall; of one scale.
    """
    pixels = np.asarray(strip.convert("RGB"))
    outside = ~pixels.any(axis=2)
    inside = pixels[~outside]
    if not len(inside) or not own.height:
        return strip
    light = inside.mean(axis=1)
    # The lighter half of a line is paper.
    paper = np.median(inside[light >= np.median(light)], axis=0).astype(np.uint8)
    edge = cv2.dilate(outside.astype(np.uint8), np.ones((_EDGE, _EDGE), np.uint8)).astype(bool)
    filled = np.where(edge[:, :, None], paper, pixels)
    height = len(filled)
    to_rows = height / own.height
    baseline = own.above * to_rows
    top, bottom = round(baseline - band.above * to_rows), round(baseline + band.below * to_rows)
    cut = np.full((max(1, bottom - top), filled.shape[1], 3), paper, np.uint8)
    first, last = max(0, top), min(height, bottom)
    if first < last:
        cut[first - top : last - top] = filled[first:last]
    return PillowImage.fromarray(cut)


def reach_of(patch: LinePatch) -> Band:
    """How far a line's boundary goes from its baseline, in pixels of its piece of the page."""
    return reach(patch.line.baseline, patch.line.boundary)


def usual_band_of(image: Image, lines: Iterable[Line]) -> Band | None:
    """How far lines of a page usually reach from their baselines, in pixels of the page; None if none can be read."""
    patches = (line_patch(image, line) for line in lines)
    return usual_band(reach_of(patch).scaled(1 / _shrunk(patch)) for patch in patches if patch is not None)


def to_band(strip: PillowImage.Image, patch: LinePatch, usual: Band | None) -> PillowImage.Image:
    """What kraken has cut out of a piece of the page, as :func:`on_paper` makes it."""
    if patch.vertical:
        usual = None  # its letters stand on top of each other
    own = reach_of(patch)
    return on_paper(strip, own, band_to_read(own, usual and usual.scaled(_shrunk(patch))))


def baseline_strip(image: Image, line: Line, height: int, usual: Band | None) -> Image | None:
    """The strip of a line, height x width x 3 (RGB); None where there is nothing to be read.

    Args:
        usual: Of the lines of the page: :func:`usual_band_of`.
    """
    patch = line_patch(image, line)
    if patch is None:
        return None
    try:
        strip, _ = next(extract_polygons(PillowImage.fromarray(patch.image), segmentation_of(patch)))
    except (ValueError, StopIteration):  # kraken's way to say that a line cannot be cut out
        return None
    if 0 in strip.size:
        return None
    strip = to_band(strip, patch, usual)
    if strip.width * height < strip.height:
        return None
    return np.asarray(pil_fixed_resize(strip, (height, 0)).convert("RGB"), np.uint8)


def _shrunk(patch: LinePatch) -> float:
    """Pixels of the piece for each pixel of the page, across the line."""
    return patch.scale[0 if patch.upright else 1]
