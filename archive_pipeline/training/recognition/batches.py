"""Lines in batches of like width, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np

_TOGETHER = 8  # batches whose lines are sorted by width together: less is padded, and chance stays
_LEAST, _MOST = 8, 64
_HEIGHTS = 133  # as many times as high as they are the lines of a batch are wide: eight lines of a page of letters


def usual_batch(widths: Sequence[int], height: int) -> int:
    """How many lines are learnt from at once: eight, and more where they are short.

    A step is as noisy as its characters are few. With eight cells of a table a training at the usual rate comes apart.

    Args:
        widths, height: Of the lines, in pixels.
    """
    return min(_MOST, max(_LEAST, round(_HEIGHTS * height / statistics.median(widths))))


def epoch_batches(widths: Sequence[int], size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of an epoch: each line once, by its index.

    Args:
        widths: Of the lines, in pixels.
    """
    draw = np.random.default_rng([seed, epoch])
    order = draw.permutation(len(widths)).tolist()
    groups = [order[start : start + size * _TOGETHER] for start in range(0, len(order), size * _TOGETHER)]
    batches = []
    for group in groups:
        by_width = sorted(group, key=lambda index: widths[index])
        batches += [by_width[start : start + size] for start in range(0, len(by_width), size)]
    return [batches[index] for index in draw.permutation(len(batches))]


def batch_at(widths: Sequence[int], size: int, seed: int, step: int) -> tuple[int, list[int]]:
    """The epoch of a step (both from 0), and its batch."""
    groups, rest = divmod(len(widths), size * _TOGETHER)
    in_epoch = groups * _TOGETHER + -(-rest // size)
    epoch, index = divmod(step, in_epoch)
    return epoch, epoch_batches(widths, size, seed, epoch)[index]


def parts(batch: Sequence[int], widths: Sequence[int], most: int) -> list[list[int]]:
    """A batch in parts, each at most so many pixels wide in all, with its lines padded to the widest.

    The gradient is that of the whole batch, and what it takes in memory that of the largest part. A line that is wider
    than that is alone.

    Args:
        batch: Indices of lines.
        widths: Of all lines, in pixels.
    """
    found: list[list[int]] = []
    for index in batch:
        last = [*found[-1], index] if found else []
        if last and len(last) * max(widths[each] for each in last) <= most:
            found[-1] = last
        else:
            found.append([index])
    return found
