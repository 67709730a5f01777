"""A server on a Unix socket whose callers can hold no thread for good, take no more than some, and forge no log line.

One connection carries one request. What the caller sends has one deadline as a whole, so a byte now and then does not
put it off.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import socketserver
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

from archive_pipeline.errors import printable

MOST_AT_ONCE = 16
"""Requests at once. The daemon launches runs one after another, and the webserver stops few; each takes a thread."""
_log = logging.getLogger(__name__)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n"
    b'Content-Length: 54\r\n\r\n{"message": "the gate is busy: too many requests now"}'
)


class _Deadlined(io.RawIOBase):
    """What a caller sends, until a moment that is the same for all of it."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._end = time.monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long to arrive")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


class BoundedHandler(BaseHTTPRequestHandler):
    """One request.

    Attributes:
        seconds: That the request has to arrive as a whole, and then the answer to be taken.
    """

    protocol_version = "HTTP/1.1"
    seconds: ClassVar[float] = 30

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Deadlined(self.connection, self.seconds))

    def handle(self) -> None:
        self.handle_one_request()

    def answer(self, status: int, kind: str, body: bytes) -> None:
        """Send the whole answer."""
        self.connection.settimeout(self.seconds)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self) -> str:  # a socket file has no address
        return "local"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its interface
        # The health check asks every few seconds. Of a request that cannot be read, there is no path.
        level = logging.DEBUG if getattr(self, "path", "") == "/_ping" else logging.INFO
        _log.log(level, "%s", printable(format % args))


class BoundedServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The socket."""

    daemon_threads = True
    request_queue_size = MOST_AT_ONCE

    def __init__(self, listen: Path, handler: type[BoundedHandler]) -> None:
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        listen.unlink(missing_ok=True)
        mask = os.umask(0o117)
        try:
            super().__init__(str(listen), handler)
        finally:
            os.umask(mask)

    def get_request(self) -> tuple[Any, Any]:
        connection, _ = super().get_request()
        return connection, ("local", 0)

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._free.acquire(blocking=False):
            _log.warning("refused: more than %d requests at once", MOST_AT_ONCE)
            request.settimeout(1)  # it is all in the socket's buffer, or the caller has gone
            request.sendall(_BUSY)
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread can be started
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its interface
        error = sys.exception()
        if isinstance(error, ConnectionError | TimeoutError):
            _log.info("the caller hung up: %s", printable(error))
        else:
            _log.error("a request failed", exc_info=error)
