"""Memory of batches goes back to the kernel as soon as they are done."""

from __future__ import annotations

import ctypes

_M_MMAP_THRESHOLD = -3  # <malloc.h> of glibc
_LARGE = 1 << 20  # bytes


def give_large_blocks_back() -> None:
    """Have each large block be a mapping of its own, which is gone when it is freed; for as long as the process lives.

    Left alone, glibc learns from the first batch to keep blocks of up to 32 MB in its heap. Batches of many widths
    break that into pieces of which none fits the next: a training then holds twice of what it uses. On a libc without
    such a knob nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_THRESHOLD, _LARGE)
