"""The server that holds a model, on both sides of a page worker's seal.

The parent opens a broker for the time of one call; the worker, which has no sockets of its own, asks it for each
connection. Engines see none of that: they are given a :class:`archive_pipeline.engines.serving.Server`.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from archive_pipeline.engines.serving import Server
from archive_pipeline.errors import ServerFailed
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.sealed.connections import ConnectionBroker, ConnectionSource

_MARGIN = 10.0  # seconds of the page's time that are kept for saying why it failed; a tenth of it at most


@contextmanager
def server_for(
    models: Sequence[InstalledModel], options: ProcessingOptions
) -> Iterator[tuple[dict[str, Any] | None, list[int]]]:
    """What a worker needs to reach the server, for one call; nothing where none of the models needs one.

    Yields:
        A part of the request, and the descriptors that go with it.
    """
    if options.surya_url is None or not any(model.served for model in models):
        yield None, []
        return
    parts = urlsplit(options.surya_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with ConnectionBroker(parts.hostname or "", port) as broker:
        request = {
            "url": options.surya_url.rstrip("/"),
            "timeout": options.surya_timeout,
            "seconds": options.page_timeout - min(_MARGIN, 0.1 * options.page_timeout),
            "certificates": trusted_certificates() if parts.scheme == "https" else "",
        }
        yield request, [broker.child_end.fileno()]


@cache
def trusted_certificates() -> str:
    """The certificates that this machine trusts, as PEM; ``SSL_CERT_FILE`` is OpenSSL's variable for others.

    Read here, since a worker may not read the system's. Empty if there are none in one file.
    """
    found = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, found))


class ServerDoor:
    """A worker's way to the server: open during a call that brings one, else shut."""

    def __init__(self) -> None:
        self._source: ConnectionSource | None = None
        self._end = 0.0

    @contextmanager
    def opened(self, request: dict[str, Any] | None, files: Sequence[BinaryIO]) -> Iterator[Server | None]:
        """The server of this call, or None.

        Args:
            request: What :func:`server_for` gave.
            files: The file that came with it.
        """
        if request is None:
            yield None
            return
        self._source = ConnectionSource(files[0])
        self._end = time.monotonic() + request["seconds"]
        try:
            yield Server(request["url"], request["timeout"], self.connect, self.left, request["certificates"])
        finally:
            self._source.close()
            self._source = None

    def connect(self, timeout: float) -> socket.socket:
        """A connection by the broker of the call under way.

        Raises:
            OSError: The reason why there is none.
        """
        if self._source is None:
            raise ServerFailed("a page worker asked for a server outside of its call")
        return self._source.connect(timeout)

    def left(self) -> float:
        """Seconds left for the page of the call under way."""
        return self._end - time.monotonic()
