"""What an export is made from, and the few helpers that every format shares."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Generic, Literal, Protocol, TypeVar, overload

from pydantic import BaseModel, ValidationError

from archive_pipeline.durable import write_bytes
from archive_pipeline.errors import StorageError, printable
from archive_pipeline.page import Page, Step
from archive_pipeline.rendering.model import PageImage

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


class LazySequence(Sequence[T], Generic[T]):
    """A sequence whose items are loaded anew at each access, so that a thousand pages never lie in memory at once."""

    def __init__(self, length: int, load: Callable[[int], T]) -> None:
        self._length = length
        self._load = load

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            chosen = range(self._length)[index]
            return LazySequence(len(chosen), lambda position: self._load(chosen[position]))
        return self._load(range(self._length)[index])


def json_files(model: type[M], paths: Sequence[Path]) -> LazySequence[M]:
    """Models in JSON files, one a file, each read when it is asked for.

    Raises (on access):
        StorageError: The file is gone or is not such a model.
    """

    def load(index: int) -> M:
        path = paths[index]
        try:
            return model.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise StorageError(
                f"{printable(path)} cannot be read as {model.__name__}: {error}", remedy="Run the document again."
            ) from error

    return LazySequence(len(paths), load)


@dataclass(frozen=True)
class ExportOptions:
    """What an installation wants of its exports.

    Attributes:
        base_url: Where the folder that holds all documents' exports is on the web, without a slash at the end.
        alto_version: Version of the ALTO schema.
    """

    base_url: str = "http://localhost"
    alto_version: Literal["4.2", "4.4"] = "4.2"


@dataclass(frozen=True)
class ExportDocument:
    """One document, ready to be exported.

    Attributes:
        key: The document's key.
        title: The original name, for people.
        source_digest: SHA-256 of the source file, in hexadecimal.
        source_date: When the source was last modified, ISO 8601; without a zone it is UTC. None if unknown. Every date
            in every export comes from here, so that equal input gives equal bytes.
        pages: All pages in order, corrections merged in; may load lazily.
        images: For each page the record of its page image, None where there is none.
        image_folder: Where the files of ``images`` are.
        notes: Sentences about the whole document that a person should read.
        options: What the installation wants.
        chosen: Models, language and direction that it was read with, and who chose each (``value``, ``from``), by name.

    Raises:
        ValueError: ``source_date`` is no date, or ``images`` does not match ``pages``.
    """

    key: str
    title: str
    source_digest: str
    source_date: str | None
    pages: Sequence[Page]
    images: Sequence[PageImage | None]
    image_folder: Path
    notes: tuple[str, ...] = field(default=())
    options: ExportOptions = field(default=ExportOptions())
    chosen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.pages) != len(self.images):
            raise ValueError(f"{len(self.pages)} pages but {len(self.images)} records of page images")
        utc(self.source_date)

    @property
    def date(self) -> str | None:
        """The source's date as ``YYYY-MM-DDThh:mm:ssZ``."""
        return utc(self.source_date)

    def steps(self) -> tuple[Step, ...]:
        """Every different thing that was done to any page, in order of first appearance."""
        found: dict[str, Step] = {}
        for page in self.pages:
            for step in page.steps:
                found.setdefault(step.model_dump_json(), step)
        return tuple(found.values())


def utc(date: str | None) -> str | None:
    """An ISO 8601 date in UTC, to the second.

    Raises:
        ValueError: It is no date.
    """
    if date is None:
        return None
    moment = datetime.fromisoformat(date)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


class Writer(Protocol):
    """Writes the files of one format below ``folder``, each atomically, and yields them."""

    def __call__(self, document: ExportDocument, folder: Path, /) -> Iterator[Path]: ...


Files = Mapping[str, Sequence[Path]]
"""The files that were written, by the name of their format, in the order of pages."""


class IndexWriter(Protocol):
    """Writes a format that lists the files of the others, which are there already."""

    def __call__(self, document: ExportDocument, folder: Path, files: Files, /) -> Iterator[Path]: ...


def write_pages(
    document: ExportDocument, folder: Path, name: str, render: Callable[[Page, PageImage | None], bytes]
) -> Iterator[Path]:
    """Write one file per page.

    Args:
        document: What is exported.
        folder: The exports folder.
        name: Path below it, with the page number to be filled in, such as ``page/{:04d}.xml``.
        render: Makes the file of one page.
    """
    for page, image in zip(document.pages, document.images, strict=True):
        path = folder / name.format(page.number)
        write_bytes(path, render(page, image))
        yield path


class Identifiers:
    """Makes XML ids (NCName in ASCII) that are unique in one file, as like to the engine's own ids as can be."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._counts: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """``wanted`` itself where it is valid and free, else something near it."""
        name = re.sub(r"[^A-Za-z0-9._-]", "_", wanted)
        # PAGEViewer and others refuse ids that begin with a digit, as XML does.
        name = name if re.match(r"[A-Za-z_]", name) else f"_{name}"
        unique, count = name, self._counts.get(name, 1)
        while unique in self._taken:
            count += 1
            unique = f"{name}_{count}"
        self._taken.add(unique)
        # Where two thousand lines have one id, each would look at all the names before it.
        self._counts[name] = count
        return unique


def language_tag(page: Page) -> str | None:
    """The page's language, if it has the form of a language tag (RFC 5646), as XML, HTML and IIIF demand it."""
    return page.language if re.fullmatch(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", page.language or "") else None


def number(value: float, digits: int = 4) -> str:
    """A decimal without an exponent or needless zeros: the same on every machine."""
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"-0", ""} else text
