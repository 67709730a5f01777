"""``register`` without arguments, up to the documents that it takes; Dagster's part is replaced."""

import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from archive_pipeline.cli import register as module
from archive_pipeline.errors import UsageError

Register = Callable[[], Result]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Register:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path))
    for name in ("UPLOADS_DIR", "ARCHIVE_STORE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(module, "open_instance", lambda _: nullcontext())
    monkeypatch.setattr(module, "announce", lambda *_: {})
    return lambda: CliRunner().invoke(module.register, [])


def _upload(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "uploads" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "uploads" / name).write_bytes(b"x")


def test_what_is_no_document_by_its_name_is_left_alone(tmp_path: Path, register: Register) -> None:
    _upload(tmp_path, "a.pdf", "Thumbs.db", "b.pdf.part", ".DS_Store", "read.me", "box/1.tif", "box/2.tif")
    (tmp_path / "uploads" / "empty").mkdir()
    done = register()
    assert done.output.split() == ["a.pdf", "box"]
    assert done.exit_code == 0


def _unreadable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user that is not root."""
    listed = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == folder:
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)


def test_a_folder_that_cannot_be_listed_is_named_and_stops_nothing_else(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload(tmp_path, "a.pdf", "closed/b.pdf")
    _unreadable(tmp_path / "uploads" / "closed", monkeypatch)
    done = register()
    assert "a.pdf" in done.stdout.split()
    assert "closed: the folder cannot be listed: Permission denied" in done.stderr
    assert done.exit_code == 3


def test_an_upload_folder_that_cannot_be_listed_is_one_sentence(
    tmp_path: Path, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    _upload(tmp_path, "a.pdf")
    _unreadable(tmp_path / "uploads", monkeypatch)
    done = register()
    assert isinstance(done.exception, UsageError)
    assert "Permission denied" in done.exception.what
    assert "UPLOADS_DIR" in done.exception.remedy


def test_an_upload_folder_that_is_not_there_is_one_sentence(register: Register) -> None:
    done = register()
    assert isinstance(done.exception, UsageError)
    assert "No such file" in done.exception.what
