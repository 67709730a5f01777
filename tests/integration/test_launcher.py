"""The launcher, with an engine that notes what it is asked, and a fake in place of Dagster's instance."""

import gc
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import docker.errors
import pytest
from dagster._core.code_pointer import CodePointer, FileCodePointer, ModuleCodePointer, PackageCodePointer
from dagster._core.launcher.base import LaunchRunContext, WorkerStatus
from dagster._core.origin import (
    DEFAULT_DAGSTER_ENTRY_POINT,
    JobPythonOrigin,
    RepositoryPythonOrigin,
)
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.dagster_run import DagsterRun, DagsterRunStatus
from dagster._daemon.monitoring.run_monitoring import check_run_timeout
from fake_engine import NEW, FakeEngine, fake_engine

from archive_pipeline.deployment import Deployment
from archive_pipeline.errors import ArchiveError, LaunchRefused
from archive_pipeline.launcher import HardenedRunLauncher

FOLDER = str(Path(__file__).parents[2] / "docker")
DEPLOYMENT = Deployment(
    project="archive", image="a:1", uploads="/srv/u", ground_truth="/srv/g", run_memory="2g", run_cpus=1.5
)
GOOD = ModuleCodePointer("archive_pipeline.definitions", "defs", FOLDER)


def record(
    pointer: CodePointer = GOOD,
    location: str = "documents",
    image: str | None = None,
    flags: dict[str, Any] | None = None,
    **more: Any,
) -> DagsterRun:
    """A run as Dagster has it in its database."""
    server = GrpcServerCodeLocationOrigin("documents", 4000, location_name=location)
    repository = RepositoryPythonOrigin("python", pointer, image, DEFAULT_DAGSTER_ENTRY_POINT, flags)
    return DagsterRun(
        job_name="documents_job",
        run_id="12345678-1234-4234-8234-123456789abc",
        remote_job_origin=RemoteJobOrigin(RemoteRepositoryOrigin(server, "__repository__"), "documents_job"),
        job_code_origin=JobPythonOrigin("documents_job", repository),
        **more,
    )


