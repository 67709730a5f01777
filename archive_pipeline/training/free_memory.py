"""Memory that a training has freed goes back to the kernel."""

from __future__ import annotations

import ctypes


def give_free_memory_back() -> None:
    """Have glibc give all pages back that nothing lies in.

    Left alone it keeps blocks of up to 32 MB for the next time, and batches of many widths break them into pieces of
    which none fits the next: a training comes to hold twice of what it uses. (A mapping for each block would give all
    back at once, but costs a sixth of the time.) On a libc without such a call nothing happens.
    """
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return
    trim(0)
