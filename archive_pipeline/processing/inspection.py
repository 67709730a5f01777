"""What the source of a document is: its files, their digests, its pages. Kept, so that nothing is opened in vain."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, read_json, write_json
from archive_pipeline.errors import ArchiveError, NoPages, NotReadable, TooLarge
from archive_pipeline.intake import Source, discover, open_file
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.rendering.model import SourceInfo, SourceKind
from archive_pipeline.store import DocumentFolder

Inspect = Callable[[Source, int], SourceInfo]
"""Looks into one file of a source, in a sealed child."""


class SourceFile(BaseModel):
    """One file, as it was when it was hashed."""

    model_config = ConfigDict(frozen=True)

    name: str
    size: int
    mtime_ns: int
    sha256: str
    info: SourceInfo


class PagePlace(BaseModel):
    """Where a page of the document is: in which file, and which page or frame of it, both from 0."""

    model_config = ConfigDict(frozen=True)

    file: int
    index: int


class Inspection(BaseModel):
    """The source of a document.

    Attributes:
        sha256: Of the file; of a folder, of its files' names and digests.
        notes: What was passed over, in sentences.
    """

    model_config = ConfigDict(frozen=True)

    kind: SourceKind
    sha256: str
    files: tuple[SourceFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def pages(self) -> tuple[PagePlace, ...]:
        return tuple(
            PagePlace(file=number, index=index)
            for number, file in enumerate(self.files)
            for index in range(file.info.pages)
        )

    @property
    def date(self) -> str:
        """When the youngest file was last modified, ISO 8601, in UTC to the second."""
        newest = max(file.mtime_ns for file in self.files)
        return datetime.fromtimestamp(newest // 1_000_000_000, UTC).isoformat()


def inspect_source(path: Path, folder: DocumentFolder, options: ProcessingOptions, inspect: Inspect) -> Inspection:
    """Look at the source of a document; files that are unchanged since last time are not opened again.

    In a folder of images, a file that cannot be used is passed over with a note, as long as one can be used.

    Raises:
        DocumentRefused: It cannot enter.
    """
    source = discover(path, max_file_mb=options.max_file_mb, max_pages=options.max_pages)
    known = _known(folder)
    files: list[SourceFile] = []
    notes = [f"Passed over in the folder: {ignored}." for ignored in source.ignored]
    refused: ArchiveError | None = None
    for number, file in enumerate(source.files):
        try:
            files.append(_inspect_file(source, number, file, known, inspect))
        except ArchiveError as error:
            if source.kind == "file":
                raise
            refused = error
            notes.append(f"Passed over in the folder: {error.at(document=file.name)}")
    if not files:
        raise refused or NoPages("there is no page", document=str(path))
    if sum(file.info.pages for file in files) > options.max_pages:
        raise TooLarge(
            f"it has {sum(file.info.pages for file in files)} pages, the limit is {options.max_pages}",
            document=str(path),
            remedy="Split it, or raise ARCHIVE_MAX_PAGES.",
        )
    kind = files[0].info.kind if source.kind == "file" else "image"
    whole = files[0].sha256 if source.kind == "file" else digest_of([(f.name, f.sha256) for f in files])
    found = Inspection(kind=kind, sha256=whole, files=tuple(files), notes=tuple(notes))
    data = found.model_dump(mode="json")
    if read_json(folder.inspection) != data:
        write_json(folder.inspection, data)
    return found


def stored_inspection(folder: DocumentFolder) -> Inspection | None:
    """What was found when the source was last looked at; None if that was never, or by an older version."""
    data = read_json(folder.inspection)
    try:
        return Inspection.model_validate(data) if data else None
    except ValidationError:
        return None


def _known(folder: DocumentFolder) -> dict[tuple[str, int, int], SourceFile]:
    before = stored_inspection(folder)
    return {(f.name, f.size, f.mtime_ns): f for f in before.files} if before else {}


def _inspect_file(
    source: Source, number: int, path: Path, known: dict[tuple[str, int, int], SourceFile], inspect: Inspect
) -> SourceFile:
    with open_file(source, number) as file:
        try:
            status = path.stat()
            same = known.get((path.name, status.st_size, status.st_mtime_ns))
            if same is not None:
                return same
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise NotReadable(f"it cannot be read: {error.strerror}", document=str(path)) from None
    info = inspect(source, number)
    if source.kind == "folder" and info.kind == "pdf":
        raise NoPages("a PDF with the name of an image", remedy="Give it the ending .pdf and put it beside the folder.")
    return SourceFile(name=path.name, size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256, info=info)
