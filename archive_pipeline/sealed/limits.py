"""What a child may use, kept by the kernel."""

from __future__ import annotations

import resource
import signal
from dataclasses import dataclass

_MB = 1 << 20


@dataclass(frozen=True)
class Limits:
    """Resource limits of one child.

    There is no limit on processes: ``RLIMIT_NPROC`` counts the user's processes on the whole host. The seccomp filter
    refuses new processes instead.

    Attributes:
        memory_mb: Private memory (``RLIMIT_DATA``), in megabytes of 2^20 bytes. Not ``RLIMIT_AS``: inference libraries
            reserve address space far beyond what they use. Shared mappings are not counted.
        file_mb: Largest file that it may write, in megabytes.
        open_files: Most open files.
    """

    memory_mb: int = 4096
    file_mb: int = 4096
    open_files: int = 256

    def apply(self) -> None:
        """Set them for this process, for good.

        Raises:
            ValueError, OSError: A limit is above the hard limit that this process already has.
        """
        # Without this the kernel kills who writes beyond the limit; with it the write fails with EFBIG.
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        for kind, wanted in (
            (resource.RLIMIT_DATA, self.memory_mb * _MB),
            (resource.RLIMIT_FSIZE, self.file_mb * _MB),
            (resource.RLIMIT_NOFILE, self.open_files),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(kind)[1]
            value = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(kind, (value, value))
