"""A model of Zenodo that the catalogue does not know: an entry made from the card in its record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from pydantic import ValidationError

from archive_pipeline.errors import ModelError, UsageError, printable
from archive_pipeline.models.entry import LOADED, UNSAFE, ModelEntry, ModelFile, Task, Zenodo
from archive_pipeline.models.inspection import WAY_OUT
from archive_pipeline.models.network import Network
from archive_pipeline.models.sources import htrmopo
from archive_pipeline.models.sources.zenodo import Record, RecordFile, read_record

_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.5281/zenodo\.([0-9]+))", re.IGNORECASE)
_WEIGHTS = LOADED - {".json"}
_TASKS: tuple[Task, ...] = ("recognition", "segmentation")


def number_of(text: str) -> str | None:
    """The number of the record that a DOI names; None for what is no DOI of Zenodo."""
    found = _DOI.fullmatch(text.strip())
    return found[2] if found else None


def read_entry(number: str, model_id: str, network: Network) -> ModelEntry:
    """The entry that a record's card makes: for kraken, with one file of weights, not verified by anybody yet.

    Args:
        number: Of the record; that of all versions leads to the newest one, which the entry then names.
        model_id: Id to give to it; empty for ``zenodo-<number>``.

    Raises:
        ModelError: There is no such record, it has no card, or its model is none that can be used.
    """
    record = read_record(number, network)
    card_file, card = _card(record, network)
    if card.software_name and card.software_name.lower() != "kraken":
        raise ModelError(f"doi:{record.doi} is a model for {printable(card.software_name)}, and not for kraken")
    tasks = [task for task in _TASKS if task in card.model_type]
    if not tasks:
        what = printable(", ".join(card.model_type)) or "nothing that is known"
        raise ModelError(f"doi:{record.doi} does {what}: neither recognition nor segmentation")
    weights = _weights(record, card_file)
    try:
        return ModelEntry(
            id=model_id or f"zenodo-{record.id}",
            task=tasks[0],
            engine="kraken",
            scripts=tuple(script for script in card.script if re.fullmatch(r"[A-Z][a-z]{3}", script)),
            languages=tuple(language for language in card.language if re.fullmatch(r"[a-z]{3}", language)),
            licence=printable(card.license),
            source=Zenodo(kind="zenodo", doi=record.doi),
            files=(ModelFile(name=weights.key, size=weights.size),),
            citation=printable(f"{card.authors}, {record.metadata.title}, doi:{record.doi}".lstrip(", ")),
            good_for=printable(card.summary),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"doi:{record.doi} makes no entry: {where}: {first['msg']}") from None


def _card(record: Record, network: Network) -> tuple[str, htrmopo.Card]:
    files = {file.key: file for file in record.files}
    name = next((name for name in htrmopo.CARDS if name in files), None)
    if name is None:
        raise ModelError(
            f"doi:{record.doi} has no card of HTRMoPo",
            remedy="Download its model yourself, and import it; or add an entry to catalogue.yaml.",
        )
    data = network.read(files[name].links.self, largest=htrmopo.LARGEST_CARD)
    metadata = {
        "doi": record.doi,
        "concept_doi": record.conceptdoi,
        "summary": record.metadata.title,
        "publication_date": record.metadata.publication_date,
    }
    with htrmopo.reader() as read:
        return name, htrmopo.read_card(read, name, data, metadata)


def _weights(record: Record, card_file: str) -> RecordFile:
    others = [file for file in record.files if file.key != card_file]
    found = [file for file in others if PurePosixPath(file.key).suffix.lower() in _WEIGHTS]
    if len(found) == 1:
        return found[0]
    if found:
        names = _names(found)
        raise ModelError(
            f"doi:{record.doi} has several models: {names}",
            remedy="Add an entry for one of them to catalogue.yaml; see docs/models.md.",
        )
    unsafe = [file for file in others if PurePosixPath(file.key).suffix.lower() in UNSAFE]
    if unsafe:
        raise ModelError(f"doi:{record.doi} has only {_names(unsafe)}, which can run code when loaded", remedy=WAY_OUT)
    raise ModelError(f"doi:{record.doi} has no model: {_names(others) or 'no file but its card'}")


def _names(files: Sequence[RecordFile]) -> str:
    return ", ".join(printable(file.key) for file in files)
