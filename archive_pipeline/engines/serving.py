"""A server that holds a model, as an engine is given it."""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from dataclasses import dataclass


def no_limit() -> float:
    """Seconds left where nobody counts them."""
    return math.inf


@dataclass(frozen=True)
class Server:
    """An OpenAI-compatible server.

    Attributes:
        url: Where its interface begins, such as ``http://surya:8000/v1``.
        timeout: Seconds that one request may take.
        connect: A connected socket to it, in at most so many seconds; raises ``OSError`` with the reason. An engine
            opens none itself: where it runs, it cannot.
        left: Seconds that are left for the page.
        certificates: Those that it may be known by, as PEM, for https; empty for those that come with Python.
    """

    url: str
    timeout: float
    connect: Callable[[float], socket.socket]
    left: Callable[[], float] = no_limit
    certificates: str = ""
