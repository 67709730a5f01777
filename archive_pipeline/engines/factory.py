"""Engines by name. Imports stay inside: a worker that reads print never loads torch."""

from __future__ import annotations

import importlib.metadata

from archive_pipeline.engines.base import Recognizer, Segmenter
from archive_pipeline.engines.versions import KRAKEN_SEGMENTATION, PPOCR_RECOGNITION, PPOCR_SEGMENTATION
from archive_pipeline.errors import UsageError
from archive_pipeline.models.catalogue import ModelEntry, find_model

DEFAULT_SEGMENTATION_MODEL = {"ppocr": "ppocr-v6-detection", "kraken": "kraken-blla"}


def segmentation_entry(engine: str, model: str | None) -> ModelEntry:
    """The segmentation model of an engine.

    Raises:
        UsageError: There is no such engine, or the model belongs to another one.
        ModelError: There is no such model.
    """
    if engine not in DEFAULT_SEGMENTATION_MODEL:
        raise UsageError(
            f"there is no engine '{engine}'", remedy=f"Choose one of: {', '.join(DEFAULT_SEGMENTATION_MODEL)}."
        )
    entry = find_model(model or DEFAULT_SEGMENTATION_MODEL[engine], "segmentation")
    if entry.engine != engine:
        raise UsageError(
            f"model '{entry.id}' belongs to engine '{entry.engine}', not to '{engine}'",
            remedy=f"Add --engine {entry.engine}.",
        )
    return entry


def signature(entry: ModelEntry) -> list[str]:
    """All that a result depends on beside its input: model, digest, and versions of the code that runs it."""
    if entry.engine == "kraken":
        code = [importlib.metadata.version("kraken"), KRAKEN_SEGMENTATION]
    else:
        code = [PPOCR_SEGMENTATION if entry.task == "segmentation" else PPOCR_RECOGNITION]
    return [entry.engine, entry.id, entry.sha256, *code]


def make_segmenter(entry: ModelEntry) -> Segmenter:
    """Load a segmentation model."""
    if entry.engine == "kraken":
        from archive_pipeline.engines.kraken_segmentation import KrakenSegmenter

        return KrakenSegmenter(entry)
    from archive_pipeline.engines.ppocr_detection import PpocrSegmenter

    return PpocrSegmenter(entry)


def make_recognizer(entry: ModelEntry) -> Recognizer:
    """Load a recognition model."""
    from archive_pipeline.engines.ppocr_recognition import PpocrRecognizer

    return PpocrRecognizer(entry)
