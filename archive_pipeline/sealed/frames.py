"""What travels between parent and child: JSON in frames with a length, and open files beside them.

JSON and never pickle: a child that a document has taken over must not be able to run code in its parent. The bound on
a frame also bounds the parent's memory: the worst JSON (``[{},{},…``) takes about 25 times its length once parsed.

A frame is a header (length of the JSON in bytes, number of files; network byte order) and the JSON. The files are
attached to the header as ``SCM_RIGHTS``.
"""

from __future__ import annotations

import json
import os
import socket
import struct
from typing import Any, NoReturn

from archive_pipeline.errors import ChildError

HEADER = struct.Struct("!IB")
MAX_FRAME = 16 << 20
MAX_FILES = 32


def encode(message: dict[str, Any], files: int = 0) -> tuple[bytes, bytes]:
    """The header and the body of a frame.

    Raises:
        ChildError: The message is not JSON, or too large.
    """
    try:
        body = json.dumps(message, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError) as error:
        raise ChildError(f"a message for or from a sealed child is not JSON: {error}") from None
    if len(body) > MAX_FRAME:
        raise ChildError(f"a message of {len(body)} bytes is longer than the {MAX_FRAME} that a sealed child may send")
    if files > MAX_FILES:
        raise ChildError(f"{files} files are more than the {MAX_FILES} that one call may pass")
    return HEADER.pack(len(body), files), body


def decode(body: bytes | bytearray) -> dict[str, Any]:
    """The inverse of :func:`encode`, for bytes that nobody vouches for.

    Raises:
        ChildError: It is not a JSON object.
    """
    try:
        message = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ChildError(f"a sealed child sent no JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise ChildError(f"a sealed child sent a {type(message).__name__} instead of an object")
    return message


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def send(channel: socket.socket, message: dict[str, Any]) -> None:
    """Send a frame without files, waiting as long as it takes: the child's side."""
    header, body = encode(message)
    channel.sendall(header + body)


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Wait for a frame, and for the descriptors that come with it: the child's side.

    Returns:
        None at the end of the stream: the parent has closed its end or is gone.

    Raises:
        ChildError: The frame is broken off or malformed.
    """
    header, descriptors, flags, _ = socket.recv_fds(channel, HEADER.size, MAX_FILES)
    if not header:
        return None
    header += _read(channel, HEADER.size - len(header))
    length, files = HEADER.unpack(header)
    if flags & socket.MSG_CTRUNC or files != len(descriptors):
        for descriptor in descriptors:
            os.close(descriptor)
        raise ChildError("not all files arrived; the child's limit on open files may be too low")
    return decode(_read(channel, length)), list(descriptors)


def _read(channel: socket.socket, length: int) -> bytes:
    parts = []
    while length:
        part = channel.recv(min(length, 1 << 20))
        if not part:
            raise ChildError("the parent broke off in the middle of a message")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
