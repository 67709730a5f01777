"""How much memory the container of this process may take."""

from __future__ import annotations

from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_LIMITS = ("memory.max", "memory/memory.limit_in_bytes")
"""Of version 2 and of version 1; a container sees its own group as the root."""
_NONE = 1 << 60  # beyond it there is none: version 1 says so with a huge number, version 2 with "max"


def memory_limit_mb(cgroups: Path = _CGROUPS) -> int | None:
    """The limit that is set for this container, in MB of 2^20 bytes; None where none is.

    Args:
        cgroups: Where the kernel tells of it.
    """
    for name in _LIMITS:
        try:
            text = (cgroups / name).read_text("ascii").strip()
        except OSError:
            continue
        if text.isdecimal() and int(text) < _NONE:
            return int(text) >> 20
    return None
