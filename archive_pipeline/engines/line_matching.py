"""Which detected line has which line of a block's text; only where that is certain.

A model that reads whole blocks says what stands in a block but not where each of its lines is. Its lines of text are
given to detected lines only if nothing speaks against it: there are as many of both, the detected lines stand one
below the other, and each is about as long as its text makes it among the lines of its block.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise

from archive_pipeline.page import Box

NARROWEST, WIDEST = 0.12, 2.5
"""Width of a letter in heights of its line. Print has 0.35 to 0.5, typescript 0.5, spaced titles and Chinese 1 to 2."""

TOLERANCE = 0.35
"""By what share of its expected length a line may be longer or shorter: hyphens, capitals, blanks between words."""

SLACK = 3.0
"""Letters that a line may be longer or shorter all the same: a short line tells little."""

_UPRIGHT = 2.5  # a box so much higher than wide holds text that runs up or down


def fits(texts: Sequence[str], boxes: Sequence[Box]) -> bool:
    """Whether the texts are certainly those of the lines, one by one.

    Args:
        texts: Lines of text in reading order, none empty.
        boxes: Of the detected lines in reading order, in pixels.
    """
    if not texts or len(texts) != len(boxes) or not _one_below_the_other(boxes):
        return False
    lengths = [len(text) for text in texts]
    widths = [box[2] - box[0] for box in boxes]
    advances = [width / length for width, length in zip(widths, lengths, strict=True)]
    # Long lines tell the advance best: the median is over letters, not over lines.
    usual = statistics.median(a for a, length in zip(advances, lengths, strict=True) for _ in range(min(length, 200)))
    return all(
        NARROWEST * (box[3] - box[1]) <= width / length <= WIDEST * (box[3] - box[1])
        and abs(width - usual * length) <= usual * max(TOLERANCE * length, SLACK)
        for box, width, length in zip(boxes, widths, lengths, strict=True)
    )


def _one_below_the_other(boxes: Sequence[Box]) -> bool:
    """Two cells of a row, or text that runs upwards, leave open which line of text is whose."""
    if any(bottom - top > _UPRIGHT * (right - left) for left, top, right, bottom in boxes):
        return False
    return all(
        (below[1] + below[3]) - (above[1] + above[3]) >= min(above[3] - above[1], below[3] - below[1])
        for above, below in pairwise(boxes)
    )
