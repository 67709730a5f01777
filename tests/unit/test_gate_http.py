"""The gate as its callers meet it: over its socket, with an engine behind it that notes what reaches it."""

import functools
import http.client
import json
import logging
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker.errors
import pytest
from fake_engine import NEW, OURS, FakeEngine, fake_engine

from archive_pipeline.containers import bounded, engine, runs
from archive_pipeline.containers.gate import Gate, Mode, Server
from archive_pipeline.containers.profiles import read_profiles
from archive_pipeline.deployment import Deployment

ROOT = Path(__file__).parents[2]
DEPLOYMENT = Deployment(
    project="archive", image="a:1", uploads="/srv/u", ground_truth="/srv/g", run_memory="2g", run_cpus=1.5
)
PROFILES = read_profiles(ROOT / "docker", DEPLOYMENT)
GOOD = PROFILES["documents"].body(
    run_id="12345678-1234-4234-8234-123456789abc", job="documents_job", arguments='{"a": 1}'
)
TEXT = json.dumps(GOOD)
CREATE = "/v1.41/containers/create"
RUN, FOREIGN = "a" * 64, "b" * 64


class _Connection(http.client.HTTPConnection):
    def __init__(self, at: Path) -> None:
        super().__init__("gate", timeout=5)
        self.at = at

    def connect(self) -> None:
        self.sock = connected(self.at)


def connected(at: Path) -> socket.socket:
    caller = socket.socket(socket.AF_UNIX)
    caller.settimeout(5)
    caller.connect(str(at))
    return caller


class Caller:
    """Asks a gate."""

    def __init__(self, at: Path, engine: FakeEngine) -> None:
        self.at = at
        self.engine = engine

    def ask(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> tuple[int, str]:
        connection = _Connection(self.at)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def raw(self, sent: bytes) -> bytes:
        """All that the gate answers to some bytes."""
        with connected(self.at) as caller:
            caller.sendall(sent)
            caller.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: caller.recv(4096), b""))


@pytest.fixture(params=["launch"])
def gate(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    mode: Mode = request.param
    # A short path: that of a socket may have 107 bytes.
    with tempfile.TemporaryDirectory() as name, fake_engine(Path(name, "engine")) as fake:
        monkeypatch.setattr(engine, "ask", functools.partial(engine.ask, at=str(fake.at)))
        fake.add(RUN)
        fake.add(FOREIGN, {**OURS, "archive.project": "other"})
        with Server(Path(name, "gate"), mode, PROFILES, "archive") as server:
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            yield Caller(Path(name, "gate"), fake)
            server.shutdown()
            thread.join()


both = pytest.mark.parametrize("gate", ["launch", "stop"], indirect=True)


def test_a_body_of_a_profile_reaches_the_engine_made_anew(gate: Caller) -> None:
    shuffled = json.dumps(dict(reversed(GOOD.items())), indent=2)
    assert gate.ask("POST", CREATE, shuffled) == (201, json.dumps({"Id": NEW}))
    method, path, body = gate.engine.asked[-1]
    assert (method, path, body) == ("POST", CREATE, TEXT.encode())


HOSTILE = {
    "privileged": json.dumps({**GOOD, "HostConfig": {**GOOD["HostConfig"], "Privileged": True}}),
    "another image": json.dumps({**GOOD, "Image": "b"}),
    "two keys": TEXT[:-1] + ', "User": "0"}',
    "a lone surrogate": TEXT.replace('"{\\"a\\": 1}"', '"{\\ud800}"'),
    "a NUL": TEXT.replace('"{\\"a\\": 1}"', '"{\\u0000}"'),
    "no JSON": "{",
    "nothing": "",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_does_not_reach_the_engine(gate: Caller, name: str) -> None:
    status, said = gate.ask("POST", CREATE, HOSTILE[name])
    assert status == 403, said
    assert "the gate refuses" in said
    assert gate.engine.asked == []


@both
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "http://engine/info"),
        ("GET", "/version#x"),
        ("GET", "/info"),
        ("GET", "/containers/json"),
        ("GET", f"/containers/{RUN}/json"),
        ("GET", f"/v1.39/containers/{RUN}/json"),
        ("GET", f"/v1.041/containers/{RUN}/json"),
        ("GET", f"/v2.41/containers/{RUN}/json"),
        ("GET", f"/v1.24/containers/{RUN}/json"),
        ("GET", "/v1.24/version"),
        ("POST", f"/v1.41/containers/{RUN}/stop?t=121"),
        ("POST", f"/v1.41/containers/{RUN}/stop?signal=KILL"),
        ("POST", f"/v1.41/containers/{RUN}/start?detachKeys=x"),
        ("POST", f"/v1.41/containers/{RUN}/kill"),
        ("DELETE", f"/v1.41/containers/{RUN}"),
        ("POST", f"{CREATE}?name=x"),
    ],
)
def test_what_is_not_in_the_policy_is_refused_before_the_engine_is_asked(gate: Caller, method: str, path: str) -> None:
    status, said = gate.ask(method, path, TEXT if "create" in path else None)
    assert (status, gate.engine.asked) == (403, []), said


