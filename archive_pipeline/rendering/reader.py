"""A view of an open file that shares no position with anyone."""

from __future__ import annotations

import io
import os
from typing import BinaryIO, cast


class _PositionedFile(io.RawIOBase):
    """Reads by ``pread``.

    A descriptor that came from another process shares its position with the sender, and both PDF libraries read the
    same file in turns.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = os.dup(descriptor)
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: os.fstat(self._descriptor).st_size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: object) -> int:
        count = os.preadv(self._descriptor, [cast(bytearray, buffer)], self._position)
        self._position += count
        return count

    def close(self) -> None:
        if not self.closed:
            os.close(self._descriptor)
        super().close()


def independent(file: BinaryIO) -> BinaryIO:
    """A second reader of the same open file, to be closed by the caller; of a file in memory, a copy."""
    try:
        descriptor = file.fileno()
    except io.UnsupportedOperation:
        file.seek(0)
        return io.BytesIO(file.read())
    return io.BufferedReader(_PositionedFile(descriptor), 1 << 16)


Identity = tuple[int, int, int, int]


def identity(file: BinaryIO) -> Identity | None:
    """By which an open file is known again in a later call; None for a file in memory."""
    try:
        status = os.fstat(file.fileno())
    except io.UnsupportedOperation:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
