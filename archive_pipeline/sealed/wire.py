"""The parent's end of the channel: nothing that the child does or leaves undone can block it for ever."""

from __future__ import annotations

import os
import selectors
import socket
import time
from array import array
from collections.abc import Sequence
from typing import Any

from archive_pipeline.errors import ChildError
from archive_pipeline.sealed.frames import HEADER, MAX_FRAME, decode, encode

_CHUNK = 1 << 16
_TAIL = 16_384


class Wire:
    """A channel and the child's stderr, of which the last 16 kB are kept.

    Both are served together: a child whose stderr pipe is full would wait for ever, and so would its parent.

    Args:
        channel: The parent's end of the socket pair; owned from here on.
        stderr: The reading end of the pipe; owned from here on.
    """

    def __init__(self, channel: socket.socket, stderr: int) -> None:
        self._channel = channel
        self._stderr = stderr
        self._tail = bytearray()
        channel.setblocking(False)
        os.set_blocking(stderr, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(stderr, selectors.EVENT_READ)

    def send(self, message: dict[str, Any], descriptors: Sequence[int], deadline: float) -> None:
        """Send a frame with open files.

        Args:
            deadline: By ``time.monotonic()``.

        Raises:
            TimeoutError: The child did not take it in time.
            EOFError: The child is gone.
            ChildError: The message cannot be sent to any child.
        """
        header, body = encode(message, len(descriptors))
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] if descriptors else []
        try:
            self._wait(selectors.EVENT_WRITE, deadline)
            sent = self._channel.sendmsg([header], ancillary)
            rest = memoryview(header[sent:] + body)
            while rest:
                self._wait(selectors.EVENT_WRITE, deadline)
                rest = rest[self._channel.send(rest[:_CHUNK]) :]
        except (BrokenPipeError, ConnectionResetError):
            raise EOFError from None

    def receive(self, deadline: float) -> dict[str, Any]:
        """Wait for a frame.

        Raises:
            TimeoutError: None came in time.
            EOFError: The child is gone.
            ChildError: It is malformed or too long.
        """
        length, files = HEADER.unpack(self._read(HEADER.size, deadline))
        if length > MAX_FRAME or files:
            raise ChildError("a sealed child sent a frame that is not one")
        return decode(self._read(length, deadline))

    def _read(self, length: int, deadline: float) -> bytearray:
        data = bytearray()
        while len(data) < length:
            self._wait(selectors.EVENT_READ, deadline)
            try:
                # recv and not recvmsg: descriptors that a child sends are closed by the kernel.
                part = self._channel.recv(min(length - len(data), _CHUNK))
            except ConnectionResetError:
                part = b""
            if not part:
                raise EOFError
            data += part
        return data

    def _wait(self, event: int, deadline: float) -> None:
        """Keep emptying stderr until the channel is ready."""
        self._selector.register(self._channel, event)
        try:
            while True:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError
                ready = {key.fileobj for key, _ in self._selector.select(left)}
                if self._stderr in ready:
                    self._drain()
                if self._channel in ready:
                    return
        finally:
            self._selector.unregister(self._channel)

    def _drain(self, chunks: int = 1) -> None:
        for _ in range(chunks):
            try:
                part = os.read(self._stderr, _CHUNK)
            except BlockingIOError:
                return
            if not part:
                # The child has closed it; the pipe would be ready for ever.
                if self._stderr in self._selector.get_map():
                    self._selector.unregister(self._stderr)
                return
            self._tail = (self._tail + part)[-_TAIL:]

    def tail(self) -> str:
        """The end of what the child wrote to stderr. Untrusted text."""
        if self._stderr >= 0:
            self._drain(chunks=32)
        return self._tail.decode("utf-8", "replace")

    def close(self) -> None:
        """Close both; the tail stays readable."""
        if self._stderr >= 0:
            self._selector.close()
            self._channel.close()
            os.close(self._stderr)
            self._stderr = -1
