"""Where the labels of a line were said: the likeliest path of a CTC network's output that reads as they do.

Viterbi's algorithm over the labels with blanks between (Graves et al., "Connectionist temporal classification", 2006,
section 4.1, with the maximum in the place of the sum).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

_NONE = -np.inf


def aligned(log_probabilities: NDArray[np.float32], labels: Sequence[int]) -> list[tuple[int, int]]:
    """First and last time step of each label.

    Args:
        log_probabilities: Time steps x classes; class 0 is the blank.
        labels: None of them the blank.

    Raises:
        ValueError: There are too few time steps for so many labels.
    """
    if not labels:
        return []
    steps = len(log_probabilities)
    if steps < len(labels) + sum(one == other for one, other in pairwise(labels)):
        raise ValueError(f"{len(labels)} labels cannot be said in {steps} time steps")
    states = np.zeros(2 * len(labels) + 1, np.intp)
    states[1::2] = labels
    # A blank may be passed over between two labels that differ.
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), _NONE)
    best[:2] = log_probabilities[0, states[:2]]
    came_from = np.zeros((steps, len(states)), np.int8)
    for step in range(1, steps):
        from_before = np.concatenate([[_NONE], best[:-1]])
        from_second = np.where(skips, np.concatenate([[_NONE, _NONE], best[:-2]]), _NONE)
        ways = np.stack([best, from_before, from_second])
        came_from[step] = ways.argmax(0)
        best = ways.max(0) + log_probabilities[step, states]
    state = len(states) - 1 if best[-1] >= best[-2] else len(states) - 2
    found = [(steps, -1)] * len(labels)
    for step in range(steps - 1, -1, -1):
        if state % 2:
            first, last = found[state // 2]
            found[state // 2] = (min(first, step), max(last, step))
        state -= int(came_from[step, state])
    return found
