"""A sealed child and the one server that its parent connects it to."""

from __future__ import annotations

import errno
import os
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.errors import ServerFailed
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.model_server import ServerDoor, server_for
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.sealed import SealedChild
from archive_pipeline.sealed.connections import MAX_ALL, MAX_OPEN, ConnectionBroker, ConnectionSource

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")
ENTRIES = Path(__file__).parent


class Echo(socketserver.ThreadingTCPServer):
    """Says what it hears, and counts who came."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        self.came = 0

        class Handler(socketserver.StreamRequestHandler):
            def handle(handler) -> None:  # noqa: N805
                self.came += 1
                while line := handler.rfile.readline():
                    handler.wfile.write(b"heard " + line)

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealedChild]:
    scratch = tmp_path_factory.mktemp("scratch")
    with SealedChild(
        "sealed_entries:handle", read=[ENTRIES], write=scratch, environment={"PYTHONPATH": str(ENTRIES)}
    ) as child:
        yield child


def do(child: SealedChild, name: str, broker: ConnectionBroker | None = None, **request: Any) -> Any:
    files = [broker.child_end.fileno()] if broker else []
    return child.call({"do": name, **request}, files, timeout=20)


def test_the_child_reaches_that_server_and_still_opens_no_socket_itself(child: SealedChild, echo: Echo) -> None:
    with ConnectionBroker("127.0.0.1", echo.port) as broker:
        assert do(child, "ask_server", broker, times=3)["value"] == ["heard hello\n"] * 3
        for family in ("AF_INET", "AF_INET6", "AF_UNIX"):
            assert do(child, "socket", family=family)["errno"] == errno.EPERM, family
    assert echo.came == 3


def test_a_connection_that_was_given_leads_nowhere_else(child: SealedChild, echo: Echo) -> None:
    with Echo() as elsewhere, ConnectionBroker("127.0.0.1", echo.port) as broker:
        tried = do(child, "turn_connection", broker, port=elsewhere.port)["value"]
        assert tried.keys() == {"connect", "disconnect", "fast open", "shut, then fast open", "listen", "bind"}
        assert {tried.pop(name) for name in ("connect", "disconnect", "listen", "bind")} == {"EPERM"}
        # Where the kernel takes what is sent so, it goes to the server that the socket is connected to.
        elsewhere.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            elsewhere.socket.accept()


def test_connections_end_with_the_call(child: SealedChild, echo: Echo) -> None:
    with ConnectionBroker("127.0.0.1", echo.port) as broker:
        count, reason = do(child, "keep_connections", broker)["value"]
        assert (count, reason) == (MAX_OPEN, f"more than {MAX_OPEN} connections at the same time")
        assert do(child, "use_kept")["value"] == "heard hello\n"
    assert do(child, "use_kept")["value"] in ("", "BrokenPipeError")


def test_those_that_have_ended_make_room(child: SealedChild, echo: Echo) -> None:
    with ConnectionBroker("127.0.0.1", echo.port) as broker:
        answers = do(child, "ask_server", broker, times=5 * MAX_OPEN)["value"]
    assert answers.count("heard hello\n") >= 4 * MAX_OPEN


def test_the_reason_of_a_server_that_is_away_is_told(child: SealedChild) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with ConnectionBroker("127.0.0.1", port) as broker:
        assert do(child, "ask_server", broker)["value"] == ["Connection refused"]
    with ConnectionBroker("no-such-host.invalid", 80) as broker:
        (reason,) = do(child, "ask_server", broker)["value"]
        assert reason.strip()
        assert reason != "heard hello\n"


@pytest.mark.parametrize(("host", "port"), [(".surya", 80), ("s" * 64, 80), ("127.0.0.1", 99_999), ("a\0b", 80)])
def test_an_address_that_can_be_none_is_a_reason_and_no_traceback(
    host: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", broken.append)
    with ConnectionBroker(host, port) as broker, broker.child_end.makefile("rb") as file:
        source = ConnectionSource(file)
        for _ in range(2):  # the broker is still there
            with pytest.raises(ConnectionError) as caught:
                source.connect(5)
            assert str(caught.value).strip()
            assert "any more" not in str(caught.value)
        source.close()
    assert broken == []


def test_no_more_than_the_limit_for_one_call(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_pipeline.sealed.connections.MAX_ALL", 3)
    with ConnectionBroker("127.0.0.1", echo.port) as broker, broker.child_end.makefile("rb") as file:
        source = ConnectionSource(file)
        assert MAX_ALL == 1_000
        for _ in range(3):
            source.connect(5).close()
        with pytest.raises(ConnectionError, match="more than 3 connections for one page"):
            source.connect(5)
        with pytest.raises(ConnectionError, match="any more"):
            source.connect(5)
        source.close()


def test_what_is_no_question_ends_the_broker_and_leaves_nothing_open(echo: Echo) -> None:
    before = threads_and_files()
    for _ in range(20):
        with ConnectionBroker("127.0.0.1", echo.port) as broker:
            broker.child_end.sendall(os.urandom(1).replace(b"c", b"d") * 50)
    deadline = time.monotonic() + 5
    while threads_and_files() != before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert threads_and_files() == before


def threads_and_files() -> tuple[int, int]:
    brokers = [thread for thread in threading.enumerate() if thread.name == "connection-broker"]
    return len(brokers), len(list(Path("/proc/self/fd").iterdir()))


def test_a_worker_gets_a_way_to_the_server_only_for_a_model_that_is_there() -> None:
    read_here = InstalledModel(id="a", task="recognition", engine="ppocr", licence="x")
    served = InstalledModel(id="b", task="recognition", engine="surya", licence="x", served="m")
    options = ProcessingOptions(surya_url="http://127.0.0.1:9/v1/", page_timeout=50)
    with server_for([read_here], options) as (request, files):
        assert (request, files) == (None, [])
    with server_for([served], replace(options, surya_url=None)) as (request, files):
        assert (request, files) == (None, [])
    with server_for([read_here, served], options) as (request, files):
        assert len(files) == 1
        # Its time ends before that of the page, so that the reason can still be told.
        assert request == {"url": "http://127.0.0.1:9/v1", "timeout": 240.0, "seconds": 45.0, "certificates": ""}


def test_a_door_is_shut_outside_of_its_call() -> None:
    door = ServerDoor()
    with door.opened(None, []) as server:
        assert server is None
    with pytest.raises(ServerFailed, match="outside of its call"):
        door.connect(1)
