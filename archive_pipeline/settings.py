"""Every environment variable of the product, declared once: name, parser, default, help.

Read in ``definitions`` and ``cli`` only (:func:`read_settings`), and passed on as values. A variable that is set
but empty counts as unset. ``docs/settings.md`` is held against this file by a test.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from archive_pipeline.errors import UsageError


def _server(text: str) -> str:
    """Raises ValueError where no connection could be made to it, which no page should have to find out."""
    # Without a user or a password, which would stand in results and logs.
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", text):
        raise ValueError("it must begin with http:// or https://, and have no user, password, ? or #")
    try:
        parts = urlsplit(text)
        port, name = parts.port, (parts.hostname or "").encode("idna")
    except ValueError as error:
        raise ValueError(f"it is no address of a server: {error}") from None
    if not name or port == 0:
        raise ValueError("it is no address of a server")
    return text


def _timezone(name: str) -> str:
    """Raises ValueError where there is no such time zone."""
    if name not in available_timezones():
        raise ValueError("there is no such time zone; give a name such as Europe/Paris")
    return name


_FOLDERS = ("uploads_dir", "store_dir", "dagster_home", "models_dir", "training_dir", "ground_truth_dir")

ServerAddress = Annotated[str, AfterValidator(_server)]
"""Where a server's interface begins, such as ``http://surya:8000/v1``."""


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
        description="Where scans are dropped. Never written, but for notes beside what is refused.",
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
    training_dir: Path = Field(
        Path("training"),
        validation_alias="TRAINING_DIR",
        description="Ground truth that was taken in, the pages that models are judged by, and trainings under way.",
    )
    ground_truth_dir: Path = Field(
        Path("ground-truth"),
        validation_alias="GROUND_TRUTH_DIR",
        description="Where ground truth is dropped, a folder or a ZIP for each set. Never written, but for notes "
        "beside what is refused.",
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
    surya_url: ServerAddress | None = Field(
        None,
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

    results_url: ServerAddress | None = Field(
        None,
        validation_alias="ARCHIVE_RESULTS_URL",
        description="Web address of `archive-pipeline results`, for the links in Dagster's UI.",
    )
    quiet_seconds: float = Field(
        30.0,
        ge=0,
        validation_alias="ARCHIVE_QUIET_SECONDS",
        description="An upload, or ground truth, is taken when it has not changed for so many seconds.",
    )
    batch: int = Field(
        10,
        ge=1,
        le=1000,
        validation_alias="ARCHIVE_BATCH",
        description="Most documents of one run that starts by itself.",
    )
    duplicates: Literal["refuse", "make"] = Field(
        "refuse",
        validation_alias="ARCHIVE_DUPLICATES",
        description="An upload that has the bytes of another document: `refuse` it and say which, or `make` it, too.",
    )
    refused_notes: bool = Field(
        True,
        validation_alias="ARCHIVE_REFUSED_NOTES",
        description="Leave `NAME.refused.txt` beside an upload or ground truth that is refused, with the reason.",
    )
    night: str = Field(
        "22:00",
        pattern=r"^(off|([01][0-9]|2[0-3]):[0-5][0-9])$",
        validation_alias="ARCHIVE_NIGHT",
        description="When the night begins, which does what is missing or stale; `off` for none. See nights.md.",
    )
    night_end: str = Field(
        "06:00",
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        validation_alias="ARCHIVE_NIGHT_END",
        description="When the night ends: no further document is begun.",
    )
    timezone: Annotated[str, AfterValidator(_timezone)] | None = Field(
        None,
        validation_alias="ARCHIVE_TIMEZONE",
        description="Time zone of the two, such as `Europe/Paris`; by default that of the machine, in containers UTC.",
    )

    training_base: str = Field(
        "ppocr-v6-latin",
        validation_alias="ARCHIVE_TRAINING_BASE",
        description="Id of the recognition model that trainings begin with.",
    )
    training_minutes: float = Field(
        60.0,
        gt=0,
        allow_inf_nan=False,
        validation_alias="ARCHIVE_TRAINING_MINUTES",
        description="The batches of a training end within these.",
    )
    training_memory_mb: int | None = Field(
        None,
        ge=1024,
        validation_alias="ARCHIVE_TRAINING_MEMORY_MB",
        description="Memory of a training, in MB; beyond it the training ends and can go on from its checkpoint. "
        "By default nine tenths of what its container may take, or 6144 where that has no limit.",
    )
    guarded_sets: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias="ARCHIVE_GUARDED_SETS",
        description="Names of sets of ground truth that no new model may read worse, such as `letters,minutes`.",
    )
    promotion_margin: float = Field(
        0.3,
        ge=0,
        validation_alias="ARCHIVE_PROMOTION_MARGIN",
        description="Points of CER that a new model for a hand may lose on a guarded set, with 95 % confidence.",
    )
    keep_days: int = Field(
        90,
        ge=1,
        validation_alias="ARCHIVE_KEEP_DAYS",
        description="Days for which finished runs and their logs are kept; a run that shows how a document is stays.",
    )
    verify_nights: int = Field(
        7,
        ge=1,
        validation_alias="ARCHIVE_VERIFY_NIGHTS",
        description="In so many nights everything stored is verified once.",
    )
    verify_source_days: int = Field(
        28,
        ge=0,
        validation_alias="ARCHIVE_VERIFY_SOURCE_DAYS",
        description="A scan is read again and compared after so many days; `0` for never.",
    )

    @field_validator("formats", "spelling", "guarded_sets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_names(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _place_folders(self) -> Self:
        base = Path.cwd() / self.home
        values: dict[str, Any] = {"home": base}
        for name in _FOLDERS:
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
            f"{variable} cannot be {first['input']!r}: {first['msg'].removeprefix('Value error, ')}",
            remedy="Correct the variable or leave it out.",
        ) from None
