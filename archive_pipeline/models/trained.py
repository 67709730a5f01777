"""What models that were trained here were made of.

::

    <models>/trained/<model id>.json     the record, written before the model can be seen
    <models>/trained/<model id>.md       its card
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import read_json, write_bytes, write_json
from archive_pipeline.errors import ModelError, StorageError, printable
from archive_pipeline.models.entry import Task
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.kept import entry_path


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UsedPage(_Frozen):
    """A page that a model was trained with, or by which was seen when to stop.

    Attributes:
        text_digest: Empty for a page with too little text to be known by.
    """

    id: str
    image_sha256: str
    text_digest: str = ""
    licence: str | None = None


class TrainedRecord(_Frozen):
    """What a model was made of.

    Attributes:
        hand: As people call it; ``key`` is its key.
        base: Id of the model that it was begun with.
        training: All pages that it has seen.
        made: The training, as the room that did it tells of it.
        created: ISO 8601, UTC.
    """

    schema_version: Literal[1] = 1
    model: str
    digest: str
    task: Task = "recognition"
    hand: str
    key: str
    base: str
    training: tuple[UsedPage, ...]
    licence: str
    made: dict[str, Any]
    created: str


def write_record(models: Path, record: TrainedRecord, card: str) -> None:
    """Keep a record and the card of its model.

    Raises:
        StorageError: They cannot be written.
    """
    write_bytes(card_path(models, record.model), card.encode())
    write_json(_path(models, record.model), record.model_dump(mode="json"))


def trained_record(models: Path, model_id: str) -> TrainedRecord | None:
    """The record of a model that was trained here under that id; None if there was none.

    Whether a model that is there is that one, its digest tells: :func:`record_of`.

    Raises:
        ModelError: The record is damaged, so that nobody knows.
    """
    path = _path(models, model_id)
    try:
        data = read_json(path)
        return None if data is None else TrainedRecord.model_validate(data)
    except (StorageError, ValidationError):
        raise ModelError(
            f"{printable(path)} is of another version or damaged, so nobody knows what {model_id} was trained with",
            remedy="Restore it from a backup; or move it away, and nobody can prove that model, or train with it.",
        ) from None


def record_of(models: Path, model: InstalledModel) -> TrainedRecord | None:
    """What the very model that is there was made of, whatever its id is; None if it was not trained here.

    The same files may have been imported under another id. And a record may have stayed of a model that is gone, whose
    id another one has by now.

    Raises:
        ModelError: A record is damaged, which may be the one of this model, so that nobody knows.
    """
    if not model.digest:  # it is at a server
        return None
    own = trained_record(models, model.id)
    if own is not None and own.digest == model.digest:
        return own
    records = (trained_record(models, path.stem) for path in sorted(_paths(models)) if path.stem != model.id)
    return next((each for each in records if each is not None and each.digest == model.digest), None)


def records_of(models: Path, key: str) -> list[TrainedRecord]:
    """Of the models that were trained for a hand and are in the library, the newest first.

    Raises:
        ModelError: A record is damaged.
    """
    found = []
    for path in _paths(models):
        record = trained_record(models, path.stem)
        if record is not None and record.key == key and entry_path(models, record.model).is_file():
            found.append(record)
    return sorted(found, key=lambda record: (record.created, record.model), reverse=True)


def card_path(models: Path, model_id: str) -> Path:
    """Where the card of a trained model is."""
    return models / "trained" / f"{model_id}.md"


def _paths(models: Path) -> Iterable[Path]:
    return (models / "trained").glob("[!.]*.json")


def _path(models: Path, model_id: str) -> Path:
    return models / "trained" / f"{model_id}.json"
