"""What a run may be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from archive_pipeline.errors import UsageError
from archive_pipeline.exports.formats import choose
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.settings import Settings, usable_cpus

Stage = Literal["page_images", "page_layouts", "page_transcriptions", "document_exports"]
STAGES: tuple[Stage, ...] = ("page_images", "page_layouts", "page_transcriptions", "document_exports")


@dataclass(frozen=True)
class ProcessingOptions:
    """Options of one run; see ``settings`` for what each means.

    Attributes:
        own: The run has options of its own, other than the settings, that its results depend on.
        asked: What the run asks of every document; it goes before what a document's own files say.
        engine, segmentation_model, recognition_model: What the settings say; they come after those files.
        uploads_dir: The upload folder, whose ``archive.yaml`` files hold for the documents in it.
        models_dir: The model store; None for the bundled models alone.
        duplicates: What to do with a document that has the bytes of another.
        pages: Page ranges such as ``1-3,7``; None for all.
        reuse: Take results that were made from the same input instead of making them again.
        formats: Names of the exports to make; None for the default set.
        spelling: Languages whose word lists propose other spellings of doubtful words; None for none.
        base_url: Where the folder of all documents' exports is on the web.
    """

    own: bool = False
    asked: Wishes = field(default_factory=Wishes)
    engine: str | None = None
    segmentation_model: str | None = None
    recognition_model: str | None = None
    uploads_dir: Path | None = None
    models_dir: Path | None = None
    surya_url: str | None = None
    surya_timeout: float = 240.0
    dpi: int = 300
    born_digital: Literal["keep", "redo"] = "keep"
    max_pixels: int = 200_000_000
    max_pages: int = 20_000
    max_file_mb: int = 8_192
    workers: int = usable_cpus()
    page_timeout: float = 300.0
    worker_memory_mb: int = 6_144
    on_page_error: Literal["skip", "fail"] = "skip"
    max_failed_pages: float = 0.1
    duplicates: Literal["refuse", "make"] = "refuse"
    pages: str | None = None
    reuse: bool = True
    formats: tuple[str, ...] | None = None
    spelling: tuple[str, ...] | None = None
    base_url: str = "http://localhost"
    alto_version: Literal["4.2", "4.4"] = "4.2"

    def __post_init__(self) -> None:
        """Raises UsageError where a choice, which may come from a run's config, is none."""
        choose(self.formats)
        for name, choices in {
            "born_digital": ("keep", "redo"),
            "on_page_error": ("skip", "fail"),
            "duplicates": ("make", "refuse"),
        }.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} cannot be '{getattr(self, name)}'", remedy=f"Choose {' or '.join(choices)}.")

    @classmethod
    def from_settings(cls, settings: Settings) -> ProcessingOptions:
        shared = cls.__dataclass_fields__.keys() & type(settings).model_fields.keys()
        return cls(**{name: getattr(settings, name) for name in shared})
