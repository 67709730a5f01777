"""Landlock: which files this process can reach, by a rule set that it puts on itself.

Sources: ``Documentation/userspace-api/landlock.rst`` and ``include/uapi/linux/landlock.h`` of Linux 6.18. Each ABI
adds rights; one that the kernel does not know is left out, and everything that it knows is handled, that is, denied
unless a rule allows it. Not covered by Landlock are ``stat`` and the change of modes, owners and times; the seccomp
filter refuses the latter.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from archive_pipeline.sealed.libc import system_call

# The same numbers on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = (1 << bit for bit in range(6))
_MAKE_DIR, _MAKE_REG = 1 << 7, 1 << 8
_REFER, _TRUNCATE = 1 << 13, 1 << 14
_FILE_RIGHTS = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | 1 << 15

READ = _READ_FILE | _READ_DIR
DEVICE = _READ_FILE | _WRITE_FILE
# No links, fifos, sockets or devices: the parent will read what lies here.
WRITE = READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _REFER | _TRUNCATE

_ALL_NET = 0b11  # bind and connect TCP, since ABI 4
_ALL_SCOPES = 0b11  # abstract Unix sockets and signals, since ABI 6


class _RulesetAttributes(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def abi() -> int:
    """The kernel's Landlock ABI; 0 where there is none or it is switched off."""
    try:
        return system_call(_CREATE_RULESET, 0, 0, _VERSION_FLAG)
    except OSError as error:
        if error.errno in (errno.ENOSYS, errno.EOPNOTSUPP):
            return 0
        raise


def _handled(version: int) -> int:
    """The file system rights that this ABI knows, as a bit mask."""
    bits = 13 if version < 2 else 14 if version < 3 else 15 if version < 5 else 16
    return (1 << bits) - 1


def restrict(read: Iterable[Path], write: Iterable[Path], devices: Iterable[Path]) -> int:
    """Deny this thread, and all that it starts, every file except those below the given paths.

    ``no_new_privs`` must be set. Files that are open already stay usable.

    Args:
        read: Files and folders to read; one that does not exist is passed over.
        write: Folders to read and write.
        devices: Device files to read and write; one that does not exist is passed over.

    Returns:
        The ABI that was used; 0 if the kernel has no Landlock and nothing is restricted.

    Raises:
        OSError: The kernel knows Landlock and refused.
    """
    version = abi()
    if version == 0:
        return 0
    handled = _handled(version)
    attributes = _RulesetAttributes(handled, _ALL_NET if version >= 4 else 0, _ALL_SCOPES if version >= 6 else 0)
    # Older kernels know shorter structures and refuse a longer one.
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = system_call(_CREATE_RULESET, ctypes.byref(attributes), size, 0)
    try:
        for paths, rights in ((read, READ), (write, WRITE), (devices, DEVICE)):
            for path in paths:
                with suppress(FileNotFoundError):
                    _allow(ruleset, path, rights & handled)
        system_call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: Path, rights: int) -> None:
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISDIR(os.fstat(file).st_mode):
            rights &= _FILE_RIGHTS
        rule = _PathBeneath(rights, file)
        system_call(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(file)
