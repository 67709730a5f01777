"""HTRMoPo, the repository of models for text recognition: its records on Zenodo, and the cards that describe them.

The schema and the record classes are those of the ``htrmopo`` package. Its downloads and listings are not used: it
checks no digest and unpickles its caches. What comes is parsed in a sealed child (:mod:`.htrmopo_child`), and kept as
JSON by record and date.

https://github.com/mittagessen/HTRMoPo
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import ArchiveError, ModelError, StorageError, printable
from archive_pipeline.models.entry import DOI
from archive_pipeline.models.network import Network, is_safe
from archive_pipeline.sealed import Limits, SealedChild

CARDS = {"README.md": "v1", "metadata.json": "v0"}
"""Files that describe a model, and the version of the schema; the better one first."""
LARGEST_CARD = 2_000_000
_log = logging.getLogger(__name__)
_LARGEST_LISTING = 50_000_000
_MOST_PAGES = 500
_SET = {"metadataPrefix": "dcat", "set": "user-ocr_models"}


class CardFile(BaseModel):
    """A file of a record, as the listing or the record names it."""

    model_config = ConfigDict(frozen=True)

    url: str
    size: int = 0


class Card(BaseModel):
    """What a record says of its model."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    doi: str
    summary: str
    license: str
    script: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    model_type: tuple[str, ...] = ()
    software_name: str = ""
    publication_date: str = ""
    metrics: dict[str, float] | None = None
    creators: tuple[dict[str, str | None], ...] = ()

    @property
    def authors(self) -> str:
        names = list(dict.fromkeys(creator.get("name") or "" for creator in self.creators))
        return ", ".join(name for name in names if name)


class _Listed(BaseModel):
    """A record as the sealed child tells of it. Whoever takes that child over answers in its place."""

    doi: str = Field(pattern=DOI)
    datestamp: str
    metadata: dict[str, Any]
    files: tuple[CardFile, ...]


_PAGE = TypeAdapter(tuple[_Listed, ...])


@contextmanager
def reader() -> Iterator[Callable[[dict[str, Any]], dict[str, Any]]]:
    """A sealed child that reads listings and cards."""
    with (
        tempfile.TemporaryDirectory() as scratch,
        SealedChild(
            "archive_pipeline.models.sources.htrmopo_child:handle",
            write=Path(scratch),
            limits=Limits(memory_mb=1024, file_mb=1),
        ) as child,
    ):
        yield lambda request: child.call(request, timeout=30)


def read_card(
    read: Callable[[dict[str, Any]], dict[str, Any]], name: str, data: bytes, metadata: dict[str, Any]
) -> Card:
    """The card in those bytes.

    Raises:
        ModelError: It does not follow HTRMoPo's schema.
    """
    told = read({"card": data.decode("utf-8", "replace"), "version": CARDS[name], "metadata": metadata})
    try:
        return Card.model_validate(told["record"])
    except ValidationError as error:
        raise ModelError(f"the card of {metadata['doi']} cannot be used: {error.errors()[0]['msg']}") from None


def listing(
    network: Network, cache: Path, progress: Callable[[int], None] = lambda _: None
) -> tuple[list[Card], list[str]]:
    """The cards of all records, and what could not be read, a sentence each.

    Args:
        cache: Folder for cards that have been read.

    Raises:
        ModelError: The listing cannot be had. A single card that cannot is only told of.
    """
    network.require("the listing of HTRMoPo")
    cards, told = [], []
    with reader() as read:
        for number, record in enumerate(_records(network, read), start=1):
            progress(number)
            try:
                card = _card(record, network, cache, read)
            except (ModelError, StorageError) as error:
                told.append(f"{printable(record.doi)}: {error.what}")
                continue
            if card is None:
                told.append(f"{printable(record.doi)}: it has no card")
            else:
                cards.append(card)
    return cards, told


def _records(network: Network, read: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[_Listed]:
    """All records of the listing. OAI-PMH gives it page by page, each with a token for the next."""
    parameters = {"verb": "ListRecords", **_SET}
    for _ in range(_MOST_PAGES):
        data = network.read(network.zenodo_oai, largest=_LARGEST_LISTING, parameters=parameters)
        told = read({"listing": data.decode("utf-8", "replace")})
        try:
            yield from _PAGE.validate_python(told["records"])
        except ValidationError as error:
            raise ModelError(f"the listing of HTRMoPo cannot be read: {error.errors()[0]['msg']}") from None
        token = told.get("next")
        if not isinstance(token, str) or not token:
            return
        parameters = {"verb": "ListRecords", "resumptionToken": token}
    raise ModelError("the listing of HTRMoPo has no end", remedy="Try again later.")


def _card(
    record: _Listed, network: Network, cache: Path, read: Callable[[dict[str, Any]], dict[str, Any]]
) -> Card | None:
    files = {Path(file.url.removesuffix("/content")).name: file.url for file in record.files}
    name = next((name for name in CARDS if name in files), None)
    if name is None:
        return None
    kept = cache / f"{record.doi.rpartition('.')[2]}.json"
    known = _kept(kept, record.datestamp)
    if known is not None:
        return known
    if not is_safe(files[name], network.zenodo_oai):
        raise ModelError(f"its card has an address that is not safe: {printable(files[name])}")
    data = network.read(files[name], largest=LARGEST_CARD)
    card = read_card(read, name, data, record.metadata | {"publication_date": record.datestamp})
    try:
        write_json(kept, {"datestamp": record.datestamp, "card": card.model_dump(mode="json")})
    except StorageError as error:  # it is read again the next time
        _log.warning("The card of %s is not kept: %s", record.doi, error)
    return card


def _kept(path: Path, datestamp: str) -> Card | None:
    """The card in our cache, if the record has not been changed since."""
    try:
        kept = read_json(path)
        return Card.model_validate(kept["card"]) if kept and kept["datestamp"] == datestamp else None
    except (ArchiveError, KeyError, TypeError, ValidationError):
        return None  # made again
