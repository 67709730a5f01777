"""A server that plays Zenodo, the Hugging Face Hub with its CDN, and a folder on the web, and that can misbehave."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archive_pipeline.errors import ArchiveError
from archive_pipeline.models.entry import HuggingFace, ModelEntry, ModelFile, Source, Web, Zenodo
from archive_pipeline.models.fetch import Fetched, fetch_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network

RECORD, CONCEPT, COMMIT = 1234, 1233, "c0ffee" * 6 + "c0de"
NAME = "model.safetensors"


def safetensors(size: int = 2_000_000, seed: int = 0) -> bytes:
    """A file of that kind with one tensor."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return (
        len(header).to_bytes(8, "little") + header + bytes((i * 7 + seed) % 251 for i in range(1000)) * (size // 1000)
    )


DATA = safetensors()
CONFIG = b'{"model_type": "efficientvit"}'


@dataclass
class Misbehaviour:
    """What a server does wrong with the bytes of a file.

    Attributes:
        times: For how many requests; -1 for ever.
        status: Answers this instead.
        cut: Ends the connection after so many bytes.
        body: Other bytes.
        endless: Goes on for ever, without a Content-Length.
        stall: Says nothing any more after so many bytes.
        drip: One byte at a time.
        location: Leads there.
    """

    times: int = -1
    status: int | None = None
    retry_after: str | None = None
    cut: int | None = None
    body: bytes | None = None
    endless: bool = False
    stall: int | None = None
    drip: bool = False
    location: str | None = None


