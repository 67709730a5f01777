"""Connections to one server, handed by a parent to its sealed child, which cannot open a socket itself.

With a request the child gets one end of a socket pair. A byte that it writes there asks for a connection; the answer
is a byte that says how it went, with the connected socket beside it (``SCM_RIGHTS``) or the reason why there is none.
The child never says where to: the parent connects to the one address that its operator configured.

What a document that has taken over the child can do with it: send that server what it likes, as often as the limits
below allow, until its call ends. A connected socket leads nowhere else: ``connect`` is refused to the child, and the
kernel takes no other address for a socket that was connected once.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import BinaryIO, Self

MAX_OPEN = 8
"""Connections of one call at the same time."""

MAX_ALL = 1_000
"""Connections of one call, one after another: 200 blocks of a page, each asked for four times, and some."""

_CONNECT_SECONDS = 10.0
_SEND_SECONDS = 10.0
_ASK, _GIVEN, _REFUSED = b"c", b"\0", b"\1"
_LONGEST = 250
_NO_MORE = "the parent gives no connection any more"


class ConnectionBroker:
    """The parent's side: gives connections to one address for as long as it is open.

    Args:
        host, port: The only place that it connects to.

    Attributes:
        child_end: What the child gets, as a file beside its request.
    """

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._control, self.child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._control.settimeout(_SEND_SECONDS)
        self._lock = threading.Lock()
        self._given: list[socket.socket] = []
        self._closed = False
        threading.Thread(target=self._serve, name="connection-broker", daemon=True).start()

    def _serve(self) -> None:
        with self._control, suppress(OSError, ValueError):  # the child may have broken it
            for number in range(1, MAX_ALL + 2):
                if not self._wait() or self._control.recv(1) != _ASK:
                    return
                self._answer(number)

    def _wait(self) -> bool:
        """Wait until the child asks; False when this broker is closed, by us or by the end of the child."""
        poll = select.poll()
        poll.register(self._control, select.POLLIN)
        poll.poll()
        return not self._closed

    def _answer(self, number: int) -> None:
        try:
            if number > MAX_ALL:
                raise OSError(f"more than {MAX_ALL} connections for one page")
            connection = self._connect()
        except (OSError, ValueError, OverflowError) as error:
            # Beside what the system says: Python's word on a name or port that can be none.
            reason = str(getattr(error, "strerror", None) or error).encode("utf-8", "replace")[:_LONGEST]
            with suppress(OSError):
                self._control.sendall(_REFUSED + bytes([len(reason)]) + reason)
            return
        # The lock is not held while connecting: closing does not wait for a server that is away.
        with self._lock, suppress(OSError):
            if self._closed:
                _end(connection)
                return
            self._given.append(connection)
            socket.send_fds(self._control, [_GIVEN], [connection.fileno()])

    def _connect(self) -> socket.socket:
        with self._lock:
            ended = [connection for connection in self._given if _has_ended(connection)]
            self._given = [connection for connection in self._given if connection not in ended]
            for connection in ended:
                connection.close()
            if len(self._given) >= MAX_OPEN:
                raise OSError(f"more than {MAX_OPEN} connections at the same time")
        connection = socket.create_connection(self._address, timeout=_CONNECT_SECONDS)
        connection.settimeout(None)  # that it does not block would be true of the child's copy, too
        return connection

    def close(self) -> None:
        """End all connections, also for the child. May be called again."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            for connection in self._given:
                _end(connection)
            self._given.clear()
        self.child_end.close()
        with suppress(OSError):  # the child may have ended it
            self._control.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _has_ended(connection: socket.socket) -> bool:
    poll = select.poll()
    poll.register(connection, 0)
    return bool(poll.poll(0))  # only POLLHUP and POLLERR: both sides have finished, or it broke


def _end(connection: socket.socket) -> None:
    """Closing alone would leave the child's copy open."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


class ConnectionSource:
    """The child's side of a broker, for one call. Threads may share it.

    Args:
        file: What came beside the request. It stays the caller's.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._control = socket.socket(fileno=os.dup(file.fileno()))
        self._lock = threading.Lock()

    def connect(self, timeout: float) -> socket.socket:
        """A connection to the server.

        Args:
            timeout: Seconds.

        Raises:
            TimeoutError: There was none in time; there will be none any more.
            ConnectionError: The reason, in the words of the parent's system.
        """
        with self._lock:
            try:
                self._control.settimeout(timeout)
                self._control.sendall(_ASK)
                said, descriptors, _, _ = socket.recv_fds(self._control, 1, 1)
                if said == _GIVEN and descriptors:
                    return socket.socket(fileno=descriptors[0])
                if said != _REFUSED:
                    raise ConnectionError(_NO_MORE)
                reason = self._read(self._read(1)[0])
            except TimeoutError:
                self.close()  # a late answer would be taken for that to the next question
                raise
            except (BrokenPipeError, ConnectionResetError):
                raise ConnectionError(_NO_MORE) from None
            except OSError as error:
                raise ConnectionError(str(error.strerror or error)) from None
        raise ConnectionError(reason.decode("utf-8", "replace"))

    def _read(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self._control.recv(length - len(data))
            if not part:
                raise ConnectionError(_NO_MORE)
            data += part
        return data

    def close(self) -> None:
        self._control.close()
