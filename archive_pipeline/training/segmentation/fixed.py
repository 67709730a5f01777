"""Settings of torch that decide whether the same training gives the same bits, for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def fixed(threads: int) -> Iterator[None]:
    """Algorithms that give the same result each time, so many threads, and random numbers that nobody else misses.

    A sum in two threads is another sum than in one, by a bit: so their number belongs to the recipe.
    """
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # on a GPU, torch demands it
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])
