"""Dagster's Docker launcher, which launches nothing but our two profiles.

The daemon reads the image and the flags of a run container back from the record of the run, so whoever can write the
database could choose both. This launcher takes neither: the run's code location chooses one of two fixed profiles. A
record that names another image, flags or code is refused, so that somebody sees it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import dagster as dg
import docker.errors
import requests
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, ResumeRunContext, WorkerStatus
from dagster._core.origin import JobPythonOrigin
from dagster._core.storage.dagster_run import DagsterRun
from dagster._core.storage.tags import DOCKER_IMAGE_TAG, MAX_RETRIES_TAG
from dagster._serdes.config_class import ConfigurableClassData
from dagster_docker import DockerRunLauncher
from dagster_docker.container_context import DockerContainerContext
from dagster_docker.docker_run_launcher import DOCKER_CONTAINER_ID_TAG

from archive_pipeline.containers.profiles import Profile, read_profiles
from archive_pipeline.deployment import Deployment
from archive_pipeline.errors import ArchiveError, LaunchRefused, printable

_DEFINITIONS = "defs"
"""What the modules of both code locations call their definitions."""
_GATE = "the gate refuses"
_REMEDIES = {
    "bind source path does not exist": "Make the folder again, or correct ARCHIVE_UPLOADS or ARCHIVE_GROUND_TRUTH "
    "and make up; then start the run again.",
    "range of CPUs": "Lower ARCHIVE_RUN_CPUS to what this host has, then make up, and start the run again.",
    "network ": "Run make up, which makes the networks, then start the run again.",
}
"""What to do about what the engine says, by a part of it."""
_LOGS = "See docker compose logs gate-launch, run make up, then start the run again."
_FIELDS = (
    "folder",
    "project",
    "image",
    "uploads",
    "ground_truth",
    "run_memory",
    "run_cpus",
    "surya_url",
    "results_url",
)


@contextmanager
def _told(image: str) -> Iterator[None]:
    """Tell in a sentence what the engine, or the gate before it, does not do."""
    try:
        yield
    except docker.errors.ImageNotFound:
        # No pull: what is not on this host was not built or checked by its operator.
        raise ArchiveError(
            f"the image {image} is not on this host", remedy="Build it with make image, or load it."
        ) from None
    except docker.errors.APIError as error:
        said = printable(error.explanation or error)
        if _GATE in said:
            raise LaunchRefused(said.rstrip(".")) from None
        remedy = next((remedy for part, remedy in _REMEDIES.items() if part in said), _LOGS)
        raise ArchiveError(f"the run's container cannot be started: {said.rstrip('.')}", remedy=remedy) from None
    # docker-py lets those of requests through.
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise ArchiveError(f"the launch gate does not answer: {printable(error)}", remedy=_LOGS) from None


class HardenedRunLauncher(DockerRunLauncher):
    """Launches each run as its code location's profile says; see ``docker/launch.yaml``.

    Args:
        folder: Holds ``hardening.yaml`` and ``launch.yaml``.
        deployment: What the installation is called and made of; the gates know the same.
    """

    def __init__(self, folder: str, deployment: Deployment, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(inst_data=inst_data)
        self._folder = folder
        self._profiles = read_profiles(Path(folder), deployment)
        self._deployment = deployment

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return dict.fromkeys(_FIELDS, dg.StringSource)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Self:
        values = dict(config_value)
        return cls(values.pop("folder"), Deployment(**values), inst_data)

    def get_container_context(self, dagster_run: DagsterRun) -> DockerContainerContext:  # noqa: ARG002
        """What the engine is told to stop a container; nothing of the run's record."""
        stop_timeout = next(iter(self._profiles.values())).baseline.stop_seconds
        return DockerContainerContext(container_kwargs={"stop_timeout": stop_timeout})

    def launch_run(self, context: LaunchRunContext) -> None:
        try:
            self._profile_of(context.dagster_run)
            super().launch_run(context)
        except ArchiveError:
            # Somebody has to mend something first: started again by itself, the run would fail in the same words.
            self._instance.add_run_tags(context.dagster_run.run_id, {MAX_RETRIES_TAG: "0"})
            raise

    @property
    def supports_resume_run(self) -> bool:
        return False

    def resume_run(self, context: ResumeRunContext) -> None:  # noqa: ARG002
        raise LaunchRefused("a run is not resumed; what it has done is kept, and a new run goes on from there")

    def _get_docker_image(self, job_code_origin: JobPythonOrigin) -> str:  # noqa: ARG002
        return self._deployment.image

    def _profile_of(self, run: DagsterRun) -> Profile:
        """The profile of a run's code location.

        Raises:
            LaunchRefused: The run's record asks for what no code location of ours asks for.
        """
        origin = run.remote_job_origin
        code = run.job_code_origin
        profile = self._profiles.get(origin.location_name) if origin else None
        if profile is None or code is None:
            raise LaunchRefused("the run's record names no code location of this installation")
        repository = code.repository_origin
        if repository.container_context or repository.container_image not in (None, self._deployment.image):
            raise LaunchRefused(
                "the run's record asks for an image or container flags of its own, which no code location here does"
            )
        pointer = repository.code_pointer
        # Its folder, where the code servers are started, goes before the image's own in the search for modules: another
        # one holds other code. The kind counts, too: to Dagster, pointers of two kinds with equal values are equal.
        expected = ModuleCodePointer(profile.module, _DEFINITIONS, self._folder)
        if type(pointer) is not ModuleCodePointer or pointer != expected:
            raise LaunchRefused(f"the run's record names other code than that of {profile.location}")
        return profile

    def _launch_container_with_command(self, run: DagsterRun, docker_image: str, command: list[str]) -> None:
        profile = self._profile_of(run)
        body = profile.body(run_id=run.run_id, job=run.job_name, arguments=command[-1])
        with _told(docker_image):
            api = self._get_client(self.get_container_context(run)).api
            container = api.create_container_from_config(body)["Id"]
        self._instance.report_engine_event(
            f"Launching the run in container {container[:12]} of profile {profile.location}, image {docker_image}",
            run,
            cls=type(self),
        )
        self._instance.add_run_tags(run.run_id, {DOCKER_CONTAINER_ID_TAG: container, DOCKER_IMAGE_TAG: docker_image})
        with _told(docker_image):
            api.start(container)

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        health = super().check_run_worker_health(run)
        # Dagster's own message is the engine's JSON; the sentence for people comes from below.
        return health if health.status == WorkerStatus.RUNNING else CheckRunHealthResult(WorkerStatus.FAILED)

    def get_run_worker_debug_info(
        self,
        run: DagsterRun,
        include_container_logs: bool | None = True,  # noqa: ARG002 - Dagster's interface
    ) -> str | None:
        """What the UI says of a run whose container is at fault, when Dagster gives it up."""
        container = self._get_container(run)  # type: ignore[no-untyped-call]
        if container is not None and container.status == "running":
            return None
        return self._end_of(container.attrs["State"] if container else None)

    def _end_of(self, state: Mapping[str, Any] | None) -> str:
        """Why a container runs no more, in words."""
        kept = "What was done is kept: start the run again to go on from there."
        if state is None:
            return f"The run's container is gone: it was removed from outside, or never made. {kept}"
        code = state.get("ExitCode")
        if state.get("OOMKilled"):
            limit = self._deployment.run_memory
            return (
                f"The run's container ran out of its {limit} of memory and was killed. {kept} If it happens again, "
                "raise ARCHIVE_RUN_MEMORY, or lower ARCHIVE_RUN_CPUS, which is also the number of page workers."
            )
        if code == 137:
            return f"The run's container was killed from outside (SIGKILL). {kept}"
        if state.get("Status") == "created":
            return f"The run's container was made but could not be started: {state.get('Error') or 'no reason given'}."
        return f"The run's container ended with status {code} before the run did. {kept} Its log: docker logs."
