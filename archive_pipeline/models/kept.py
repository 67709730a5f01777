"""What a store remembers of its models beside their files: entries that came with a model, and pins.

::

    <models>/entries/<id>.json   entries of models that were imported, or fetched by their DOI
    <models>/pins/<id>.json      what a model without a known digest was when it was fetched first

Neither is made again by itself, so a damaged one is never just to be deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import ModelError, StorageError, UsageError, printable
from archive_pipeline.models.entry import ModelEntry, ModelFile, Zenodo


class Pin(BaseModel):
    """What came first, from where and when."""

    model_config = ConfigDict(frozen=True)

    files: tuple[ModelFile, ...]
    origin: str = Field("", alias="from")
    when: str = ""


def pin_path(root: Path, model_id: str) -> Path:
    """Where it is kept what a model was when it was fetched first."""
    return root / "pins" / f"{model_id}.json"


def entry_path(root: Path, model_id: str) -> Path:
    """Where the entry of an imported model is kept."""
    return root / "entries" / f"{model_id}.json"


def kept_entries(root: Path) -> tuple[ModelEntry, ...]:
    """Entries of models that were imported, or fetched by their DOI.

    Raises:
        ModelError: One cannot be used.
    """
    found = (_entry(path) for path in sorted((root / "entries").glob("*.json")))
    return tuple(entry for entry in found if entry is not None)


def keep_entry(root: Path, entry: ModelEntry) -> None:
    """Keep the entry of a model that the catalogue does not know, with the digests of what came.

    Raises:
        UsageError: Another model has that id.
        StorageError: It cannot be written.
    """
    refuse_another(root, entry)
    write_json(entry_path(root, entry.id), entry.model_dump(mode="json"))


def refuse_another(root: Path, entry: ModelEntry) -> None:
    """See to it that no other model was kept under that id, perhaps by another process a moment ago.

    Raises:
        UsageError: One was.
    """
    kept = _entry(entry_path(root, entry.id))
    if kept is None:
        return
    same = kept.source == entry.source if isinstance(entry.source, Zenodo) else kept.digest == entry.digest
    if not same:
        raise another_has(entry.id)


def another_has(model_id: str) -> UsageError:
    """The refusal of an id that another model has."""
    return UsageError(
        f"there is another model '{model_id}'", remedy="Choose another id with --id; models list has those in use."
    )


def read_pin(root: Path, model_id: str) -> Pin | None:
    """What a model was when it was fetched first; None if nothing was pinned.

    Raises:
        ModelError: It is damaged.
    """
    path = pin_path(root, model_id)
    data = _read(path, remedy := _remedy_of_a_pin(model_id))
    try:
        return None if data is None else Pin.model_validate(data)
    except ValidationError as error:
        raise ModelError(f"{printable(path)} is damaged: {error.errors()[0]['msg']}", remedy=remedy) from None


def write_pin(root: Path, model_id: str, files: Sequence[ModelFile], origin: str) -> None:
    """Pin what came.

    Raises:
        StorageError: It cannot be written.
    """
    data = {
        "files": [file.model_dump() for file in files],
        "from": origin,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    write_json(pin_path(root, model_id), data)


def _entry(path: Path) -> ModelEntry | None:
    """The entry in that file; None if there is no such file, or no more."""
    remedy = "Restore it from a backup; or delete it, and import or fetch the model again."
    data = _read(path, remedy)
    try:
        return None if data is None else ModelEntry.model_validate(data)
    except ValidationError as error:
        raise ModelError(f"{printable(path)} is damaged: {error.errors()[0]['msg']}", remedy=remedy) from None


def _read(path: Path, remedy: str) -> Any:
    try:
        return read_json(path)
    except StorageError as error:
        # What is said elsewhere of a file of ours, that it is made again, is not true here.
        raise ModelError(error.what, remedy=remedy) from None


def _remedy_of_a_pin(model_id: str) -> str:
    return (
        f"Restore it from a backup. If there is none, delete it and run archive-pipeline models fetch {model_id}: "
        "whatever comes then is trusted."
    )
