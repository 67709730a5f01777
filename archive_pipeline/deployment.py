"""What an installation in containers is made of: the variables that the launcher and the gates are given."""

from __future__ import annotations

import os
from pathlib import PurePosixPath

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from archive_pipeline.errors import UsageError
from archive_pipeline.settings import ServerAddress


class Deployment(BaseModel):
    """What an installation in containers is called and made of; the launcher and the gates must be given the same."""

    # No BaseSettings: the launcher gives the values, and the environment must not go before them.
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    project: str = Field(
        validation_alias="ARCHIVE_PROJECT",
        pattern=r"^[a-z0-9][a-z0-9_-]*$",
        description="Name of the installation; the names of its volumes and networks begin with it.",
    )
    image: str = Field(
        validation_alias="ARCHIVE_IMAGE", min_length=1, description="Image of all services and run containers."
    )
    uploads: str = Field(
        validation_alias="ARCHIVE_UPLOADS",
        pattern=r"^/",
        description="Folder of the host that scans are dropped into, readable by uid 1000; "
        "an absolute path, without `..` or `:`, and not `/`.",
    )
    ground_truth: str = Field(
        validation_alias="ARCHIVE_GROUND_TRUTH",
        pattern=r"^/",
        description="Folder of the host that ground truth is dropped into, likewise.",
    )
    run_memory: str = Field(
        validation_alias="ARCHIVE_RUN_MEMORY",
        pattern=r"^[0-9]{1,8}[mg]$",
        description="Most memory of one run container, such as `6g` or `3000m`, from `1g` to `16384g`; "
        "no swap beyond it.",
    )
    run_cpus: float = Field(
        validation_alias="ARCHIVE_RUN_CPUS",
        # Less than the engine counts in would be no limit at all to it.
        ge=0.1,
        le=1024,
        allow_inf_nan=False,
        description="CPUs of one run container, from 0.1 to 1024; it has as many page workers.",
    )
    surya_url: ServerAddress | None = Field(
        None,
        validation_alias="SURYA_INFERENCE_URL",
        description="Server with surya's model, for runs of `documents`: [surya.md](surya.md).",
    )

    results_url: ServerAddress | None = Field(
        None,
        validation_alias="ARCHIVE_RESULTS_URL",
        description="Web address of the results, for the links that runs of `documents` leave in the UI.",
    )

    @property
    def run_memory_bytes(self) -> int:
        return _bytes(self.run_memory)

    @field_validator("surya_url", "results_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @field_validator("uploads", "ground_truth")
    @classmethod
    def _one_folder(cls, value: str) -> str:
        # It is mounted: the root would be the whole host, and a colon or a way up another folder than it reads as.
        path = PurePosixPath(value)
        if len(path.parts) < 2 or ".." in path.parts or ":" in value or not value.isprintable():
            raise ValueError("it must be a folder below /, without .., : and control characters")
        return value

    @field_validator("run_memory")
    @classmethod
    def _enough_memory(cls, value: str) -> str:
        # To the engine 0 is no limit. A run with two page workers takes 0.9 GB.
        if not 1 << 30 <= _bytes(value) <= 1 << 44:
            raise ValueError("it must be from 1g to 16384g")
        return value


def _bytes(size: str) -> int:
    return int(size[:-1]) << {"m": 20, "g": 30}[size[-1]]


def read_deployment() -> Deployment:
    """Read what an installation in containers is made of.

    Raises:
        UsageError: A value is missing or cannot be used; names the variable.
    """
    try:
        variables = [str(field.validation_alias) for field in Deployment.model_fields.values()]
        return Deployment.model_validate({name: os.environ[name] for name in variables if os.environ.get(name)})
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"{first['loc'][0]} cannot be used: {first['msg'].removeprefix('Value error, ')}",
            remedy="Start it with make up, or see DEPLOYMENT.md.",
        ) from None
