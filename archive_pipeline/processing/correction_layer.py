"""What people wrote on a page, as it is kept.

``corrections/0001.json`` is written by people and for them: by hand as ``{"line id": "text"}``, or by ``corrections
import`` with the page image that it was written on and the place of each line. No run writes there.

Files by hand know neither image nor places; before a run replaces the page image, it notes beside them on which one
they were written (``correction-images/0001.json``). On which lines of a page all that holds: :mod:`.corrected_lines`.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import DocumentFailed, StorageError, printable
from archive_pipeline.page import Page, Point, Text
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder

_BY_HAND = TypeAdapter(dict[str, Text])


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Correction(_Model):
    """What a line should say.

    Attributes:
        boundary, baseline: Where the line is, in pixels of the page image that the layer names; may both be empty.
    """

    text: Text
    boundary: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()


class PageCorrections(_Model):
    """The corrections of a page.

    Attributes:
        image: SHA-256 of the page image that they were written on; empty if nobody knows.
        source: Of which page of which scan that image was made: ``<sha256 of the file>:<index>``; empty if unknown.
        width, height: Of that image; 0 if unknown.
        lines: By line id, as the page had it then.
        reviewed: Whether a person said that they went through the whole page.
    """

    schema_version: Literal[2] = 2
    image: str = ""
    source: str = ""
    width: int = 0
    height: int = 0
    lines: dict[str, Correction] = {}
    reviewed: bool = False

    def scale_to(self, page: Page) -> tuple[float, float]:
        """By what factors places across and down become places on a page image of the same picture."""
        return (
            page.width / self.width if self.width else 1.0,
            page.height / self.height if self.height else 1.0,
        )

    def key(self) -> Any:
        """What exports depend on; of a file by hand it is what it always was."""
        if not self.image and not any(each.boundary or each.baseline for each in self.lines.values()):
            return {name: each.text for name, each in self.lines.items()}
        return self.model_dump(mode="json")


class _Note(_Model):
    """On which image a file by hand was written.

    Attributes:
        corrections: SHA-256 of that file: when a person changes it, the note does not hold any more.
    """

    corrections: str
    image: str
    source: str = ""
    width: int = 0
    height: int = 0


def stored_corrections(folder: DocumentFolder, number: int) -> PageCorrections:
    """What people wrote on a page, cleaned like any other text.

    Raises:
        DocumentFailed: The file is damaged. It is this document's trouble, and stops no other one.
    """
    path = folder.correction(number)
    try:
        data = read_json(path) or {}
        if isinstance(data, dict) and data.get("schema_version") == 2:
            return PageCorrections.model_validate(data)
        texts = _BY_HAND.validate_python(data)
    except (ValidationError, StorageError):
        # Never "delete it": it is the one thing here that no machine can make again.
        raise DocumentFailed(
            f"the corrections in {printable(path)} cannot be read", remedy="Mend the file or restore it from a backup."
        ) from None
    lines = {name: Correction(text=text) for name, text in texts.items()}
    note = _note(folder, number) if lines else None
    if note is None:
        return PageCorrections(lines=lines)
    return PageCorrections(image=note.image, source=note.source, width=note.width, height=note.height, lines=lines)


def note_image(folder: DocumentFolder, number: int, image: PageImage) -> None:
    """Note which image a file by hand was written on, before that image is replaced or removed.

    Raises:
        StorageError: It cannot be written; then the image must stay.
    """
    digest = _digest(folder, number)
    if digest is None or _note(folder, number) is not None:
        return
    try:
        if stored_corrections(folder, number).image:
            return
    except DocumentFailed:
        return  # whoever mends it changes it, and what was noted would not hold
    note = _Note(corrections=digest, image=image.sha256, source=image.source, width=image.width, height=image.height)
    write_json(_note_path(folder, number), note.model_dump(mode="json"))


def _note_path(folder: DocumentFolder, number: int) -> Path:
    return folder.root / "correction-images" / f"{number:04d}.json"


def _note(folder: DocumentFolder, number: int) -> _Note | None:
    """The note beside a file by hand, if it is about the file as it is now."""
    try:
        data = read_json(_note_path(folder, number))
        note = _Note.model_validate(data) if data else None
    except (StorageError, ValidationError):
        return None  # a note of another version; without one, names count, as before there were notes
    return note if note is not None and note.corrections == _digest(folder, number) else None


def _digest(folder: DocumentFolder, number: int) -> str | None:
    """SHA-256 of a page's file of corrections; None if there is none."""
    try:
        return hashlib.sha256(folder.correction(number).read_bytes()).hexdigest()
    except OSError:
        return None
