"""How fast is learnt: by what the base knows already, and over the steps."""

from __future__ import annotations

import math

LINES_READ = 64
"""Lines by which it is seen what the base knows."""
_NEW, _KNOWN = 1e-3, 2e-4
_READ_WELL = 20.0
_LOWEST = 0.02  # of the highest, at the end


def usual_rate(cer: float) -> float:
    """The highest learning rate where the base reads the lines with that CER, in percent.

    What it takes to learn a hand that the base cannot read undoes one that it reads well.
    """
    return _NEW if cer > _READ_WELL else _KNOWN


def share(step: int, steps: int, warm_up: int) -> float:
    """Of the highest learning rate: up in a line over the first steps, down in a cosine (Loshchilov & Hutter 2017)."""
    up = min(1.0, (step + 1) / warm_up) if warm_up else 1.0
    return up * (_LOWEST + (1 - _LOWEST) * 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps))))