class Instance:
    """What the launcher and the monitor ask of Dagster's instance."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}
        self.said: list[str] = []
        self.run = record()
        self.run_launcher: HardenedRunLauncher

    def get_ref(self) -> None:
        return None

    def report_engine_event(self, message: str, *_: Any, **__: Any) -> None:
        self.said.append(message)

    def add_run_tags(self, run_id: str, tags: dict[str, str]) -> None:
        self.tags |= tags

    def get_run_by_id(self, run_id: str) -> DagsterRun:
        return self.run

    def get_run_record_by_id(self, run_id: str) -> SimpleNamespace:
        return SimpleNamespace(dagster_run=self.run)

    def report_run_canceling(self, run: DagsterRun, message: str = "") -> None:
        self.said.append(message)

    def report_run_failed(self, run: DagsterRun, message: str = "") -> None:
        self.said.append(message)
        self.run = self.run.with_status(DagsterRunStatus.FAILURE)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    with tempfile.TemporaryDirectory() as name, fake_engine(Path(name, "engine")) as fake:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{fake.at}")
        yield fake


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[Instance]:
    # Dagster leaves them to the garbage collector, where an open socket is a warning.
    clients = []

    def client() -> docker.DockerClient:
        clients.append(from_env())
        return clients[-1]

    from_env = docker.client.from_env
    monkeypatch.setattr(docker.client, "from_env", client)
    instance = Instance()
    instance.run_launcher = HardenedRunLauncher(FOLDER, DEPLOYMENT)
    instance.run_launcher.register_instance(instance)  # type: ignore[arg-type]
    yield instance
    for opened in clients:
        opened.close()


def launch(instance: Instance, run: DagsterRun) -> None:
    instance.run_launcher.launch_run(LaunchRunContext(run, workspace=None))


def test_a_run_is_launched_as_its_profile_says(engine: FakeEngine, instance: Instance) -> None:
    launch(instance, record())
    (made,) = [json.loads(body) for _, path, body in engine.asked if path.endswith("/create")]
    profile = instance.run_launcher._profiles["documents"]
    assert made == profile.body(run_id=record().run_id, job="documents_job", arguments=made["Cmd"][-1])
    assert engine.calls()[-1].endswith(f"/containers/{NEW}/start")
    assert instance.tags["docker/container_id"] == NEW
    assert "dagster/max_retries" not in instance.tags


FORGED = {
    "flags": record(flags={"docker": {"container_kwargs": {"privileged": True}}}),
    "image": record(image="b:1"),
    "location": record(location="host"),
    "a file": record(FileCodePointer("/data/store/evil.py", "defs", FOLDER)),
    "a file that is called as the module": record(FileCodePointer(GOOD.module, "defs", FOLDER)),
    "a package": record(PackageCodePointer(GOOD.module, "defs", FOLDER)),
    "another module": record(ModuleCodePointer("os", "defs", FOLDER)),
    "the other module": record(ModuleCodePointer("archive_pipeline.models_definitions", "defs", FOLDER)),
    "another attribute": record(ModuleCodePointer(GOOD.module, "build", FOLDER)),
    "another folder": record(ModuleCodePointer(GOOD.module, "defs", "/data/store")),
    "no folder": record(ModuleCodePointer(GOOD.module, "defs", None)),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_record_that_asks_for_something_else_starts_nothing(
    engine: FakeEngine, instance: Instance, kind: str
) -> None:
    with pytest.raises(LaunchRefused, match="the run's record"):
        launch(instance, FORGED[kind])
    assert engine.asked == []
    assert instance.tags == {"dagster/max_retries": "0"}


REFUSALS = {
    ("create", 404, "No such image: a:1"): (ArchiveError, "the image a:1 is not on this host", "make image"),
    ("create", 403, "the gate refuses: 16 run containers are there"): (LaunchRefused, "16 run", "SECURITY.md"),
    ("create", 400, "range of CPUs is from 0.01 to 2.00, \x1b"): (ArchiveError, "range of CPUs", "ARCHIVE_RUN_CPUS"),
    ("start", 400, "invalid mount config: bind source path does not exist: /srv/u"): (
        ArchiveError,
        "does not exist: /srv/u",
        "ARCHIVE_UPLOADS or ARCHIVE_GROUND_TRUTH",
    ),
    ("start", 404, "network archive_runs-documents not found"): (ArchiveError, "not found", "make up, which"),
    ("start", 500, "something else"): (ArchiveError, "something else", "logs gate-launch"),
    ("version", 502, "the engine does not answer"): (ArchiveError, "does not answer", "logs gate-launch"),
}


@pytest.mark.parametrize(("refusal", "told"), REFUSALS.items(), ids=[key[2][:30].strip() for key in REFUSALS])
def test_what_the_engine_does_not_do_is_one_sentence_with_a_remedy(
    engine: FakeEngine, instance: Instance, refusal: tuple[str, int, str], told: tuple[type[ArchiveError], str, str]
) -> None:
    step, status, message = refusal
    kind, what, remedy = told
    engine.refuses[step] = (status, message)
    with pytest.raises(kind) as refused:
        launch(instance, record())
    assert type(refused.value) is kind
    assert what in refused.value.what
    assert remedy in refused.value.remedy
    assert instance.tags["dagster/max_retries"] == "0"
    assert str(refused.value).isprintable()


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # docker-py leaves a socket open that leads nowhere
def test_a_gate_that_is_down_is_said_to_be(instance: Instance, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/gone")
    with pytest.raises(ArchiveError, match="the launch gate does not answer") as refused:
        launch(instance, record())
    assert "make up" in refused.value.remedy
    del refused
    gc.collect()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        ({"OOMKilled": True, "ExitCode": 137}, "ran out of its 2g of memory"),
        ({"ExitCode": 137}, "killed from outside (SIGKILL)"),
        ({"ExitCode": 143}, "ended with status 143"),
        ({"Status": "created", "ExitCode": 0, "Error": "no such folder"}, "could not be started: no such folder"),
        (None, "is gone"),
    ],
)
def test_how_a_container_ended_is_told_in_words(
    engine: FakeEngine, instance: Instance, state: dict[str, Any] | None, told: str
) -> None:
    run = record(tags={"docker/container_id": NEW})
    if state is not None:
        engine.add(NEW, **{"Status": "exited", **state})
    assert instance.run_launcher.check_run_worker_health(run).status == WorkerStatus.FAILED
    assert told in str(instance.run_launcher.get_run_worker_debug_info(run))


def test_of_a_container_that_runs_nothing_is_told(engine: FakeEngine, instance: Instance) -> None:
    engine.add(NEW)
    run = record(tags={"docker/container_id": NEW})
    assert instance.run_launcher.check_run_worker_health(run).status == WorkerStatus.RUNNING
    assert instance.run_launcher.get_run_worker_debug_info(run) is None


def test_a_run_over_its_time_limit_is_stopped_with_time_to_finish_and_said_to_be(
    engine: FakeEngine, instance: Instance
) -> None:
    engine.add(NEW)
    instance.run = record(
        status=DagsterRunStatus.STARTED, tags={"docker/container_id": NEW, "dagster/max_runtime": "5"}
    )
    over = SimpleNamespace(dagster_run=instance.run, start_time=1.0)
    check_run_timeout(instance, over, dg.get_dagster_logger(), 0)  # type: ignore[arg-type]
    assert instance.said[-1] == "Exceeded maximum runtime of 5 seconds."
    assert engine.calls() == [f"POST /v1.41/containers/{NEW}/stop?t=45"]
