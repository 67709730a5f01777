"""An installation of processes of this machine: daemon, code server and web server as Compose has them, and SQLite."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import yaml

from archive_pipeline.bench.week.outcome import Outcome, export_digests, look_at_store, states_of
from archive_pipeline.bench.week.processes import Services, descendants, kill, with_variable
from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import UsageError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store

_QUIET = 3.0
_OVERRIDES: dict[str, dict[str, Any]] = {
    "run_monitoring": {"enabled": True, "poll_interval_seconds": 5, "start_timeout_seconds": 120},
}
"""Of Dagster's configuration: as in production, but it looks more often, for a week passes in an hour."""


@dataclass(frozen=True)
class Embedded:
    """See :class:`~archive_pipeline.bench.week.installation.Installation`."""

    home: Path
    url: str
    services: Services
    environment: Mapping[str, str]
    victims: Sequence[str] = ("daemon", "code", "run", "run", "run", "everything")

    @property
    def uploads(self) -> Path:
        return self.home / "uploads"

    def kill(self, victim: str) -> str | None:
        if victim == "run":
            runs = self.run_workers()
            kill(runs[:1])
            return "run worker" if runs else None
        processes = self._of(victim) if victim != "everything" else [*self._of("daemon"), *self._of("code")]
        if victim == "everything":  # as a power cut
            processes += self.run_workers()
        kill(processes)
        return {"code": "code server", "everything": "daemon, code server and runs at once"}.get(victim, victim)

    def run_workers(self) -> list[psutil.Process]:
        """The processes of runs: Python started by the code server, or left over by one that was killed."""
        found = []
        for process in with_variable("DAGSTER_HOME", self.environment["DAGSTER_HOME"]):
            try:
                if any("spawn_main" in part for part in process.cmdline()):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def _of(self, service: str) -> list[psutil.Process]:
        """A service's processes without those of runs."""
        pid = self.services.pid(service)
        if pid is None:
            return []
        runs = {process.pid for process in self.run_workers()}
        of_runs = {child.pid for run in runs for child in descendants(run)} | runs
        return [psutil.Process(pid), *(each for each in descendants(pid) if each.pid not in of_runs)]

    def daemon_memory(self) -> tuple[str, float] | None:
        pid = self.services.pid("daemon")
        try:
            return None if pid is None else (str(pid), psutil.Process(pid).memory_info().rss / (1 << 20))
        except psutil.Error:
            return None

    def states(self) -> Counter[str]:
        return states_of(self.home / "store")

    def outcome(self) -> Outcome:
        return look_at_store(self.home / "store")

    def undisturbed(self, names: Sequence[str], work: Path) -> dict[str, dict[str, str]]:
        # The same upload folder, so that every document has its name; another store, so that nothing is reused.
        environment = dict(self.environment) | {"ARCHIVE_STORE": str(work / "store"), "DAGSTER_HOME": str(work / "d")}
        command = [sys.executable, "-m", "archive_pipeline.cli", "run", *(str(self.uploads / name) for name in names)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UsageError(f"the undisturbed run failed: {done.stderr.strip()[-400:]}")
        store = Store(work / "store")
        return {name: export_digests(store.document(DocumentKey.from_path(Path(name)))) for name in names}


def configure(dagster_home: Path, concurrent_runs: int = 2) -> None:
    """Change the ``dagster.yaml`` that the product made for what a simulation needs."""
    file = dagster_home / "dagster.yaml"
    ours: dict[str, Any] = yaml.safe_load(file.read_text("utf-8")) or {}
    changes: dict[str, dict[str, Any]] = {
        **_OVERRIDES,
        "concurrency": {"runs": {"max_concurrent_runs": concurrent_runs}},
    }
    for name, values in changes.items():
        ours[name] = {**ours.get(name, {}), **values}
    write_bytes(file, yaml.safe_dump(ours).encode())


@contextmanager
def embedded(home: Path, environment: Mapping[str, str]) -> Iterator[Embedded]:
    """Start an installation in a folder, and stop it.

    Args:
        home: With Dagster's instance in ``dagster`` (:func:`configure`).
        environment: Further settings of the archive.
    """
    for name in ("uploads", "store", "logs"):
        (home / name).mkdir(parents=True, exist_ok=True)
    code, web = _free_port(), _free_port()
    write_bytes(
        home / "workspace.yaml",
        f"load_from:\n- grpc_server: {{host: 127.0.0.1, port: {code}, location_name: documents}}\n".encode(),
    )
    variables = {
        **os.environ,
        "ARCHIVE_QUIET_SECONDS": str(_QUIET),
        # Always night: the simulation itself says when one begins.
        "ARCHIVE_NIGHT": "00:00",
        "ARCHIVE_NIGHT_END": "00:00",
        **environment,
        "ARCHIVE_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
    }
    python, workspace = [sys.executable, "-m"], ["-w", str(home / "workspace.yaml")]
    location = ["-m", "archive_pipeline.definitions"]
    commands = {
        "code": [*python, "dagster", "code-server", "start", "-h", "127.0.0.1", "-p", str(code), *location],
        "daemon": [*python, "dagster._daemon", "run", *workspace],
        "web": [*python, "dagster_webserver", "-h", "127.0.0.1", "-p", str(web), *workspace],
    }
    # Once, alone: three processes that make the database at the same time break it.
    subprocess.run([*python, "dagster", "instance", "info"], env=variables, capture_output=True, check=True)
    services = Services(home / "logs", variables, commands)
    found = Embedded(home, f"http://127.0.0.1:{web}", services, variables)
    try:
        with services:
            yield found
    finally:
        kill(found.run_workers())


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
