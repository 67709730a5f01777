"""Models in a model store that nobody loads: what is promoted, chosen or pruned goes by their entries alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

from archive_pipeline.durable import write_bytes, write_json
from archive_pipeline.models.entry import Imported, ModelEntry, ModelFile, Task
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import entry_path
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.trained import TrainedRecord, UsedPage, write_record


def add_model(models: Path, model_id: str, task: Task = "recognition", data: bytes | None = None) -> InstalledModel:
    """Put a model of that id there, whose bytes are its id unless others are given."""
    data = data or model_id.encode()
    digest = hashlib.sha256(data).hexdigest()
    entry = ModelEntry(
        id=model_id,
        task=task,
        engine="kraken",
        licence="CC0-1.0",
        source=Imported(kind="imported", name=model_id),
        files=(ModelFile(name="model.safetensors", sha256=digest, size=len(data)),),
        good_for="tests",
    )
    write_bytes(models / digest / "model.safetensors", data)
    write_json(entry_path(models, model_id), entry.model_dump(mode="json"))
    return ModelLibrary(models).installed(model_id, task)


def add_record(models: Path, model_id: str, *pages: tuple[str, str], name: str = "page") -> None:
    """Say of a model that is there that it was trained with pages of such images and text digests, in that set."""
    used = tuple(
        UsedPage(id=f"{name}/{n}", image_sha256=image, text_digest=text) for n, (image, text) in enumerate(pages)
    )
    record = TrainedRecord(
        model=model_id,
        digest=ModelLibrary(models).installed(model_id).digest,
        hand="Jean",
        key="jean",
        base="ppocr-v6-latin",
        training=used,
        licence="CC0-1.0",
        made={},
        created="2026-01-01T00:00:00+00:00",
    )
    write_record(models, record, "")


def reads(models: Path, hand: str) -> str | None:
    """The id of the model that reads a hand."""
    promoted = promoted_model(models, hand)
    return promoted.model if promoted else None
