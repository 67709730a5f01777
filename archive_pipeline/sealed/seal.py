"""The seal as a whole: what a child does to itself before it sees the first request."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

from archive_pipeline.sealed import landlock, seccomp
from archive_pipeline.sealed.libc import PR_SET_NO_NEW_PRIVS, drop_capabilities, hide_process, prctl

# What Python, the C library, OpenMP, numpy, torch and pdfium read at import and at work, beside their own code.
_SYSTEM = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/usr/share/zoneinfo",
    "/usr/share/fonts",  # for PDF pages whose fonts are not embedded
    "/usr/share/X11/fonts",
    "/usr/local/share/fonts",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
    "/dev/urandom",
    "/dev/random",
)
_DEVICES = ("/dev/null", "/dev/zero")


def die_with_parent(lifeline: int) -> None:
    """Have the kernel kill this process when the other end of a pipe is closed, that is, when the parent is gone.

    ``PR_SET_PDEATHSIG`` would kill it when the *thread* that started it ends, and a watching thread cannot run while
    a C library holds the interpreter's lock. A signal that the kernel itself sends has neither fault: ``SIGKILL``
    stands in for ``SIGIO`` (``F_SETSIG``).

    Args:
        lifeline: The reading end; the parent holds the writing end and never writes.
    """
    if sys.platform == "linux":
        fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(lifeline, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC | os.O_NONBLOCK)
    # The parent may have gone before the kernel knew whom to tell.
    poll = select.poll()
    poll.register(lifeline, select.POLLIN)
    if poll.poll(0):
        os._exit(1)


def leave_signals_to_parent() -> None:
    """A terminal's Ctrl-C and a container's stop reach the child too; whether its page is finished, the parent says."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def code_folders() -> list[Path]:
    """Where this interpreter's code is, with all installed packages, and this package's own folder."""
    schemes = sysconfig.get_paths()
    folders = {schemes[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders |= {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    return [*map(Path, sorted(folders)), Path(__file__).resolve().parents[1]]


def apply(read: Sequence[Path], write: Path) -> dict[str, int | bool]:
    """Seal this process, for good. It must have one thread: a seal is put on threads, and inherited.

    Args:
        read: Files and folders that it may read, beside code and fonts.
        write: The one folder that it may write to.

    Returns:
        ``landlock``: the ABI used or 0; ``seccomp``: whether the filter is on.

    Raises:
        FileNotFoundError: A path in ``read``, or ``write``, does not exist.
        OSError: The kernel refused a part of the seal.
    """
    for path in (*read, write):
        path.stat()
    if sys.platform != "linux":
        return {"landlock": 0, "seccomp": False}
    hide_process()
    drop_capabilities()
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    readable = [*map(Path, _SYSTEM), *code_folders(), *read]
    return {
        "landlock": landlock.restrict(readable, [write], [Path(device) for device in _DEVICES]),
        "seccomp": seccomp.restrict(),
    }
