"""What the integration tests share: a demo archive, and the command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from archive_pipeline.demo.archive import DemoArchive, make_demo

if TYPE_CHECKING:
    from truth_inbox import Inbox


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def documents(self) -> dict[str, dict[str, Any]]:
        return {row["document"]: row for row in json.loads(self.stdout)["documents"]}


@dataclass(frozen=True)
class Cli:
    """``archive-pipeline`` with an archive of its own."""

    home: Path

    def __call__(self, *arguments: object, check: bool = True, **environment: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "archive_pipeline.cli", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=os.environ | {"ARCHIVE_HOME": str(self.home)} | environment,
            check=False,
            timeout=500,
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert not check or done.returncode == 0, done.stderr + done.stdout
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoArchive:
    return make_demo(tmp_path_factory.mktemp("demo"))


@pytest.fixture
def inbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inbox]:
    """A folder for ground truth, taken at once, with an instance of Dagster that is on the disk."""
    import dagster as dg
    from truth_inbox import Inbox

    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_QUIET_SECONDS", "0")
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        yield Inbox(instance)


@pytest.fixture(scope="session")
def make_cli() -> type[Cli]:
    return Cli


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path / "home")


@pytest.fixture(scope="session")
def demo_run(demo: DemoArchive, tmp_path_factory: pytest.TempPathFactory) -> tuple[Cli, Path, Ran]:
    """The demo archive, run once: the command line with its archive, the output folder, how it ended."""
    folder = tmp_path_factory.mktemp("demo-run")
    cli = Cli(folder / "home")
    return cli, folder / "out", cli("run", *demo.documents, "--out", folder / "out")
