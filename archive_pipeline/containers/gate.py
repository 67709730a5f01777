"""A gate in front of the engine's socket.

    python -m archive_pipeline.containers.gate launch|stop

``launch``, for the daemon: version, create (only what a profile gives), inspect, start, stop.
``stop``, for the webserver: version, inspect, stop.
Inspect, start and stop reach run containers of this project only, and no more than some may be there at once.
Everything else is a 403 that says why.
"""

from __future__ import annotations

import http.client
import json
import logging
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from archive_pipeline.containers import engine
from archive_pipeline.containers.bounded import BoundedHandler, BoundedServer
from archive_pipeline.containers.policy import MAX_BODY, checked_body, is_ours
from archive_pipeline.containers.profiles import Profile, read_profiles
from archive_pipeline.containers.prune import prune_daily
from archive_pipeline.containers.runs import LIVE, MOST_LIVE, RUNNING, run_containers
from archive_pipeline.deployment import read_deployment
from archive_pipeline.errors import ArchiveError, LaunchRefused, printable

Mode = Literal["launch", "stop"]
LISTEN = Path("/run/gate/docker.sock")
CONFIGURATION = Path("/opt/archive")

_log = logging.getLogger(__name__)
_VERSION = r"/v1\.(?P<version>[1-9][0-9]{1,2})"
_PING = re.compile(f"(?:{_VERSION})?/(version|_ping)")
_CREATE = re.compile(f"{_VERSION}/containers/create")
_CONTAINER = re.compile(f"{_VERSION}/containers/(?P<id>[0-9a-f]{{12,64}})/(?P<verb>json|start|stop)")
_OLDEST = 40
"""To older versions of its interface the same body means less: 1.40 is that of engine 19.03, ours need 20.10 (1.41)."""
_METHODS: dict[Mode, dict[str, str]] = {
    "launch": {"json": "GET", "start": "POST", "stop": "POST"},
    "stop": {"json": "GET", "stop": "POST"},
}
_MAX_STOP = 120
_LENGTH = re.compile("[0-9]{1,9}")


class Gate(BoundedHandler):
    """One request."""

    server: Server

    def _handle(self, raw: bytes) -> engine.Answer:
        # Cut and matched as it is: what is not one of ours to the letter is nothing that we need to understand.
        path, _, query = self.path.partition("?")
        method, mode = self.command, self.server.mode
        if method in ("GET", "HEAD") and (match := _PING.fullmatch(path)) and not query:
            _check_version(match["version"])
            return engine.ask(method, path)
        if method == "POST" and mode == "launch" and (match := _CREATE.fullmatch(path)) and not query:
            _check_version(match["version"])
            return self.server.create(path, checked_body(raw, self.server.profiles))
        if (match := _CONTAINER.fullmatch(path)) and _METHODS[mode].get(match["verb"]) == method and not raw:
            _check_version(match["version"])
            return self._own(match["id"], match["verb"], path, _stop_query(match["verb"], query))
        raise LaunchRefused(f"{method} {path} is nothing that this gate does")

    def _own(self, container: str, verb: str, path: str, query: str) -> engine.Answer:
        found = engine.ask("GET", f"/containers/{container}/json")
        if found.status == 200 and not is_ours(found.body, self.server.project):
            raise LaunchRefused("this is no run container")
        # The engine's own 404 is what the caller must see.
        if found.status != 200 or verb == "json":
            return found
        if verb == "stop":
            return engine.ask("POST", path + query)
        return self.server.start(path, container, json.loads(found.body)["State"]["Status"])

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not _LENGTH.fullmatch(length) or int(length) > MAX_BODY:
            raise LaunchRefused("the body is too long, or of unknown length")
        return self.rfile.read(int(length))

    def _serve(self) -> None:
        try:
            answer = self._asked(self._body())
        except LaunchRefused as error:
            _log.warning("refused: %s", printable(error.what))
            answer = _message(403, f"the gate refuses: {printable(error)}")
        self.answer(answer.status, answer.kind, answer.body)

    def _asked(self, raw: bytes) -> engine.Answer:
        try:
            return self._handle(raw)
        except (OSError, ValueError, LookupError, http.client.HTTPException) as error:
            _log.error("the engine does not answer: %s", printable(error))
            return _message(502, f"the engine does not answer: {printable(error)}")

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - its interface


class Server(BoundedServer):
    """The gate's socket, and what must be counted before it is done."""

    def __init__(self, listen: Path, mode: Mode, profiles: Mapping[str, Profile], project: str) -> None:
        self.mode: Mode = mode
        self.profiles = profiles
        self.project = project
        # Between the count and what it permits nothing may come.
        self._counting = threading.Lock()
        super().__init__(listen, Gate)

    def create(self, path: str, body: bytes) -> engine.Answer:
        """Make a container, if not too many are there."""
        with self._counting:
            self._count(LIVE)
            return engine.ask("POST", path, body)

    def start(self, path: str, container: str, status: str) -> engine.Answer:
        """Start a container, if not too many run: those that have ended can be started again.

        One that was made and cannot be started is removed, since it would count for a day: its caller is told why,
        and no more could be learned from it.
        """
        with self._counting:
            self._count(RUNNING)
            answer = engine.ask("POST", path)
        if answer.status >= 400 and status == "created":
            # Not by force: the engine itself refuses to remove one that runs.
            with suppress(OSError, http.client.HTTPException):
                engine.ask("DELETE", f"/containers/{container}?v=1")
        return answer

    def _count(self, states: Sequence[str]) -> None:
        there = len(run_containers(self.project, states))
        if there >= MOST_LIVE:
            raise LaunchRefused(
                f"{there} run containers of {self.project} are there already, and no more than {MOST_LIVE} may be",
                remedy="Stop those that are not wanted; what was made and never started is removed after a day.",
            )


def _message(status: int, text: str) -> engine.Answer:
    return engine.Answer(status, json.dumps({"message": text}).encode())


def _check_version(number: str | None) -> None:
    if number is not None and int(number) < _OLDEST:
        raise LaunchRefused(f"the interface of version 1.{number} is older than 1.{_OLDEST}")


def _stop_query(verb: str, query: str) -> str:
    """The time-out of a stop, and nothing else."""
    if not query:
        return ""
    match = re.fullmatch(r"t=([0-9]{1,3})", query)
    if match is None or verb != "stop" or int(match[1]) > _MAX_STOP:
        raise LaunchRefused("the query is not in the policy")
    return f"?{match[0]}"


def main(mode: Mode) -> None:
    """Serve until stopped."""
    deployment = read_deployment()
    with Server(LISTEN, mode, read_profiles(CONFIGURATION, deployment), deployment.project) as server:
        if mode == "launch":
            prune_daily(deployment.project)
        _log.info("gate (%s) on %s", mode, LISTEN)
        server.serve_forever()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    if sys.argv[1:] not in (["launch"], ["stop"]):
        sys.exit("usage: python -m archive_pipeline.containers.gate launch|stop")
    try:
        main("launch" if sys.argv[1] == "launch" else "stop")
    except ArchiveError as problem:
        sys.exit(str(problem))