@pytest.mark.parametrize("gate", ["stop"], indirect=True)
def test_the_webservers_gate_makes_and_starts_nothing(gate: Caller) -> None:
    assert gate.ask("POST", CREATE, TEXT)[0] == 403
    assert gate.ask("POST", f"/v1.41/containers/{RUN}/start")[0] == 403
    assert gate.engine.asked == []


@both
@pytest.mark.parametrize(("method", "verb"), [("GET", "json"), ("POST", "stop"), ("POST", "start")])
def test_a_container_that_is_no_run_of_ours_is_not_shown_or_touched(gate: Caller, method: str, verb: str) -> None:
    assert gate.ask(method, f"/v1.41/containers/{FOREIGN}/{verb}")[0] == 403
    assert gate.engine.calls() == []


@both
def test_a_run_container_is_shown_and_stopped_in_the_callers_version(gate: Caller) -> None:
    assert gate.ask("GET", f"/v1.45/containers/{RUN}/json")[0] == 200
    assert gate.ask("POST", f"/v1.45/containers/{RUN}/stop?t=45")[0] == 204
    assert gate.engine.calls() == [f"POST /v1.45/containers/{RUN}/stop?t=45"]
    assert gate.ask("GET", f"/v1.45/containers/{'d' * 64}/json")[0] == 404
    assert gate.ask("GET", "/version") == (200, '{"ApiVersion": "1.41"}')
    assert gate.ask("HEAD", "/_ping") == (200, "")


def test_docker_py_gets_through_with_all_that_the_launcher_asks(gate: Caller) -> None:
    client = docker.APIClient(base_url=f"unix://{gate.at}", version="auto")
    try:
        assert client.create_container_from_config(GOOD)["Id"] == NEW
        client.start(NEW)
        assert client.inspect_container(NEW)["State"]["Status"] == "created"
        client.stop(NEW, timeout=45)
        with pytest.raises(docker.errors.APIError, match="the gate refuses"):
            client.remove_container(NEW)
    finally:
        client.close()
    container = f"/v1.41/containers/{NEW}"
    assert gate.engine.calls() == [f"POST {CREATE}", f"POST {container}/start", f"POST {container}/stop?t=45"]


