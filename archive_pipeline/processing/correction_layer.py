"""What people wrote on a page, and on which lines of it that holds now.

``corrections/0001.json`` is written by people and for them: by hand as ``{"line id": "text"}``, or by ``corrections
import`` with the page image that it was written on and the place of each line. No run writes there.

A line's name says nothing by itself. When a document is segmented anew, ``l1`` is another line; when its scan is
replaced, it is a line of another picture. So corrections that know their place are put where that is, and corrections
of another picture are put nowhere: both stay in the file and are told. Files by hand know neither; before a run
replaces the page image, it notes beside them on which one they were written (``correction-images/0001.json``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import DocumentFailed, StorageError, printable
from archive_pipeline.ground_truth.matching import match_lines, scaled
from archive_pipeline.ground_truth.xml import direction_of
from archive_pipeline.page import Line, Page, Point, Text
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder

_BY_HAND = TypeAdapter(dict[str, Text])
_TURNED = 0.02
"""How far the shapes of two renderings of one scan may differ."""


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
    """

    schema_version: Literal[2] = 2
    image: str = ""
    source: str = ""
    width: int = 0
    height: int = 0
    lines: dict[str, Correction] = {}

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


@dataclass(frozen=True)
class Applied:
    """Corrections on the lines that a page has now.

    Attributes:
        texts: Line id of the page -> text.
        drawn: Corrected lines that know their place, and where the machine has no such line: with the text in
            ``correction``, in pixels of the page, under ids that the page does not have.
        lost: Ids of corrections that are nowhere on the page.
        other_picture: They were written on another picture, so that none of them is on the page.
    """

    texts: dict[str, str]
    drawn: tuple[Line, ...] = ()
    lost: tuple[str, ...] = ()
    other_picture: bool = False


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


def corrections_on(page: Page, image: PageImage | None, layer: PageCorrections) -> Applied:
    """Put corrections on the lines of a page, by their place where they know it, else by their names.

    Args:
        page: As a machine read it, or its lines before.
        image: Record of its page image.
    """
    if not layer.lines:
        return Applied({})
    if not _same_picture(page, image, layer):
        return Applied({}, lost=tuple(sorted(layer.lines)), other_picture=True)
    homes = homes_of(page, layer)
    texts = {home: layer.lines[name].text for name, home in homes.items()}
    placed = drawn_lines(page, layer, homes)
    drawn = tuple(line for name, line in placed.items() if layer.lines[name].text.strip())
    return Applied(texts, drawn, lost=tuple(sorted(layer.lines.keys() - homes.keys() - placed.keys())))


def drawn_lines(page: Page, layer: PageCorrections, homes: Mapping[str, str]) -> dict[str, Line]:
    """Name of each correction that knows its place, where the page has no such line -> that line.

    Args:
        homes: As :func:`homes_of` gives them.

    Returns:
        In pixels of the page, with the text in ``correction``, which may be empty, under ids that the page does not
        have.
    """
    taken = {line.id for line in page.lines()}
    return {
        name: _drawn(name if name not in taken else f"{name}-by-people", layer.lines[name], layer.scale_to(page))
        for name in sorted(layer.lines.keys() - homes.keys())
        if layer.lines[name].boundary or layer.lines[name].baseline
    }


def _drawn(name: str, correction: Correction, scale: tuple[float, float]) -> Line:
    line = Line(
        id=name,
        boundary=correction.boundary,
        baseline=correction.baseline,
        correction=correction.text,
        direction=direction_of(correction.text),
    )
    return scaled(line, *scale)


def homes_of(page: Page, layer: PageCorrections) -> dict[str, str]:
    """Name of each correction -> id of the line of the page that has its place now; of the same picture."""
    lines = list(page.lines())
    names = {line.id for line in lines}
    placed = {name: each for name, each in layer.lines.items() if each.boundary or each.baseline}
    across, down = layer.scale_to(page)
    now = {line.id: line for line in lines}
    if across == down == 1 and all(_unmoved(now.get(name), each) for name, each in placed.items()):
        homes = {name: name for name in placed}
    else:
        order = sorted(placed)
        then = [
            scaled(Line(id=name, boundary=placed[name].boundary, baseline=placed[name].baseline), across, down)
            for name in order
        ]
        homes = {order[one]: lines[other].id for one, other in match_lines(then, lines).items()}
    free = names - set(homes.values())
    return homes | {name: name for name in layer.lines.keys() - placed.keys() if name in free}


def _unmoved(line: Line | None, correction: Correction) -> bool:
    return line is not None and (line.boundary, line.baseline) == (correction.boundary, correction.baseline)


def _same_picture(page: Page, image: PageImage | None, layer: PageCorrections) -> bool:
    """Whether a page shows what the corrections were written on: the same image, or the same scan rendered anew."""
    now = page.image_digest or (image.sha256 if image else "")
    if not layer.image or not now or layer.image == now:
        return True
    if image is None or not layer.source or image.source != layer.source:
        return False
    if not layer.width or not layer.height:
        return True
    across, down = page.width / layer.width, page.height / layer.height
    return abs(across - down) <= _TURNED * max(across, down)


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
