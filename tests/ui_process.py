"""Dagster's UI and daemon in a process group of their own, as the command starts them."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Ui:
    """A running UI, asked through its GraphQL API."""

    def __init__(self, home: Path, **environment: str) -> None:
        self.port, self.results_port = _free_port(), _free_port()
        self.log = home.parent / "ui.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "archive_pipeline.cli", "ui"),
                    *("--port", str(self.port), "--results-port", str(self.results_port)),
                ],
                env=os.environ | {"ARCHIVE_HOME": str(home)} | environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("{repositoriesOrError{... on RepositoryConnection{nodes{name}}}}")["repositoriesOrError"][
                    "nodes"
                ]:
                    return
            except OSError:
                pass
            time.sleep(1)
        raise AssertionError(self.log.read_text("utf-8")[-3000:])

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def kill(self) -> None:
        """As a power cut would: no process of the group can say anything any more, and none is there any more."""
        group = self.process.pid
        members = [each for each in psutil.process_iter() if _group(each) == group]
        os.killpg(group, signal.SIGKILL)
        self.process.wait()
        end = time.monotonic() + 60
        while any(_lives(each) for each in members):
            assert time.monotonic() < end, members
            time.sleep(0.05)


def _group(process: psutil.Process) -> int:
    try:
        return os.getpgid(process.pid)
    except ProcessLookupError:
        return -1


def _lives(process: psutil.Process) -> bool:
    """Also while it dies; what nobody has waited for is gone."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
