"""A gate in front of the engine's socket.

    python -m archive_pipeline.containers.gate launch|stop

``launch``, for the daemon: version, create (only what a profile gives), inspect, start, stop.
``stop``, for the webserver: version, inspect, stop.
Inspect, start and stop reach run containers of this project only. Everything else is a 403 that says why.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import socketserver
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from archive_pipeline.containers import engine
from archive_pipeline.containers.policy import MAX_BODY, checked_body, is_ours
from archive_pipeline.containers.profiles import Profile, read_profiles
from archive_pipeline.containers.prune import prune_daily
from archive_pipeline.errors import ArchiveError, LaunchRefused, printable
from archive_pipeline.settings import read_deployment

Mode = Literal["launch", "stop"]
LISTEN = Path("/run/gate/docker.sock")
CONFIGURATION = Path("/opt/archive")

_log = logging.getLogger(__name__)
_VERSION = r"(?:/v1\.\d{2})?"
_PING = re.compile(_VERSION + "/(version|_ping)")
_CREATE = re.compile(_VERSION + "/containers/create")
_CONTAINER = re.compile(_VERSION + "/containers/([0-9a-f]{12,64})/(json|start|stop)")
_METHODS: dict[Mode, dict[str, str]] = {
    "launch": {"json": "GET", "start": "POST", "stop": "POST"},
    "stop": {"json": "GET", "stop": "POST"},
}
_MAX_STOP = 120


class Gate(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # A caller that sends nothing more does not keep its thread.
    timeout = 60
    server: Server

    def _handle(self) -> engine.Answer:
        method, parts = self.command, urlsplit(self.path)
        raw = self._body()
        if method in ("GET", "HEAD") and _PING.fullmatch(parts.path) and not parts.query:
            return engine.ask(method, parts.path)
        if method == "POST" and self.server.mode == "launch" and _CREATE.fullmatch(parts.path) and not parts.query:
            return engine.ask(method, parts.path, checked_body(raw, self.server.profiles))
        if match := _CONTAINER.fullmatch(parts.path):
            container, verb = match.groups()
            if _METHODS[self.server.mode].get(verb) == method and not raw:
                return self._own(container, verb, method, parts.path, parts.query)
        raise LaunchRefused(f"{method} {parts.path} is nothing that this gate does")

    def _own(self, container: str, verb: str, method: str, path: str, query: str) -> engine.Answer:
        stop_query = _stop_query(verb, query)
        found = engine.ask("GET", f"/containers/{container}/json")
        if found.status == 200 and not is_ours(found.body, self.server.project):
            raise LaunchRefused("this is no run container")
        # The engine's own 404 is what the caller must see.
        return found if found.status != 200 or verb == "json" else engine.ask(method, path + stop_query)

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length") or "0"
        if self.headers.get("Transfer-Encoding") or not length.isdecimal() or int(length) > MAX_BODY:
            self.close_connection = True
            raise LaunchRefused("the body is too long, or of unknown length")
        return self.rfile.read(int(length))

    def _serve(self) -> None:
        try:
            answer = self._handle()
        except LaunchRefused as error:
            _log.warning("refused: %s", printable(error.what))
            answer = engine.Answer(403, json.dumps({"message": f"the gate refuses: {printable(str(error))}"}).encode())
        except (OSError, ValueError, http.client.HTTPException) as error:
            _log.error("the engine does not answer: %s", error)
            answer = engine.Answer(502, json.dumps({"message": f"the engine does not answer: {error}"}).encode())
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - its interface

    def address_string(self) -> str:  # a socket file has no address
        return "local"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its interface
        # The health check asks every few seconds.
        _log.log(logging.DEBUG if self.path == "/_ping" else logging.INFO, format, *args)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """The gate's socket."""

    daemon_threads = True

    def __init__(self, listen: Path, mode: Mode, profiles: Mapping[str, Profile], project: str) -> None:
        self.mode: Mode = mode
        self.profiles = profiles
        self.project = project
        listen.unlink(missing_ok=True)
        mask = os.umask(0o117)
        try:
            super().__init__(str(listen), Gate)
        finally:
            os.umask(mask)

    def get_request(self) -> tuple[Any, Any]:
        connection, _ = super().get_request()
        return connection, ("local", 0)


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
