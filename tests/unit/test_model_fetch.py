"""Fetching a model's file: whole and checked, or not there."""

import errno
import hashlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.errors import ModelError, NoSpaceLeft
from archive_pipeline.models import fetch as module
from archive_pipeline.models.fetch import fetch

DATA = bytes(range(256)) * 12_000
DIGEST = hashlib.sha256(DATA).hexdigest()


@dataclass
class Served:
    """What the server gives, and what it was asked."""

    data: bytes = DATA
    status: list[int] = field(default_factory=list)
    break_at: int | None = None
    ranges: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def served() -> Iterator[Served]:
    state = Served()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            state.asked.append(wanted)
            if state.status:
                self.send_error(state.status.pop(0))
                return
            first = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and state.ranges else 0
            body = state.data[first:]
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            cut, state.break_at = state.break_at, None
            self.wfile.write(body[:cut])

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_port}/model.onnx"
        yield state
        server.shutdown()
        thread.join()


def _fetch(served: Served, folder: Path, sha256: str = DIGEST, size: int = len(DATA)) -> Path:
    return fetch(served.url, sha256=sha256, size=size, folder=folder)


def test_a_file_is_kept_by_its_content_and_fetched_once(served: Served, tmp_path: Path) -> None:
    path = _fetch(served, tmp_path)
    assert path == tmp_path / DIGEST / "model.onnx"
    assert path.read_bytes() == DATA
    assert _fetch(served, tmp_path) == path
    assert len(served.asked) == 1


def test_two_at_once_fetch_it_once(served: Served, tmp_path: Path) -> None:
    threads = [threading.Thread(target=_fetch, args=(served, tmp_path)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(served.asked) == 1


def test_after_a_break_it_goes_on_where_it_was(served: Served, tmp_path: Path) -> None:
    served.break_at = 2_000_000
    with pytest.raises(ModelError, match="cannot be fetched"):
        _fetch(served, tmp_path)
    assert not (tmp_path / DIGEST / "model.onnx").exists()
    assert _fetch(served, tmp_path).read_bytes() == DATA
    assert served.asked[1] is not None


def test_a_server_that_knows_no_ranges_is_asked_for_all_again(served: Served, tmp_path: Path) -> None:
    served.break_at, served.ranges = 2_000_000, False
    with pytest.raises(ModelError):
        _fetch(served, tmp_path)
    assert _fetch(served, tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("data", [DATA[:-1] + b"x", DATA[:-1]], ids=["a flipped bit", "too short"])
def test_what_is_not_the_model_is_not_kept(served: Served, tmp_path: Path, data: bytes) -> None:
    served.data = data
    with pytest.raises(ModelError, match="not the model"):
        _fetch(served, tmp_path)
    assert [path.name for path in (tmp_path / DIGEST).iterdir()] == [".lock"]
    served.data = DATA
    assert _fetch(served, tmp_path).read_bytes() == DATA


def test_no_byte_beyond_the_size_is_taken(served: Served, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="larger"):
        _fetch(served, tmp_path, size=1000)


def test_a_busy_server_is_asked_again_and_a_wrong_address_is_not(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module._RETRY, "backoff_factor", 0)
    served.status = [503, 429]
    assert _fetch(served, tmp_path).read_bytes() == DATA
    served.status = [404]
    with pytest.raises(ModelError, match="404"):
        fetch(served.url, sha256="0" * 64, size=9, folder=tmp_path)
    assert len(served.asked) == 4


def test_a_full_disk_leaves_nothing(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(NoSpaceLeft, match="no space left"):
        _fetch(served, tmp_path)
    assert [path.name for path in (tmp_path / DIGEST).iterdir()] == [".lock"]


def test_a_full_disk_is_cleared_before_another_process_may_fetch(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    there: list[bool] = []

    class Lock(module.FileLock):  # type: ignore[misc]
        def release(self, force: bool = False) -> None:
            there.append((tmp_path / DIGEST / ".model.onnx.part").exists())
            super().release(force)

    monkeypatch.setattr(module.os, "fsync", full)
    monkeypatch.setattr(module, "FileLock", Lock)
    with pytest.raises(NoSpaceLeft):
        _fetch(served, tmp_path)
    assert there[0] is False


@pytest.mark.parametrize("behind", ["?download=1", "?name=other.bin#x", "#part"])
def test_what_stands_behind_the_path_of_an_address_is_no_part_of_the_name(
    served: Served, tmp_path: Path, behind: str
) -> None:
    served.url += behind
    assert _fetch(served, tmp_path) == tmp_path / DIGEST / "model.onnx"


@pytest.mark.parametrize("url", ["http://h/", "http://h", "http://h/..", "http://h/.lock", "http://h/a\x1b[0m", "?x=1"])
def test_an_address_that_names_no_file_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ModelError, match="names no file") as refused:
        fetch(url, sha256=DIGEST, size=1, folder=tmp_path)
    assert "\x1b" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_cannot_have_us_wait_for_an_hour() -> None:
    assert module._RETRY.parse_retry_after("3600") == 60
    assert module._RETRY.parse_retry_after("7") == 7
    assert module._RETRY.increment("GET", "/", response=None, error=ConnectionError()).parse_retry_after("3600") == 60


def test_what_is_there_is_fetched_even_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    (tmp_path / DIGEST).mkdir()
    (tmp_path / DIGEST / "model.onnx").write_bytes(DATA)
    monkeypatch.setattr(module, "FileLock", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    url = "http://127.0.0.1:9/model.onnx"
    assert fetch(url, sha256=DIGEST, size=len(DATA), folder=tmp_path) == tmp_path / DIGEST / "model.onnx"
    with pytest.raises(ModelError, match="Read-only"):
        fetch(url, sha256="0" * 64, size=1, folder=tmp_path)
