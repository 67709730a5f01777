"""What the readers of both formats share: safe parsing, errors that say where, numbers, points, names of types."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from archive_pipeline.errors import BadTranscription, NotReadable, printable
from archive_pipeline.page import Box, Direction, Page, Point, RegionType

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LARGEST = 10**6
"""Pixels: no coordinate is beyond it, in any direction."""


@dataclass(frozen=True)
class PageFile:
    """One page as a file tells it.

    Attributes:
        image: Name of the page image as the file has it; empty if it has none. Untrusted: it may be any path.
        page: What is known of the page. What the format cannot hold has the model's default.
    """

    image: str
    page: Page


def load(path: Path) -> etree._Element:
    """Parse a file without entities, network or limits lifted.

    Raises:
        NotReadable: It cannot be opened.
        BadTranscription: It is no well-formed XML, or has a document type declaration, which neither format has.
    """
    try:
        with path.open("rb") as file:
            return parse(file, str(path))
    except OSError as error:
        raise NotReadable(f"cannot be opened: {error.strerror or error}", document=str(path)) from error


def parse(file: BinaryIO, name: str) -> etree._Element:
    """Parse an open file as :func:`load` does.

    Args:
        name: For messages only.

    Raises:
        BadTranscription: As :func:`load`.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        tree = etree.parse(file, parser)
    except etree.XMLSyntaxError as error:
        raise BadTranscription(f"line {error.lineno}: {printable(error.msg)}", document=name) from error
    if tree.docinfo.internalDTD is not None:
        raise BadTranscription("it has a document type declaration, which is not allowed", document=name)
    return tree.getroot()


@dataclass(frozen=True)
class Source:
    """The file that is read, to raise errors about its elements."""

    name: str

    def error(self, element: etree._Element, what: str) -> BadTranscription:
        kind = etree.QName(element).localname
        return BadTranscription(f"line {element.sourceline}, {kind}: {printable(what)}", document=self.name)

    def required(self, element: etree._Element, path: str) -> etree._Element:
        """The descendant at a path such as ``{*}Layout/{*}Page``."""
        found = element.find(path)
        if found is None:
            raise self.error(element, f"there is no {path.replace('{*}', '')} in it")
        return found

    def number(self, element: etree._Element, name: str) -> float | None:
        """A numeric attribute; None where there is none."""
        value = element.get(name)
        if value is None or not value.strip():
            return None
        if not _NUMBER.fullmatch(value.strip()) or abs(float(value)) > _LARGEST:
            raise self.error(element, f"{name}={value[:40]!r} is no number that a page can have")
        return float(value)

    def points(self, element: etree._Element, name: str, scale: float = 1) -> tuple[Point, ...]:
        """Points in any of the forms in use (``x,y x,y``, ``x y x y``), without immediate repetitions."""
        value = element.get(name) or ""
        numbers = [float(each) for each in _NUMBER.findall(value)]
        if len(numbers) % 2 or _NUMBER.sub("", value).strip(" ,()\t\r\n") or any(abs(n) > _LARGEST for n in numbers):
            raise self.error(element, f"{name}={value[:40]!r} are no points")
        found: list[Point] = []
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            point = (round(x * scale), round(y * scale))
            if not found or found[-1] != point:
                found.append(point)
        return tuple(found)


def confidence(value: str | None) -> float | None:
    """A confidence between 0 and 1; None for anything else, such as percents, whose meaning nobody can know."""
    if value is None or not _NUMBER.fullmatch(value.strip()):
        return None
    number = float(value)
    return number if 0 <= number <= 1 else None


def corners(box: Box) -> tuple[Point, ...]:
    """The four corner pixels of a box, clockwise from the top left."""
    left, top, right, bottom = box
    return (left, top), (right - 1, top), (right - 1, bottom - 1), (left, bottom - 1)


def direction_of(text: str) -> Direction:
    """The direction that most letters of a text have (Unicode ``Bidi_Class``), for files that do not say."""
    classes = [unicodedata.bidirectional(char) for char in text]
    return "rtl" if classes.count("R") + classes.count("AL") > classes.count("L") else "ltr"


# By base name, without the subtype after ":" or "-"; SegmOnto, then PAGE, Transkribus and LADaS.
_TYPES: dict[str, RegionType] = {
    "mainzone": "text",
    "paragraph": "text",
    "titlepagezone": "heading",
    "heading": "heading",
    "title": "heading",
    "runningtitlezone": "header",
    "header": "header",
    "footer": "footer",
    "quiremarkszone": "footer",
    "quiremark": "footer",
    "signature-mark": "footer",
    "catch-word": "footer",
    "numberingzone": "page-number",
    "page-number": "page-number",
    "margintextzone": "marginalia",
    "marginalia": "marginalia",
    "footnote": "marginalia",
    "tablezone": "table",
    "table": "table",
    "caption": "caption",
    "stampzone": "stamp",
    "sealzone": "stamp",
    "stamp": "stamp",
    "graphiczone": "graphic",
    "graphic": "graphic",
    "dropcapitalzone": "graphic",
    "customzone": "other",
    "other": "other",
    "text": "text",
}


def region_type(names: Sequence[str | None]) -> RegionType | None:
    """The first of these names that says of what type a region is; None if none does.

    A subtype counts where it is a type of its own (``MainZone:heading``).
    """
    for name in names:
        base, _, subtype = (name or "").lower().partition(":")
        if subtype in {"heading", "footer", "caption"} and base.endswith("zone"):
            return _TYPES[subtype]
        if base in _TYPES:
            return _TYPES[base]
        if (start := base.partition("-")[0]).endswith("zone") and start in _TYPES:
            return _TYPES[start]
    return None