def test_beyond_a_number_of_live_containers_none_is_made_or_started(
    gate: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(runs.MOST_LIVE - 2):
        gate.engine.add(f"{index:064x}", Status="created" if index else "paused")
    gate.engine.add("e" * 64, Status="exited")
    assert gate.ask("POST", CREATE, TEXT)[0] == 201
    status, said = gate.ask("POST", CREATE, TEXT)
    assert status == 403
    assert "16 run containers of archive are there already" in said
    # Those that are made may be started, as long as not as many run.
    assert gate.ask("POST", f"/v1.41/containers/{NEW}/start")[0] == 204
    for _, state in gate.engine.containers.values():
        state["Status"] = "running" if state["Status"] == "created" else state["Status"]
    assert gate.ask("POST", f"/v1.41/containers/{'e' * 64}/start")[0] == 403
    assert gate.engine.calls() == [f"POST {CREATE}", f"POST /v1.41/containers/{NEW}/start"]


@pytest.mark.parametrize(("status", "left"), [("created", False), ("exited", True)])
def test_a_container_that_could_not_be_started_does_not_stay_to_be_counted(
    gate: Caller, status: str, left: bool
) -> None:
    gate.engine.add(NEW, Status=status)
    gate.engine.refuses["start"] = (400, "bind source path does not exist: /srv/u")
    told = gate.ask("POST", f"/v1.41/containers/{NEW}/start")
    assert told == (400, '{"message": "bind source path does not exist: /srv/u"}')
    assert (NEW in gate.engine.containers) is left


def test_an_engine_that_does_not_answer_is_said_not_to(gate: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "ask", functools.partial(engine.ask, at="/nowhere/docker.sock"))
    status, said = gate.ask("GET", "/_ping")
    assert status == 502
    assert "the engine does not answer" in said


def _closed(gate: Caller) -> None:
    """Wait until the gate has let go of all that it was asked."""
    for _ in range(2):
        assert gate.ask("GET", "/_ping")[0] == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x1b[31m\r\n\r\n", b" 400 "),
        (b"GET /_ping HTTP/9.x\r\n\r\n", b" 400 "),
        (b"GET " + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
        (b"BREW /\x1b[2J HTTP/1.1\r\n\r\n", b" 501 "),
        (b"GET /\x1b[2J\xff HTTP/1.1\r\n\r\n", b" 403 "),
        (b"POST / HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", b" 403 "),
        (b"GET http://[ HTTP/1.1\r\n\r\n", b" 403 "),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b" 403 "),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 403 "),
    ],
)
def test_a_request_that_cannot_be_read_is_answered_and_its_log_line_is_harmless(
    gate: Caller, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str], sent: bytes, status: bytes
) -> None:
    caplog.set_level(logging.INFO)
    assert status in gate.raw(sent).split(b"\r\n")[0]
    _closed(gate)
    assert caplog.messages
    assert all(message.isprintable() for message in caplog.messages)
    assert "Traceback" not in caplog.text + capsys.readouterr().err


def test_a_caller_that_hangs_up_is_one_line(
    gate: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    asked = threading.Event()

    def slow(*_: Any, **__: Any) -> engine.Answer:
        asked.wait(5)
        return engine.Answer(200, b"x" * 1_000_000)

    monkeypatch.setattr(engine, "ask", slow)
    with connected(gate.at) as caller:
        caller.sendall(b"GET /version HTTP/1.1\r\n\r\n")
    asked.set()
    _wait_for(lambda: any("hung up" in message for message in caplog.messages))
    assert "Traceback" not in caplog.text


def _wait_for(done: Any) -> None:
    end = time.monotonic() + 5
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_sender_of_a_byte_now_and_then_does_not_put_off_the_deadline(
    gate: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(Gate, "seconds", 0.15)
    for beginning in (b"GET /_p", b"GET /version HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n"):
        begun = time.monotonic()
        with connected(gate.at) as caller:
            caller.sendall(beginning)
            with pytest.raises(OSError):  # noqa: PT011 - broken pipe or reset
                while time.monotonic() < begun + 5:
                    caller.sendall(b"x")
                    time.sleep(0.02)
        assert time.monotonic() - begun < 2
    assert caplog.text.count("Request timed out") == 3


def test_more_requests_at_once_than_there_are_threads_are_refused_until_one_ends(gate: Caller) -> None:
    waiting = [connected(gate.at) for _ in range(bounded.MOST_AT_ONCE)]
    try:
        status, said = gate.ask("GET", "/_ping")
        assert status == 503
        assert "too many requests" in json.loads(said)["message"]
    finally:
        for caller in waiting:
            caller.close()
    _wait_for(lambda: gate.ask("GET", "/_ping")[0] == 200)


def test_one_connection_carries_one_request(gate: Caller) -> None:
    answers = gate.raw(b"GET /_ping HTTP/1.1\r\n\r\n" * 2)
    assert answers.count(b"HTTP/1.1 200") == 1
    assert b"Connection: close" in answers
