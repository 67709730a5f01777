"""The archive as Dagster's assets see it: a thin adapter over ``archive_pipeline.processing``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg

from archive_pipeline.checks.findings import Examinations
from archive_pipeline.document_states import DocumentStates
from archive_pipeline.keeping.rounds import Rounds
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.choice import decide, said_by_options, wishes_of_run
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.results import LogProgress
from archive_pipeline.report.places import Places
from archive_pipeline.settings import Settings
from archive_pipeline.spelling.lists import find_lists
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import UploadRegister
from archive_pipeline.uploads.watch import Rules, Watcher

_WISHES = {
    "engine": "engine",
    "segmentation_model": "segmentation_model",
    "recognition_model": "model",
    "language": "language",
    "direction": "direction",
}
"""Options of a run that say how documents are read, by the names that an ``archive.yaml`` has for them."""


_NO_MATTER = frozenset({"duplicates", "pages", "reuse"})
"""Options of a run on which the results of a whole document do not depend."""


class ArchiveResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where the archive lies and how documents are processed.

    The fields are the settings of the same names; see ``docs/settings.md``.
    """

    store_dir: str
    uploads_dir: str
    engine: str | None
    segmentation_model: str | None
    recognition_model: str | None
    models_dir: str
    training_dir: str
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
    spelling: list[str] | None
    formats: list[str] | None
    base_url: str
    alto_version: str
    results_url: str | None
    quiet_seconds: float
    batch: int
    refused_notes: bool
    keep_days: int
    verify_nights: int
    verify_source_days: int
    duplicates: str

    @classmethod
    def from_settings(cls, settings: Settings) -> ArchiveResource:
        values: dict[str, Any] = {name: value for name, value in settings if name in cls.model_fields}
        values |= {name: str(value) for name, value in values.items() if isinstance(value, Path)}
        values |= {name: list(value) for name, value in values.items() if isinstance(value, tuple)}
        return cls(**values)

    @property
    def store(self) -> Store:
        return Store(Path(self.store_dir))

    def link(self, key: str, path: str) -> str | None:
        """Web address of an export, for the UI; None where no server of results is known."""
        return f"{self.results_url.rstrip('/')}/{key}/{path}" if self.results_url else None

    @property
    def register(self) -> UploadRegister:
        return UploadRegister(Path(self.store_dir))

    @property
    def examinations(self) -> Examinations:
        return Examinations(Path(self.store_dir))

    @property
    def places(self) -> Places:
        return Places(Path(self.store_dir) / "documents", self.results_url)

    @property
    def states(self) -> DocumentStates:
        return DocumentStates(Path(self.store_dir))

    def watcher(self) -> Watcher:
        """What looks at the upload folder."""
        rules = Rules(
            quiet=self.quiet_seconds,
            batch=self.batch,
            max_file_mb=self.max_file_mb,
            max_pages=self.max_pages,
            notes=self.refused_notes,
        )
        return Watcher(Path(self.uploads_dir), self.store, self.register, rules)

    @property
    def uploads(self) -> Path:
        return Path(self.uploads_dir)

    @property
    def rounds(self) -> Rounds:
        """How often what is stored is verified."""
        return Rounds(
            nights=self.verify_nights,
            source_days=self.verify_source_days,
            max_file_mb=self.max_file_mb,
            max_pages=self.max_pages,
        )

    def path_of(self, record: dict[str, str]) -> Path:
        """Where the source of a registered document is."""
        return Path(record["origin"])

    def processor(self, changes: dict[str, object] | None = None, *, patience: float = 0) -> Processor:
        """A processor with this archive's options.

        Args:
            changes: Options that are other for this run.
            patience: Seconds to wait for another writer of a document.
        """
        return Processor(self.store, self.options(changes), LogProgress(), patience=patience)

    def check(self, changes: dict[str, object]) -> None:
        """Make sure that the engine, models, language and word lists of a run are some, and the models whole.

        Raises:
            UsageError, ModelError: They are not.
        """
        checked = {
            name: value for name, value in changes.items() if name in {*_WISHES, "spelling"} and value is not None
        }
        options = self.options(checked)
        served = options.surya_url is not None
        decision = decide(said_by_options(options), ModelLibrary(options.models_dir), served=served)
        decision.segmentation.verify()
        decision.recognition.verify()
        find_lists(options.spelling or ())

    def options(self, changes: dict[str, object] | None = None) -> ProcessingOptions:
        """The options of a run.

        Raises:
            UsageError: A change cannot be.
        """
        names = ProcessingOptions.__dataclass_fields__.keys() & type(self).model_fields.keys()
        values = {name: getattr(self, name) for name in names}
        values |= {"models_dir": Path(self.models_dir), "uploads_dir": Path(self.uploads_dir)}
        others = dict(changes or {})
        # Kept apart from the settings of the same names: a document's own files come between the two.
        asked = wishes_of_run(**{wish: others.pop(name, None) for name, wish in _WISHES.items()})
        own = any((value or None) != values.get(name) for name, value in others.items() if name not in _NO_MATTER)
        return replace(ProcessingOptions(**values), asked=asked, own=own, **others)  # type: ignore[arg-type]
