"""An installation of containers, as ``make up`` starts it: found by its project, killed with ``docker kill``."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive_pipeline.bench.week.outcome import Outcome
from archive_pipeline.errors import UsageError
from archive_pipeline.keys import DocumentKey

_DOWN = 2.0
"""Seconds that a killed service stays down: the engine itself restarts none that was killed by its own command."""
_UPLOADS = "/data/uploads"
_OUTCOME = ("python", "-m", "archive_pipeline.bench.week.outcome")


@dataclass(frozen=True)
class Compose:
    """See :class:`~archive_pipeline.bench.week.installation.Installation`."""

    project: str
    uploads: Path
    url: str
    victims: Sequence[str] = ("daemon", "documents", "run", "run", "postgres", "run")

    def kill(self, victim: str) -> str | None:
        if victim == "run":
            runs = _ids(f"label=archive.project={self.project}", "label=archive.role=run")
            if runs:
                _docker("kill", runs[0], check=False)  # it may have ended meanwhile
            return "run container" if runs else None
        container = _service(self.project, victim)
        _docker("kill", container)
        time.sleep(_DOWN)
        _docker("start", container)
        return f"container of {victim}"

    def daemon_memory(self) -> tuple[str, float] | None:
        container = _service(self.project, "daemon")
        begun = _docker("inspect", "-f", "{{.State.StartedAt}}", container)
        lines = _docker("top", container, "-eo", "pid,rss", check=False).splitlines()[1:]
        return (begun, sum(int(line.split()[1]) for line in lines) / 1024) if lines else None

    def states(self) -> Counter[str]:
        said = self._in_documents(*_OUTCOME, "--states", check=False)
        # Of a container that is just coming back nothing is known: as if something were waiting.
        return Counter(json.loads(said)) if said.startswith("{") else Counter(waiting=1)

    def outcome(self) -> Outcome:
        return Outcome.from_json(self._in_documents(*_OUTCOME))

    def undisturbed(self, names: Sequence[str], work: Path) -> dict[str, dict[str, str]]:
        place = f"/tmp/{work.name}"  # noqa: S108 - a tmpfs of the container
        variables = {"ARCHIVE_STORE": f"{place}/store", "DAGSTER_HOME": f"{place}/dagster"}
        paths = [f"{_UPLOADS}/{name}" for name in names]
        self._in_documents("archive-pipeline", "run", *paths, variables=variables)
        found: dict[str, dict[str, str]] = json.loads(self._in_documents(*_OUTCOME, "--exports", variables=variables))
        return {name: found[DocumentKey.from_path(Path(name))] for name in names}

    def _in_documents(self, *command: str, check: bool = True, variables: Mapping[str, str] | None = None) -> str:
        given = [part for name, value in (variables or {}).items() for part in ("-e", f"{name}={value}")]
        return _docker("exec", *given, _service(self.project, "documents"), *command, check=check)


def compose(project: str) -> Compose:
    """The installation of a project that is up.

    Raises:
        UsageError: There is none, or docker cannot be used.
    """
    mounts: list[dict[str, Any]] = json.loads(
        _docker("inspect", "-f", "{{json .Mounts}}", _service(project, "documents"))
    )
    uploads = next(Path(mount["Source"]) for mount in mounts if mount["Destination"] == _UPLOADS)
    address = _docker("port", _service(project, "webserver"), "3000").splitlines()[0]
    return Compose(project, uploads, f"http://{address}")


def _service(project: str, service: str) -> str:
    found = _ids(
        f"label=com.docker.compose.project={project}", f"label=com.docker.compose.service={service}", all_=True
    )
    if not found:
        raise UsageError(f"the project {project} has no container of {service}", remedy="Start it with make up.")
    return found[0]


def _ids(*filters: str, all_: bool = False) -> list[str]:
    chosen = [part for each in filters for part in ("--filter", each)]
    return _docker("ps", "-q", *(["-a"] if all_ else []), *chosen).split()


def _docker(*arguments: str, check: bool = True) -> str:
    try:
        done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)  # noqa: S607
    except FileNotFoundError:
        raise UsageError("there is no docker client on this machine", remedy="Install Docker.") from None
    if check and done.returncode:
        raise UsageError(f"docker {arguments[0]} failed: {done.stderr.strip()[-400:]}")
    return done.stdout.strip()
