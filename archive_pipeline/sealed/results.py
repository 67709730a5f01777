"""Taking a file that a child has made."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from archive_pipeline.errors import ChildError, printable


def open_result(folder: Path, name: str, *, max_bytes: int) -> BinaryIO:
    """Open a file that a child says it has written directly in ``folder``.

    The name is the child's and so is the file, which it may still be changing: copy it first, then look at the copy.

    Args:
        max_bytes: Largest size that is taken.

    Raises:
        ChildError: The name leads elsewhere, there is no such regular file, or it is too large.
    """
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise ChildError(f"a sealed child named the file '{printable(name)[:100]}', which leads out of its folder")
    try:
        descriptor = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, UnicodeError) as error:
        raise ChildError(f"the result '{printable(name)[:100]}' of a sealed child cannot be opened: {error}") from None
    file = os.fdopen(descriptor, "rb")
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode) and status.st_size <= max_bytes:
        return file
    file.close()
    raise ChildError(
        f"the result '{printable(name)[:100]}' of a sealed child is no regular file of at most {max_bytes} bytes"
    )
