"""The engine's socket."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass

SOCKET = "/var/run/docker.sock"


@dataclass(frozen=True)
class Answer:
    """What the engine said."""

    status: int
    body: bytes
    kind: str = "application/json"


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("engine", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(method: str, path: str, body: bytes | None = None, *, at: str = SOCKET, timeout: float = 120) -> Answer:
    """Ask the engine.

    Args:
        at: Path of the socket.

    Raises:
        OSError, http.client.HTTPException: It does not answer.
    """
    connection = _Connection(at, timeout)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), answer.getheader("Content-Type") or "application/json")
    finally:
        connection.close()
