"""The archive as Dagster's assets see it: a thin adapter over ``archive_pipeline.processing``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.results import LogProgress
from archive_pipeline.settings import Settings
from archive_pipeline.store import Store


class ArchiveResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the archive lies and how documents are processed.

    The fields are the settings of the same names; see ``docs/settings.md``.
    """

    store_dir: str
    uploads_dir: str
    engine: str
    segmentation_model: str | None
    recognition_model: str | None
    models_dir: str
    surya_url: str | None
    surya_timeout: float
    dpi: int
    born_digital: str
    max_pixels: int
    max_pages: int
    max_file_mb: int
    workers: int
    page_timeout: float
    worker_memory_mb: int
    on_page_error: str
    max_failed_pages: float
    formats: list[str] | None
    base_url: str
    alto_version: str

    @classmethod
    def from_settings(cls, settings: Settings) -> ArchiveResource:
        values: dict[str, Any] = {name: value for name, value in settings if name in cls.model_fields}
        values |= {name: str(value) for name, value in values.items() if isinstance(value, Path)}
        values["formats"] = None if settings.formats is None else list(settings.formats)
        return cls(**values)

    @property
    def store(self) -> Store:
        return Store(Path(self.store_dir))

    def path_of(self, record: dict[str, str]) -> Path:
        """Where the source of a registered document is."""
        return Path(record["origin"])

    def processor(self, changes: dict[str, object] | None = None) -> Processor:
        """A processor with this archive's options.

        Args:
            changes: Options that are other for this run.
        """
        names = ProcessingOptions.__dataclass_fields__.keys() & type(self).model_fields.keys()
        values = {name: getattr(self, name) for name in names} | {"models_dir": Path(self.models_dir)}
        options = ProcessingOptions(**values)
        return Processor(self.store, replace(options, **(changes or {})), LogProgress())  # type: ignore[arg-type]
