"""HTTP over connections that somebody else opens: httpcore's protocol code on sockets from ``Server.connect``.

A request takes one connection, which is closed after it: an answer takes seconds to minutes, so nothing is gained by
keeping it, and a server that stops working on a request whose caller has gone sees that at once.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from typing import Any

import httpcore
import httpx

from archive_pipeline.engines.serving import Server

MAX_ANSWER = 64 << 20
"""Bytes; the longest answer that surya asks for, with a probability for each token, has some 3 MB."""


class _Stream(httpcore.NetworkStream):
    """A connected socket with a deadline for all that is done with it: a server that drips must come to an end."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the deadline stands for it
        try:
            self._connection.settimeout(self._left())
            return self._connection.recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        try:
            self._connection.settimeout(self._left())
            self._connection.sendall(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    def close(self) -> None:
        # The parent keeps a copy, so that closing alone would not tell the server.
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            self._connection.settimeout(self._left())
            return _Stream(ssl_context.wrap_socket(self._connection, server_hostname=server_hostname), self._deadline)
        except TimeoutError:
            self.close()
            raise httpcore.ConnectTimeout from None
        except OSError as error:  # with it all that is wrong with a certificate
            self.close()
            raise httpcore.ConnectError(str(error)) from error

    def get_extra_info(self, info: str) -> Any:
        return self._connection if info == "socket" else None


class _Backend(httpcore.NetworkBackend):
    def __init__(self, server: Server) -> None:
        self._server = server

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - there is only one place that it could be
        port: int,  # noqa: ARG002
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        seconds = self._server.timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        try:
            return _Stream(self._server.connect(seconds), deadline)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


class ServerTransport(httpx.BaseTransport):
    """What httpx, and so OpenAI's client, sends requests by."""

    def __init__(self, server: Server) -> None:
        context = None
        if server.url.startswith("https:"):
            context = ssl.create_default_context(cadata=server.certificates) if server.certificates else None
            context = context or httpx.create_ssl_context(trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context, network_backend=_Backend(server), max_keepalive_connections=0
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and read the whole answer.

        Raises:
            httpx.TimeoutException, httpx.TransportError: As httpx's own transport.
        """
        sent = httpcore.Request(
            method=request.method,
            url=httpcore.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.read(),
            extensions=request.extensions,
        )
        try:
            answer = self._pool.handle_request(sent)
            with closing(answer):
                body = _whole(answer)
        except httpcore.TimeoutException as error:
            raise httpx.ReadTimeout("no answer in time", request=request) from error
        except httpcore.ConnectError as error:
            raise httpx.ConnectError(str(error), request=request) from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise httpx.ReadError(str(error), request=request) from error
        try:
            return httpx.Response(status_code=answer.status, headers=answer.headers, content=body, request=request)
        except httpx.DecodingError as error:
            raise httpx.ReadError(f"the answer cannot be decoded: {error}", request=request) from error

    def close(self) -> None:
        self._pool.close()


def _whole(answer: httpcore.Response) -> bytes:
    body = bytearray()
    for part in answer.iter_stream():
        body += part
        if len(body) > MAX_ANSWER:
            raise httpcore.RemoteProtocolError(f"an answer of more than {MAX_ANSWER >> 20} MB")
    return bytes(body)
