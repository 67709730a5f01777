"""Engines by name. Imports stay inside: a worker that reads print never loads torch."""

from __future__ import annotations

import importlib.metadata

from archive_pipeline.engines.base import Recognizer, Segmenter
from archive_pipeline.engines.versions import (
    KRAKEN_RECOGNITION,
    KRAKEN_SEGMENTATION,
    PPOCR_RECOGNITION,
    PPOCR_SEGMENTATION,
)
from archive_pipeline.errors import UsageError
from archive_pipeline.models.entry import Engine
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary

DEFAULT_SEGMENTATION: dict[Engine, str] = {"ppocr": "ppocr-v6-detection", "kraken": "kraken-blla"}
DEFAULT_RECOGNITION = "ppocr-v6-latin"


def segmentation_model(library: ModelLibrary, engine: str, model_id: str | None) -> InstalledModel:
    """The segmentation model of an engine.

    Raises:
        UsageError: There is no such engine, or the model belongs to another one.
        ModelError: There is no such model, or it is not fetched.
    """
    default = next((default for name, default in DEFAULT_SEGMENTATION.items() if name == engine), None)
    if default is None:
        raise UsageError(f"there is no engine '{engine}'", remedy=f"Choose one of: {', '.join(DEFAULT_SEGMENTATION)}.")
    entry = library.catalogue.find(model_id or default, "segmentation")
    if entry.engine != engine:
        raise UsageError(
            f"model '{entry.id}' belongs to engine '{entry.engine}', not to '{engine}'",
            remedy=f"Add --engine {entry.engine}.",
        )
    return library.install_state(entry)


def recognition_model(library: ModelLibrary, model_id: str | None) -> InstalledModel:
    """The recognition model of that id, or the default one.

    Raises:
        ModelError: There is no such model, or it is not fetched.
    """
    return library.installed(model_id or DEFAULT_RECOGNITION, "recognition")


def signature(model: InstalledModel) -> list[str]:
    """All that a result depends on beside its input: model, digest, and versions of the code that runs it."""
    if model.engine == "kraken":
        own = KRAKEN_SEGMENTATION if model.task == "segmentation" else KRAKEN_RECOGNITION
        code = [importlib.metadata.version("kraken"), own]
    else:
        code = [PPOCR_SEGMENTATION if model.task == "segmentation" else PPOCR_RECOGNITION]
    return [model.engine, model.id, model.digest, *code]


def make_segmenter(model: InstalledModel) -> Segmenter:
    """Load a segmentation model."""
    if model.engine == "kraken":
        from archive_pipeline.engines.kraken_segmentation import KrakenSegmenter

        return KrakenSegmenter(model)
    from archive_pipeline.engines.ppocr_detection import PpocrSegmenter

    return PpocrSegmenter(model)


def make_recognizer(model: InstalledModel) -> Recognizer:
    """Load a recognition model."""
    if model.engine == "kraken":
        from archive_pipeline.engines.kraken_recognition import KrakenRecognizer

        return KrakenRecognizer(model)
    from archive_pipeline.engines.ppocr_recognition import PpocrRecognizer

    return PpocrRecognizer(model)
