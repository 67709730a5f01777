"""An engine on a Unix socket that knows some containers, and notes what it was asked."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

OURS = {"archive.role": "run", "archive.project": "archive"}
NEW = "c" * 64


@dataclass
class FakeEngine:
    """What the engine has and says.

    Attributes:
        containers: Labels and state of each, by id.
        refuses: Status and message, by the last part of a path.
        asked: Method and path of each request, with its body.
    """

    at: Path
    containers: dict[str, tuple[dict[str, str], dict[str, Any]]] = field(default_factory=dict)
    refuses: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def add(self, name: str, labels: dict[str, str] = OURS, **state: Any) -> str:
        self.containers[name] = (labels, {"Status": "running", **state})
        return name

    def calls(self) -> list[str]:
        """What it was asked to do, without the looking."""
        return [f"{method} {path}" for method, path, _ in self.asked if method not in ("GET", "HEAD")]

    def answer(self, method: str, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        *_, name, verb = ["", *path.split("/")]
        if verb in self.refuses:
            status, message = self.refuses[verb]
            return status, {"message": message}
        if verb in ("version", "_ping"):
            return 200, {"ApiVersion": "1.41"}
        if verb == "create":
            self.add(NEW, Status="created")
            return 201, {"Id": NEW}
        if method == "DELETE":
            return (204, None) if self.containers.pop(verb, None) else (404, {"message": "gone"})
        if name == "containers" and verb == "json":
            states = json.loads(query["filters"][0])["status"]
            there = [key for key, (labels, state) in self.containers.items() if state["Status"] in states]
            return 200, [{"Id": key} for key in there if self.containers[key][0] == OURS]
        if name not in self.containers:
            return 404, {"message": f"No such container: {name}"}
        labels, state = self.containers[name]
        if verb == "json":
            return 200, {"Id": name, "Config": {"Labels": labels}, "State": state}
        return 204, None


@contextmanager
def fake_engine(at: Path) -> Iterator[FakeEngine]:
    """Serve one."""
    state = FakeEngine(at)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            state.asked.append((self.command, self.path, body))
            status, said = state.answer(self.command, parts.path, parse_qs(parts.query))
            raw = b"" if said is None else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815 - its interface

        def address_string(self) -> str:
            return ""

        def log_message(self, *_: Any) -> None:
            pass

    class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass  # a caller may hang up

    with Server(str(at), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield state
        server.shutdown()
        thread.join()
