"""Engines by name. Imports stay inside: a worker that reads print never loads torch."""

from __future__ import annotations

import importlib.metadata

from archive_pipeline.engines.base import Recognizer, Segmenter
from archive_pipeline.engines.serving import Server
from archive_pipeline.engines.versions import (
    KRAKEN_LANGUAGE,
    KRAKEN_RECOGNITION,
    KRAKEN_SEGMENTATION,
    KRAKEN_STRIPS,
    PPOCR_RECOGNITION,
    PPOCR_SEGMENTATION,
    SURYA_RECOGNITION,
    SURYA_SEGMENTATION,
)
from archive_pipeline.errors import UsageError
from archive_pipeline.models.entry import Engine
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.language import LANGUAGE
from archive_pipeline.models.library import ModelLibrary

DEFAULT_SEGMENTATION: dict[Engine, str] = {
    "ppocr": "ppocr-v6-detection",
    "kraken": "kraken-blla",
    "surya": "surya-detection",
}
DEFAULT_RECOGNITION = "ppocr-v6-latin"
SURYA_DEFAULT = "surya-ocr-2"


def segmentation_model(
    library: ModelLibrary, engine: str, model_id: str | None, *, served: bool = False
) -> InstalledModel:
    """The segmentation model of an engine.

    Args:
        served: There is a server for surya: layout and reading order come from its model.

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
    model = library.install_state(entry)
    if model.engine == "surya" and served:
        model = model.model_copy(update={"served": library.installed(SURYA_DEFAULT, "recognition").served})
    return model


def recognition_model(
    library: ModelLibrary, model_id: str | None, engine: str | None = None, *, served: bool = False
) -> InstalledModel:
    """The recognition model of that id, or the default one.

    Args:
        engine: Whose default it is.
        served: There is a server for surya.

    Raises:
        UsageError: It needs a server, and there is none.
        ModelError: There is no such model, or it is not fetched.
    """
    model = library.installed(model_id or (SURYA_DEFAULT if engine == "surya" else DEFAULT_RECOGNITION), "recognition")
    if model.served and not served:
        raise UsageError(
            f"model '{model.id}' is read by a server, and none is set",
            remedy="Set SURYA_INFERENCE_URL (see docs/surya.md), or choose another model with --model.",
        )
    return model


def signature(model: InstalledModel) -> list[str]:
    """All that a result depends on beside its input: model, digest, and versions of the code that runs it."""
    if model.engine == "kraken":
        own = KRAKEN_SEGMENTATION if model.task == "segmentation" else KRAKEN_RECOGNITION
        code = [importlib.metadata.version("kraken"), own]
        if model.task == "recognition" and model.with_suffix(".onnx") is not None:
            code.append(f"strips {KRAKEN_STRIPS}")
        if model.task == "recognition" and model.named(LANGUAGE) is not None:
            code.append(f"language {KRAKEN_LANGUAGE}")
    elif model.engine == "surya":
        own = SURYA_SEGMENTATION if model.task == "segmentation" else SURYA_RECOGNITION
        code = [importlib.metadata.version("surya-ocr"), own, model.served]
    else:
        code = [PPOCR_SEGMENTATION if model.task == "segmentation" else PPOCR_RECOGNITION]
    return [model.engine, model.id, model.digest, *code]


def make_segmenter(model: InstalledModel, server: Server | None = None) -> Segmenter:
    """Load a segmentation model.

    Args:
        server: Where ``model.served`` is.
    """
    if model.engine == "surya":
        from archive_pipeline.engines.surya_detection import SuryaSegmenter

        return SuryaSegmenter(model, server)
    if model.engine == "kraken":
        from archive_pipeline.engines.kraken_segmentation import KrakenSegmenter

        return KrakenSegmenter(model)
    from archive_pipeline.engines.ppocr_detection import PpocrSegmenter

    return PpocrSegmenter(model)


def make_recognizer(model: InstalledModel, server: Server | None = None) -> Recognizer:
    """Load a recognition model.

    Args:
        server: Where ``model.served`` is.
    """
    if model.engine == "surya":
        from archive_pipeline.engines.surya_recognition import SuryaRecognizer

        return SuryaRecognizer(model, server)
    if model.engine == "kraken":
        from archive_pipeline.engines.kraken_recognition import KrakenRecognizer

        return KrakenRecognizer(model)
    from archive_pipeline.engines.ppocr_recognition import PpocrRecognizer

    return PpocrRecognizer(model)
