"""The launch profiles: everything that a run container may be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from archive_pipeline.containers.baseline import Baseline
from archive_pipeline.deployment import Deployment
from archive_pipeline.errors import LaunchRefused

ROLE, PROJECT, LOCATION = "archive.role", "archive.project", "archive.location"
RUN_ID, JOB = "dagster/run_id", "dagster/job_name"
"""Labels of a run container. The last two are Dagster's own."""

_RUN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JOB = re.compile(r"[A-Za-z0-9_]{1,255}")
_EXECUTE = ["dagster", "api", "execute_run"]
_NO_ARGUMENT = re.compile("[\0\ud800-\udfff]")
_MAX_ARGUMENT = 120_000  # the kernel takes 131,072


class _Mount(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    volume: str | None = None
    folder: Literal["uploads", "ground_truth"] | None = None
    target: str
    read_only: bool = False

    @model_validator(mode="after")
    def _one_source(self) -> _Mount:
        if (self.volume is None) is (self.folder is None):
            raise ValueError("a mount is of a volume or of a folder of the host")
        return self

    def body(self, deployment: Deployment) -> dict[str, Any]:
        # Mounts, not Binds: of a bind whose source is missing the engine makes a folder that belongs to root.
        if self.folder is not None:
            source = {"Type": "bind", "Source": getattr(deployment, self.folder)}
        else:
            source = {"Type": "volume", "Source": f"{deployment.project}_{self.volume}"}
        return {**source, "Target": self.target, "ReadOnly": self.read_only}


class _Launch(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    module: str
    network: str
    addresses: bool = False
    cpu_shares: int = Field(1024, ge=2, le=262_144)
    volumes: list[_Mount]


@dataclass(frozen=True)
class Profile:
    """What the run containers of one code location are.

    Attributes:
        location: Name of the code location.
        module: Module that its code server loads.
        addresses: Whether its runs are told where surya's server and the results are.
        cpu_shares: Weight of its runs where all want the same CPU.
    """

    location: str
    module: str
    network: str
    baseline: Baseline
    deployment: Deployment
    mounts: tuple[dict[str, Any], ...]
    addresses: bool = False
    cpu_shares: int = 1024

    def body(self, *, run_id: str, job: str, arguments: str) -> dict[str, Any]:
        """The body of the engine's create call for one run.

        Args:
            run_id: Dagster's id of the run.
            job: Name of the job.
            arguments: The one argument of ``dagster api execute_run``.

        Raises:
            LaunchRefused: One of them cannot be one.
        """
        if not _RUN.fullmatch(run_id) or not _JOB.fullmatch(job):
            raise LaunchRefused("the run's id or job has a name that Dagster does not give")
        # A lone surrogate has no bytes, and no program can be given a NUL.
        size = len(arguments.encode(errors="surrogatepass"))
        if not arguments.startswith("{") or _NO_ARGUMENT.search(arguments) or size > _MAX_ARGUMENT:
            raise LaunchRefused("the arguments of the run are no JSON object, or too long")
        return self.body_of([*_EXECUTE, arguments], run_id, job)

    def body_of(self, command: list[str], run_id: str, job: str) -> dict[str, Any]:
        """The same with any command; the gates let only :meth:`body` through."""
        memory = self.deployment.run_memory_bytes
        return {
            "Image": self.deployment.image,
            "Cmd": command,
            "Env": [
                f"ARCHIVE_WORKERS={max(1, int(self.deployment.run_cpus))}",
                f"DAGSTER_RUN_JOB_NAME={job}",
                # Its warnings name the image in the commands that they tell.
                f"ARCHIVE_IMAGE={self.deployment.image}",
                *self._addresses(),
            ],
            "Labels": {
                ROLE: "run",
                PROJECT: self.deployment.project,
                LOCATION: self.location,
                RUN_ID: run_id,
                JOB: job,
            },
            **self.baseline.container(),
            "HostConfig": {
                **self.baseline.host_config(),
                "Memory": memory,
                "MemorySwap": memory,
                "NanoCpus": round(self.deployment.run_cpus * 1e9),
                "CpuShares": self.cpu_shares,
                "NetworkMode": f"{self.deployment.project}_{self.network}",
                "Mounts": list(self.mounts),
            },
        }

    def _addresses(self) -> list[str]:
        addresses = {
            "SURYA_INFERENCE_URL": self.deployment.surya_url,
            "ARCHIVE_RESULTS_URL": self.deployment.results_url,
        }
        return [f"{name}={url}" for name, url in addresses.items() if self.addresses and url]


def read_profiles(folder: Path, deployment: Deployment) -> Mapping[str, Profile]:
    """The profiles of an installation, by code location.

    Args:
        folder: Holds ``hardening.yaml`` and ``launch.yaml``.
    """
    baseline = Baseline.read(folder)
    found = {}
    for location, given in yaml.safe_load((folder / "launch.yaml").read_text(encoding="utf-8")).items():
        launch = _Launch.model_validate(given)
        mounts = tuple(mount.body(deployment) for mount in launch.volumes)
        found[location] = Profile(
            location, launch.module, launch.network, baseline, deployment, mounts, launch.addresses, launch.cpu_shares
        )
    return found
