"""The models that can be used: those this program knows, those an operator added, and those that were imported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml
from pydantic import TypeAdapter, ValidationError

from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import ModelEntry, Task

_OWN = Path(__file__).with_name("catalogue.yaml")
_ENTRIES = TypeAdapter(tuple[ModelEntry, ...])


class Catalogue:
    """Entries by id; ids are unique."""

    def __init__(self, entries: Iterable[ModelEntry]) -> None:
        self._entries = {entry.id: entry for entry in entries}

    def __iter__(self) -> Iterator[ModelEntry]:
        return iter(self._entries.values())

    def find(self, model_id: str, task: Task | None = None) -> ModelEntry:
        """The entry of that id.

        Raises:
            ModelError: There is none of that id, or for that task.
        """
        entry = self._entries.get(model_id)
        if entry is None or task not in (None, entry.task):
            kind = f"{task} model" if task else "model"
            other = f"; '{entry.id}' is for {entry.task}" if entry else ""
            raise ModelError(f"there is no {kind} '{printable(model_id)}'{other}", remedy=self._choices(model_id, task))
        return entry

    def _choices(self, model_id: str, task: Task | None) -> str:
        """Those with a like name, or else all; a wall of names helps nobody who mistyped one."""
        known = [entry.id for entry in self._entries.values() if task in (None, entry.task)]
        near = get_close_matches(model_id, known, n=3, cutoff=0.7)
        if near:
            return f"Did you mean {' or '.join(near)}? models list shows all."
        return f"Choose one of: {', '.join(known)}."


@cache
def own_entries() -> tuple[ModelEntry, ...]:
    """The entries of this program's own file."""
    return read_entries(_OWN)


def read_entries(path: Path) -> tuple[ModelEntry, ...]:
    """The entries of a catalogue file; none if there is no such file.

    Raises:
        ModelError: It cannot be used; names the entry and the field.
    """
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _unusable(path, " ".join(str(error).split())) from None
    try:
        entries = _ENTRIES.validate_python(data or ())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        number = first["loc"][0] if first["loc"] else None
        named = data[number].get("id") if isinstance(number, int) and isinstance(data[number], dict) else None
        raise _unusable(path, f"{printable(named or 'entry')} {where}: {first['msg']}") from None
    twice = {entry.id for entry in entries if sum(other.id == entry.id for other in entries) > 1}
    if twice:
        raise _unusable(path, f"{', '.join(sorted(twice))} is there twice")
    return entries


def _unusable(path: Path, why: str) -> ModelError:
    return ModelError(f"{printable(path)} is no catalogue of models: {why}", remedy="Mend it; see docs/models.md.")