@dataclass
class ModelServer:
    """What it has, how it misbehaves, and what it was asked."""

    files: dict[str, bytes] = field(default_factory=lambda: {NAME: DATA})
    fault: Misbehaviour | None = None
    ranges: bool = True
    commit: str = COMMIT
    record: int = RECORD
    told: dict[str, Any] = field(default_factory=dict)
    """Size and digests of a file that are told in place of the true ones: ``size``, ``md5``, ``etag``."""
    pages: dict[str, bytes] = field(default_factory=dict)
    """Answers by path, with the query."""
    pace: float = 0
    """Seconds between two pieces of 64 kB."""
    asked: list[tuple[str, str, str | None]] = field(default_factory=list)
    """Method, path and Range of each request."""
    tokens: dict[str, str | None] = field(default_factory=dict)
    """The Authorization of the last request, by path."""
    silence: float = 10
    """Seconds of patience with it."""
    url: str = ""
    cdn: str = ""
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def network(self) -> Network:
        """A way to it."""
        return Network(
            zenodo=f"{self.url}/api/",
            zenodo_oai=f"{self.url}/oai2d",
            hub=self.url,
            connect=2,
            silence=self.silence,
            tries=3,
            backoff=0.01,
            longest_wait=1,
            largest=5_000_000,
        )

    def source(self, kind: str) -> Source:
        if kind == "zenodo":
            return Zenodo(kind="zenodo", doi=f"10.5281/zenodo.{RECORD}")
        if kind == "hub":
            return HuggingFace(kind="huggingface", repo="somebody/model", revision=COMMIT)
        return Web.model_validate({"kind": "web", "url": f"{self.url}/folder"})

    def entry(self, kind: str, *, verified: bool = True, **update: Any) -> ModelEntry:
        """An entry for what it has."""
        files = tuple(
            ModelFile(name=name, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
            if verified
            else ModelFile(name=name)
            for name, data in self.files.items()
        )
        given = {"id": "model", "task": "recognition", "engine": "kraken", "licence": "CC0-1.0", "good_for": "tests"}
        return ModelEntry.model_validate(given | {"source": self.source(kind), "files": files} | update)

    def transfers(self) -> list[str | None]:
        """The ranges of all requests for the bytes of a file."""
        return [
            wanted
            for method, path, wanted in self.asked
            if (method == "GET" and path.startswith(("/cdn/", "/folder/"))) or path.endswith("/content")
        ]


class _Handler(http.server.BaseHTTPRequestHandler):
    state: ModelServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state = self.state
        path = urlsplit(self.path).path
        state.asked.append((self.command, path, self.headers.get("Range")))
        state.tokens[path] = self.headers.get("Authorization")
        name = path.removesuffix("/content").rpartition("/")[2]
        with suppress(BrokenPipeError, ConnectionResetError):
            if self.path in state.pages:
                self._whole(state.pages[self.path])
            elif path.startswith("/api/records/") and not path.endswith("/content"):
                self._record(path)
            elif "/resolve/" in path:
                self._resolve(name)
            elif name in state.files and path.startswith(("/cdn/", "/folder/", "/api/records/")):
                self._file(state.files[name])
            else:
                self._status(404)

    def _record(self, path: str) -> None:
        state = self.state
        if int(path.rpartition("/")[2]) not in (RECORD, CONCEPT):
            self._status(404)
            return
        files = [
            {
                "key": name,
                "size": state.told.get("size", len(data)),
                "checksum": f"md5:{state.told.get('md5', hashlib.md5(data, usedforsecurity=False).hexdigest())}",
                "links": {"self": f"{state.url}/api/records/{state.record}/files/{name}/content"},
            }
            for name, data in state.files.items()
        ]
        record = {
            "id": state.record,
            "doi": f"10.5281/zenodo.{state.record}",
            "conceptdoi": f"10.5281/zenodo.{CONCEPT}",
            "metadata": {"title": "A model", "publication_date": "2025-05-14", "license": {"id": "cc0-1.0"}},
            "files": files,
        }
        self._whole(json.dumps(record).encode())

    def _resolve(self, name: str) -> None:
        """As the Hub does: the file's facts, and a redirect to another host."""
        state = self.state
        if name not in state.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self._end(b"")
            return
        if state.fault and state.fault.status and self._faulty():
            self._status(state.fault.status)
            return
        data = state.files[name]
        self.send_response(302)
        self.send_header("X-Repo-Commit", state.commit)
        self.send_header("X-Linked-Size", str(state.told.get("size", len(data))))
        self.send_header("X-Linked-Etag", f'"{state.told.get("etag", hashlib.sha256(data).hexdigest())}"')
        self.send_header("Location", f"{state.cdn}/cdn/{name}?X-Signature=secret-of-the-cdn")
        self._end(b"")

    def _faulty(self) -> bool:
        fault = self.state.fault
        if fault is None or fault.times == 0:
            return False
        fault.times -= 1
        return True

    def _file(self, data: bytes) -> None:
        state = self.state
        wanted = self.headers.get("Range")
        first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
        fault = state.fault if self._faulty() else None
        if fault and fault.status:
            self._status(fault.status, fault.retry_after)
            return
        if fault and fault.location:
            self.send_response(302)
            self.send_header("Location", fault.location)
            self._end(b"")
            return
        data = fault.body if fault and fault.body is not None else data
        if first >= len(data) > 0 and first:
            self._status(416)
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        if fault and fault.endless:
            self.close_connection = True
            self.end_headers()
            while not state.stop.is_set():
                self.wfile.write(data)
            return
        self.send_header("Content-Length", str(len(data) - first))
        self.end_headers()
        self._body(data[first:], fault)

    def _body(self, data: bytes, fault: Misbehaviour | None) -> None:
        state = self.state
        if fault and fault.drip:
            for byte in data:
                self.wfile.write(bytes([byte]))
                if state.stop.wait(0.02):
                    return
        end = next((n for n in (fault.cut, fault.stall) if n is not None), len(data)) if fault else len(data)
        for start in range(0, end, 1 << 16):
            self.wfile.write(data[start : min(end, start + (1 << 16))])
            if state.pace:
                time.sleep(state.pace)
        if fault and fault.stall is not None:
            state.stop.wait(5)
        if end < len(data):
            self.close_connection = True

    def _whole(self, data: bytes) -> None:
        self.send_response(200)
        self._end(data)

    def _status(self, status: int, retry_after: str | None = None) -> None:
        self.send_response(status)
        if retry_after:
            self.send_header("Retry-After", retry_after)
        self._end(b"")

    def _end(self, data: bytes) -> None:
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Who was killed, or had enough, ends a connection as it likes."""


@contextmanager
def serving() -> Iterator[ModelServer]:
    """A server on two ports, as the Hub and its CDN are two hosts."""
    state = ModelServer()
    handler = type("Handler", (_Handler,), {"state": state})
    servers = [_Server(("127.0.0.1", 0), handler) for _ in range(2)]
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,)) for server in servers]
    for thread in threads:
        thread.start()
    state.url, state.cdn = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    try:
        yield state
    finally:
        state.stop.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()


def take_it(entry: ModelEntry, folder: Path) -> None:
    """A check that lets everything pass: what is tested is how the bytes come."""


def fetch_into(root: Path, entry: ModelEntry, network: Network) -> Fetched:
    """Fetch a model into a store."""
    return fetch_model(ModelLibrary(root).adding(entry), entry, network, check=take_it)


def in_process(root: str, entry: dict[str, Any], network: Network, largest_file: int = 0) -> None:
    """For a process of its own: fetch, and end with the exit code of what came of it."""
    if largest_file:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    try:
        fetch_into(Path(root), ModelEntry.model_validate(entry), network)
    except ArchiveError as error:
        raise SystemExit(error.exit_code) from None


def visible(root: Path) -> list[str]:
    """What can be seen of models: folders by digest."""
    return sorted(path.name for path in root.iterdir() if len(path.name) == 64) if root.exists() else []


def staged_bytes(root: Path) -> int:
    """Bytes that lie in staging."""
    folder = root / ".staging"
    total = 0
    with suppress(FileNotFoundError):  # a process is at work
        for path in folder.rglob("*") if folder.exists() else ():
            total += path.stat().st_size if path.is_file() else 0
    return total
