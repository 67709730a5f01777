"""The simulation's hands on containers: what it asks the docker client for."""

import json

import pytest

from archive_pipeline.bench.week import compose as module
from archive_pipeline.bench.week.compose import Compose, compose
from archive_pipeline.errors import UsageError


class Docker:
    """A docker client that knows one project and notes what it is asked to do."""

    def __init__(self, runs: list[str]) -> None:
        self.runs = runs
        self.did: list[tuple[str, ...]] = []

    def __call__(self, *arguments: str, check: bool = True) -> str:
        command, rest = arguments[0], arguments[1:]
        if command == "ps":
            if "label=com.docker.compose.project=mine" in rest:
                return next(f"id-{each.rsplit('=', 1)[1]}" for each in rest if ".service=" in each)
            return "\n".join(self.runs) if "label=archive.project=mine" in rest else ""
        if command == "inspect":
            mounts = [{"Source": "/srv/scans", "Destination": "/data/uploads"}, {"Source": "s", "Destination": "/data"}]
            return "2026-01-01" if rest[1] == "{{.State.StartedAt}}" else json.dumps(mounts)
        if command == "port":
            return "127.0.0.1:3999\n[::1]:3999"
        if command == "top":
            return "PID RSS\n1 1024\n7 204800"
        self.did.append(arguments)
        return '{"taken": 2}' if "--states" in rest else ""


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Docker:
    client = Docker(["run-1", "run-2"])
    monkeypatch.setattr(module, "_docker", client)
    monkeypatch.setattr(module, "_DOWN", 0)
    return client


@pytest.fixture
def installation(docker: Docker) -> Compose:
    return compose("mine")


def test_an_installation_is_found_by_its_project(installation: Compose) -> None:
    assert (str(installation.uploads), installation.url) == ("/srv/scans", "http://127.0.0.1:3999")


def test_a_project_that_is_not_up_is_an_error_that_says_what_to_do(docker: Docker) -> None:
    with pytest.raises(UsageError, match="the project other has no container of documents") as error:
        compose("other")
    assert error.value.remedy == "Start it with make up."


def test_a_service_that_is_killed_is_started_again(installation: Compose, docker: Docker) -> None:
    assert installation.kill("postgres") == "container of postgres"
    assert docker.did == [("kill", "id-postgres"), ("start", "id-postgres")]


def test_a_run_container_that_is_killed_stays_dead(installation: Compose, docker: Docker) -> None:
    assert installation.kill("run") == "run container"
    assert docker.did == [("kill", "run-1")]
    docker.runs = []
    assert installation.kill("run") is None


def test_memory_of_the_daemon_is_that_of_all_its_processes_and_known_by_its_life(installation: Compose) -> None:
    assert installation.daemon_memory() == ("2026-01-01", 201.0)


def test_states_are_asked_of_the_container_that_has_the_store(installation: Compose, docker: Docker) -> None:
    assert installation.states() == {"taken": 2}
    assert docker.did[0][:2] == ("exec", "id-documents")
