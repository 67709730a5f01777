"""The few system calls that Python does not offer, by ctypes."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def system_call(number: int, *arguments: object) -> int:
    """Call the kernel.

    Args:
        number: Of the system call, on this architecture.
        arguments: Integers (passed as longs) or ctypes objects.

    Raises:
        OSError: The kernel refused, with its errno.
    """
    converted = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = int(_libc.syscall(ctypes.c_long(number), *converted))
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def prctl(option: int, value: int, pointer: object = None) -> None:
    """``prctl(2)``.

    Raises:
        OSError: The kernel refused, with its errno.
    """
    third = ctypes.c_ulong(0) if pointer is None else pointer
    if _libc.prctl(option, ctypes.c_ulong(value), third, ctypes.c_ulong(0), ctypes.c_ulong(0)) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def hide_process() -> None:
    """Make this process not dumpable: no process of the same user can trace it or read its memory and environment.

    For the process that holds secrets (a database password), before it starts a sealed child. It leaves no core file
    and cannot be debugged afterwards. Does nothing on systems other than Linux.

    Raises:
        OSError: The kernel refused.
    """
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 0)


def end_with_parent() -> None:
    """Have this process asked to end (SIGTERM) when the one that started it ends. Linux only; elsewhere it stays.

    Raises:
        OSError: The kernel refused.
    """
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() == 1:  # it has ended already
            os.kill(os.getpid(), signal.SIGTERM)


def drop_capabilities() -> None:
    """Give up every capability: a child of root keeps root's files, and none of root's powers over the machine.

    Raises:
        OSError: The kernel refused.
    """
    number = _SYS_CAPSET.get(os.uname().machine)
    if number is None:
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    none = (ctypes.c_uint32 * 6)()
    system_call(number, ctypes.byref(header), ctypes.byref(none))
