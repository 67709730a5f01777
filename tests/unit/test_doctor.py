"""What ``doctor`` says of folders and memory, and how it prints what to do."""

import os
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from archive_pipeline.cli import doctor as module
from archive_pipeline.cli.doctor import Finding, memory_limit_mb

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
