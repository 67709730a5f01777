"""Processes that are started again when they end, as Compose restarts services."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

_LOOK_EVERY = 0.3
_GRACE = 20.0
"""Seconds that a service has to end when it is asked to."""


@dataclass
class Service:
    """One service.

    Attributes:
        starts: How often it was started.
    """

    name: str
    command: Sequence[str]
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None


@dataclass
class Services:
    """Keeps services up until it is left.

    Attributes:
        folder: Where they run and log to.
        environment: Of all of them.
        pause: Seconds before one is started again.
    """

    folder: Path
    environment: Mapping[str, str]
    commands: Mapping[str, Sequence[str]]
    pause: float = 1.0
    _services: dict[str, Service] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        for name, command in self.commands.items():
            self._services[name] = Service(name, command)
            self._start(self._services[name])
        self._thread = threading.Thread(target=self._keep_up, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        running = [each.process for each in self._services.values() if each.process is not None]
        everything = [child for process in running for child in descendants(process.pid)]
        for process in running:
            process.terminate()
        for process in running:
            try:
                process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                # A code server that waits for a thread of its own takes no signal any more.
                process.kill()
        for child in everything:
            with suppress(psutil.NoSuchProcess):
                child.kill()
        for process in running:
            process.wait()

    def pid(self, name: str) -> int | None:
        """Of a service that runs."""
        process = self._services[name].process
        return process.pid if process is not None and process.poll() is None else None

    def starts(self, name: str) -> int:
        """How often it was started."""
        return self._services[name].starts

    def _keep_up(self) -> None:
        while not self._stop.wait(_LOOK_EVERY):
            for each in self._services.values():
                if each.process is not None and each.process.poll() is not None:
                    if self._stop.wait(self.pause):
                        return
                    self._start(each)

    def _start(self, service: Service) -> None:
        with (self.folder / f"{service.name}.log").open("ab") as log:
            service.process = subprocess.Popen(
                list(service.command),
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C is for the simulation, which stops them itself
            )
        service.starts += 1


def descendants(pid: int) -> list[psutil.Process]:
    """Children of a process, and theirs."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def with_variable(name: str, value: str) -> Iterator[psutil.Process]:
    """Processes of this user in whose environment a variable has this value."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(name) == value:
                yield process


def kill(processes: Sequence[psutil.Process]) -> None:
    """Kill them all at once, with SIGKILL."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
