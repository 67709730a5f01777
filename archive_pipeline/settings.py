"""Every environment variable of the product, declared once: name, parser, default, help.

Read in ``definitions`` and ``cli`` only (:func:`read_settings`), and passed on as values. A variable that is set
but empty counts as unset. ``docs/settings.md`` is held against this file by a test.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from archive_pipeline.errors import UsageError

_SERVER = r"^https?://[^\s/?#@]+(/[^\s?#]*)?$"
"""An address without a user or a password, which would stand in results and logs."""


def split_names(text: str) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def usable_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Settings(BaseSettings):
    """The settings of one installation. Folders are absolute after reading; none is made from ``~``."""

    # Not populate_by_name: with it, a field `home` would be read from $HOME.
    model_config = SettingsConfigDict(env_ignore_empty=True, case_sensitive=True, frozen=True, extra="ignore")

    home: Path = Field(
        Path("archive-data"),
        validation_alias="ARCHIVE_HOME",
        description="Folder that holds all others which are not set themselves.",
    )
    uploads_dir: Path = Field(
        Path("uploads"),
        validation_alias="UPLOADS_DIR",
        description="Where scans are dropped. Read only, never written.",
    )
    store_dir: Path = Field(
        Path("store"), validation_alias="ARCHIVE_STORE", description="Page images, results, corrections and exports."
    )
    dagster_home: Path = Field(
        Path("dagster"), validation_alias="DAGSTER_HOME", description="Dagster's instance: runs, events, schedules."
    )
    models_dir: Path = Field(
        Path("models"), validation_alias="MODELS_DIR", description="The model store; the bundled models need none."
    )
    offline: bool = Field(
        False,
        validation_alias="ARCHIVE_OFFLINE",
        description="Never touch the network for a model: what is not here is said, not fetched.",
    )
    model_repo_url: str = Field(
        "https://zenodo.org/api/",
        pattern=r"^https?://[^\s?#]+$",
        validation_alias="MODEL_REPO_URL",
        description="Zenodo's REST interface, or that of a mirror.",
    )
    model_repo_oai_url: str = Field(
        "https://zenodo.org/oai2d",
        pattern=r"^https?://[^\s?#]+$",
        validation_alias="MODEL_REPO_OAI_URL",
        description="Zenodo's OAI-PMH interface, or that of a mirror, for `models search`.",
    )
    hub_url: str = Field(
        "https://huggingface.co",
        pattern=r"^https?://[^\s?#]+$",
        validation_alias="HF_ENDPOINT",
        description="The Hugging Face Hub, or a mirror.",
    )

    engine: Literal["ppocr", "kraken", "surya"] | None = Field(
        None,
        validation_alias="ARCHIVE_ENGINE",
        description="How lines are found: `ppocr` for print and typescript, `kraken` for handwriting and curved lines, "
        "`surya` for difficult layouts; by default that of the segmentation model, or `ppocr`.",
    )
    segmentation_model: str | None = Field(
        None,
        validation_alias="ARCHIVE_SEGMENTATION_MODEL",
        description="Id of the segmentation model; by default the engine's bundled one.",
    )
    recognition_model: str | None = Field(
        None,
        validation_alias="ARCHIVE_RECOGNITION_MODEL",
        description="Id of the recognition model; by default `ppocr-v6-latin`, for `surya` `surya-ocr-2`.",
    )
    surya_url: str | None = Field(
        None,
        pattern=_SERVER,
        validation_alias="SURYA_INFERENCE_URL",
        description="OpenAI-compatible server with surya's model, such as `http://surya:8000/v1`; see surya.md.",
    )
    surya_timeout: float = Field(
        240.0,
        gt=0,
        validation_alias="SURYA_INFERENCE_TIMEOUT_SECONDS",
        description="Time limit for one question to that server, in seconds; never more than is left of "
        "`ARCHIVE_PAGE_TIMEOUT`.",
    )
    dpi: int = Field(
        300,
        ge=72,
        le=1200,
        validation_alias="ARCHIVE_DPI",
        description="Resolution for PDF pages that are not one full-page image, in dots per inch.",
    )
    born_digital: Literal["keep", "redo"] = Field(
        "keep",
        validation_alias="ARCHIVE_BORN_DIGITAL",
        description="Pages of a PDF with real text: `keep` that text, or `redo` it by recognition.",
    )
    max_pixels: int = Field(
        200_000_000,
        ge=1_000_000,
        validation_alias="ARCHIVE_MAX_PIXELS",
        description="Largest page image, in pixels; a larger one is refused before it is decoded.",
    )
    max_pages: int = Field(
        20_000, ge=1, validation_alias="ARCHIVE_MAX_PAGES", description="Most pages of a document; more are refused."
    )
    max_file_mb: int = Field(
        8_192, ge=1, validation_alias="ARCHIVE_MAX_FILE_MB", description="Largest uploaded file, in megabytes."
    )
    workers: int = Field(
        default_factory=usable_cpus,
        ge=1,
        le=256,
        validation_alias="ARCHIVE_WORKERS",
        description="Page worker processes; each uses one thread. By default one for each usable CPU.",
    )
    page_timeout: float = Field(
        300.0, gt=0, validation_alias="ARCHIVE_PAGE_TIMEOUT", description="Time limit for one page, in seconds."
    )
    worker_memory_mb: int = Field(
        6_144,
        ge=512,
        validation_alias="ARCHIVE_WORKER_MEMORY_MB",
        description="Most memory that a page worker may allocate, in megabytes.",
    )
    on_page_error: Literal["skip", "fail"] = Field(
        "skip",
        validation_alias="ARCHIVE_ON_PAGE_ERROR",
        description="A page that cannot be read: `skip` it and say so, or `fail` the document at once.",
    )
    max_failed_pages: float = Field(
        0.1,
        ge=0,
        le=1,
        validation_alias="ARCHIVE_MAX_FAILED_PAGES",
        description="Largest share of failed pages with which a document still counts as done.",
    )

    spelling: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        validation_alias="ARCHIVE_SPELLING",
        description="Languages, such as `fr` or `de-1901,fr`, whose word lists propose other spellings of doubtful "
        "words; by default none.",
    )
    formats: Annotated[tuple[str, ...] | None, NoDecode] = Field(
        None,
        validation_alias="ARCHIVE_FORMATS",
        description="Exports to make, such as `pdf,alto,tei`; by default those that usage.md marks.",
    )
    base_url: str = Field(
        "http://localhost",
        pattern=r"^https?://[^\s?#]+$",
        validation_alias="ARCHIVE_BASE_URL",
        description="Web address of the folder that holds the exports of all documents, for IIIF.",
    )
    alto_version: Literal["4.2", "4.4"] = Field(
        "4.2", validation_alias="ARCHIVE_ALTO_VERSION", description="Version of ALTO: `4.2` or `4.4`."
    )

    @field_validator("formats", "spelling", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_names(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _place_folders(self) -> Self:
        base = Path.cwd() / self.home
        values: dict[str, Any] = {"home": base}
        for name in ("uploads_dir", "store_dir", "dagster_home", "models_dir"):
            folder: Path = getattr(self, name)
            # A default is a name below the home folder; a path that somebody set is relative to where they stand.
            values[name] = Path.cwd() / folder if name in self.model_fields_set else base / folder
        for name, value in values.items():
            object.__setattr__(self, name, value)
        return self


def read_settings(**given: Any) -> Settings:
    """Read the environment; ``given`` values (command line options that are not None) win.

    Raises:
        UsageError: A value cannot be used; names the variable, the value and what is expected.
    """
    variables = {name: str(field.validation_alias) for name, field in Settings.model_fields.items()}
    try:
        return Settings(**{variables[name]: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        variable = str(first["loc"][0]) if first["loc"] else "a setting"
        raise UsageError(
            f"{variable} cannot be {first['input']!r}: {first['msg']}", remedy="Correct the variable or leave it out."
        ) from None


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
    surya_url: str | None = Field(
        None,
        validation_alias="SURYA_INFERENCE_URL",
        pattern=_SERVER,
        description="Server with surya's model, for runs of `documents`: [surya.md](surya.md).",
    )

    @property
    def run_memory_bytes(self) -> int:
        return _bytes(self.run_memory)

    @field_validator("surya_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return value or None

    @field_validator("uploads")
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
