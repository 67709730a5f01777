"""Trained models in the model library, and the record of what each was made of.

::

    <models>/trained/<model id>.json     the record; :mod:`archive_pipeline.promotion.proofs` and
                                         :mod:`archive_pipeline.evaluation.leaks` ask it what a model has seen
    <models>/trained/<model id>.md       its card
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import copy_file, file_digest, read_json, write_bytes, write_json
from archive_pipeline.errors import ModelError, printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.check import check_model
from archive_pipeline.models.entry import ModelFile, Task, digest_of_files
from archive_pipeline.models.importing import Description, import_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import entry_path
from archive_pipeline.training.card import CardFacts, Source, licence_of, model_card
from archive_pipeline.training.recognition.training import ONNX, WEIGHTS, Training
from archive_pipeline.training_sets.doctor.examination import text_digest
from archive_pipeline.training_sets.lines import TrainingPage

_MARK = 8
_LONGEST_KEY = 60


class UsedPage(BaseModel):
    """A page that a model was trained with, or by which was seen when to stop."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    image_sha256: str
    text_digest: str
    licence: str | None = None


class TrainedRecord(BaseModel):
    """What a model was made of.

    Attributes:
        hand: As people call it; ``key`` is its key.
        training: All pages that it has seen.
        made: By :func:`archive_pipeline.training.recognition.training.train_recognition`.
        created: ISO 8601, UTC.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    model: str
    digest: str
    task: Task = "recognition"
    hand: str
    key: str
    base: str
    training: tuple[UsedPage, ...]
    licence: str
    made: Training
    created: str


def install_candidate(
    models: Path, folder: Path, made: Training, hand: str, pages: Sequence[TrainingPage], base: InstalledModel
) -> tuple[InstalledModel, TrainedRecord]:
    """Put a trained model into the library, with its record and card. The same again changes nothing.

    Args:
        models: Folder of the library.
        folder: Of the training: it has the weights and their ONNX form.
        pages: All that the model has seen.

    Raises:
        ModelError: It cannot be loaded.
        StorageError: It cannot be written.
    """
    files = tuple(
        ModelFile(name=name, sha256=file_digest(folder / name), size=(folder / name).stat().st_size)
        for name in (WEIGHTS, ONNX)
    )
    model_id = f"{hand_key(hand)[:_LONGEST_KEY].rstrip('-._')}-{str(files[0].sha256)[:_MARK]}"
    sources = _sources(pages)
    licence = licence_of(sources)
    # Before the model can be seen: what nobody knows the training of can never be promoted.
    record = record_of(models, model_id)
    if record is None:
        record = TrainedRecord(
            model=model_id,
            digest=digest_of_files(files) or "",
            hand=hand,
            key=hand_key(hand),
            base=base.id,
            training=tuple(
                UsedPage(
                    id=page.id,
                    image_sha256=page.image_sha256,
                    text_digest=text_digest(page.page) or "",
                    licence=page.licence,
                )
                for page in pages
            ),
            licence=licence,
            made=made,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_bytes(card_path(models, model_id), _card(record, sources, base, pages).encode())
        write_json(_record_path(models, model_id), record.model_dump(mode="json"))
    return _imported(models, folder, model_id, hand, licence), record


def record_of(models: Path, model_id: str) -> TrainedRecord | None:
    """What a model was made of; None if it was not trained here.

    Raises:
        ModelError: The record is damaged.
    """
    path = _record_path(models, model_id)
    data = read_json(path)
    try:
        return None if data is None else TrainedRecord.model_validate(data)
    except ValidationError as error:
        raise ModelError(
            f"{printable(path)} is damaged: {error.errors()[0]['msg']}",
            remedy="Restore it from a backup, or train the model again.",
        ) from None


def candidates_of(models: Path, key: str) -> list[TrainedRecord]:
    """The models that were trained for a hand and are in the library, the newest first.

    Raises:
        ModelError: A record is damaged.
    """
    found = []
    for path in (models / "trained").glob("*.json"):
        record = record_of(models, path.stem)
        if record is not None and record.key == key and entry_path(models, record.model).is_file():
            found.append(record)
    return sorted(found, key=lambda record: (record.created, record.model), reverse=True)


def card_path(models: Path, model_id: str) -> Path:
    """Where the card of a trained model is."""
    return models / "trained" / f"{model_id}.md"


def _record_path(models: Path, model_id: str) -> Path:
    return models / "trained" / f"{model_id}.json"


def _imported(models: Path, folder: Path, model_id: str, hand: str, licence: str) -> InstalledModel:
    with tempfile.TemporaryDirectory(prefix="candidate-", dir=folder) as name:
        for file in (WEIGHTS, ONNX):
            copy_file(folder / file, Path(name, file))
        description = Description(
            task="recognition", engine="kraken", licence=licence, good_for=f"the hand {printable(hand)}"
        )
        return import_model(models, Path(name), model_id, description, check=check_model).model


def _sources(pages: Sequence[TrainingPage]) -> list[Source]:
    found: dict[tuple[str, str | None], int] = {}
    for page in pages:
        name = page.id.rpartition("/")[0] if page.origin == "corrections" else page.id.partition("/")[0]
        found[name, page.licence] = found.get((name, page.licence), 0) + 1
    return [Source(name, count, licence) for (name, licence), count in found.items()]


def _card(record: TrainedRecord, sources: Sequence[Source], base: InstalledModel, pages: Sequence[TrainingPage]) -> str:
    made = record.made
    return model_card(
        CardFacts(
            id=record.model,
            model_type=record.task,
            hand=record.hand,
            base=base.id,
            base_licence=base.licence,
            sources=sources,
            languages=(),
            scripts=sorted({page.script for page in pages if page.script}),
            metrics={} if made.cer is None else {"cer": round(made.cer, 2)},
            software=made.versions["kraken"],
            recipe={**made.recipe.model_dump(), "steps made": made.steps, "lines": made.lines, "key": made.key},
            notes=["Its CER above is that of the pages for validation, of this hand."] if made.cer is not None else [],
        )
    )
