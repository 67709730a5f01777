"""What ``doctor`` says of folders and memory, and how it prints what to do."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from archive_pipeline.cli import doctor as module
from archive_pipeline.cli.doctor import Finding, memory_limit_mb
from archive_pipeline.settings import Settings, read_settings

COMMAND = "docker run --rm --user 0 --entrypoint chown -v archive_store:/volume " + "x" * 250 + " -R 1000:1000 /volume"


def _mounted(monkeypatch: pytest.MonkeyPatch, flags: int) -> None:
    """All folders are as if they belonged to somebody else, on a file system with these flags."""
    monkeypatch.setattr(module.os, "access", lambda *_: False)
    monkeypatch.setattr(module.os, "statvfs", lambda _: SimpleNamespace(f_flag=flags))


@pytest.mark.parametrize(
    ("name", "flags", "ok"),
    [
        ("models_dir", os.ST_RDONLY, True),
        ("store_dir", os.ST_RDONLY, True),
        ("dagster_home", os.ST_RDONLY, True),
        ("dagster_home", 0, True),
        ("models_dir", 0, False),
        ("store_dir", 0, False),
    ],
)
def test_in_a_container_what_is_mounted_read_only_is_meant_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, flags: int, ok: bool
) -> None:
    _mounted(monkeypatch, flags)
    found = module._folder(name, tmp_path, in_image=True)
    assert found.ok is ok
    assert found.command == ""


@pytest.mark.parametrize("flags", [0, os.ST_RDONLY])
def test_outside_of_containers_every_folder_must_be_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: int
) -> None:
    _mounted(monkeypatch, flags)
    found = module._folder("dagster_home", tmp_path, in_image=False)
    assert not found.ok
    assert found.command == f"sudo chown -R {os.geteuid()}:{os.getegid()} {tmp_path}"


@pytest.mark.parametrize("folder", ["/not there/store", "/"])
def test_no_command_gives_away_a_folder_above_the_one_that_is_meant(
    monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    _mounted(monkeypatch, 0)
    found = module._folder("store_dir", Path(folder), in_image=False)
    assert not found.ok
    assert "chown" not in found.command
    assert found.command.endswith("'/not there/store'" if folder != "/" else "")


def test_a_folder_that_may_not_be_searched_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    exists = Path.exists

    def refuse(path: Path) -> bool:
        if str(path).startswith("/closed"):
            raise PermissionError(13, "Permission denied")
        return exists(path)

    _mounted(monkeypatch, 0)
    monkeypatch.setattr(Path, "exists", refuse)
    assert "cannot be made" in module._folder("store_dir", Path("/closed/store"), in_image=False).found


@pytest.mark.parametrize(
    ("file", "text", "limit"),
    [
        ("memory.max", "2147483648\n", 2048),
        ("memory.max", "max\n", None),
        ("memory/memory.limit_in_bytes", "536870912\n", 512),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n", None),
        ("other", "1", None),
    ],
)
def test_the_memory_limit_is_that_of_the_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, text: str, limit: int | None
) -> None:
    monkeypatch.setattr(module.psutil, "virtual_memory", lambda: SimpleNamespace(total=8 << 30))
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(text, "ascii")
    assert memory_limit_mb(tmp_path) == limit


@pytest.mark.parametrize("ok", [True, False])
def test_a_command_stands_on_one_line_of_its_own(monkeypatch: pytest.MonkeyPatch, ok: bool) -> None:
    finding = Finding("volume", ok, "/data/store cannot be written", "On the host:", COMMAND)
    monkeypatch.setattr(module, "examine", lambda _: [finding])
    done = CliRunner().invoke(module.doctor, [])
    assert (COMMAND in done.output.splitlines()) is not ok
    assert done.exit_code == (0 if ok else 1)


@contextmanager
def _answering(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):  # who has heard enough goes
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_address[1]}/v1"
        finally:
            served.shutdown()
            thread.join()


def _found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> dict[str, Finding]:
    monkeypatch.setattr(module, "_seal", lambda: "")
    monkeypatch.setattr(module, "_models", lambda _: ())
    return {finding.what: finding for finding in module.examine(settings)}


def test_an_installation_that_can_read_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = _found(read_settings(), monkeypatch)
    assert found["reading"].ok
    assert "model ppocr-v6-latin (built in)" in found["reading"].found
    assert "surya's server" not in found
    for wrong in ({"recognition_model": "surya-ocr-2"}, {"engine": "surya"}, {"segmentation_model": "none"}):
        bad = _found(read_settings(**wrong), monkeypatch)["reading"]
        assert not bad.ok, wrong
        assert bad.remedy


@pytest.mark.parametrize(
    ("body", "ok", "said"),
    [
        (b'{"data": [{"id": "datalab-to/surya-ocr-2"}]}', True, "has datalab-to/surya-ocr-2"),
        (b'{"data": [{"id": "x"}]}', False, "has no model datalab-to/surya-ocr-2, but x"),
        (b"{" * 3_000_000, False, "more than 1048576 bytes"),
        (b"[" * 500_000, False, "does not answer as one"),
        (b"hello", False, "does not answer as one"),
    ],
)
def test_suryas_server_is_asked_where_one_is_set_and_not_listened_to_without_end(
    monkeypatch: pytest.MonkeyPatch, body: bytes, ok: bool, said: str
) -> None:
    with _answering(body) as url:
        found = _found(read_settings(surya_url=url), monkeypatch)["surya's server"]
    assert (found.ok, said in found.found) == (ok, True), found
    gone = _found(read_settings(surya_url=url), monkeypatch)["surya's server"]
    assert "does not answer as one" in gone.found
    assert "SURYA_INFERENCE_URL" in gone.remedy
