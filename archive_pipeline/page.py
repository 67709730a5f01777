"""The one model of a page that every engine writes and every export reads.

Coordinates are pixels of the page image, origin top left, x to the right, y down. Order is reading order: of
regions on the page, of lines in a region, of words in a line. Text is NFC and in logical order (right-to-left text is
stored as it is typed). Where one region's lines are read between another's, the other is split into two regions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1
DOUBTFUL = 0.85
"""A confidence below this is worth a person's look."""

Point = tuple[int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; right and bottom are exclusive."""
Confidence = Annotated[float, Field(ge=0, le=1)]
Direction = Literal["ltr", "rtl", "ttb"]
RegionType = Literal[
    "text", "heading", "header", "footer", "page-number", "marginalia", "table", "caption", "stamp", "graphic", "other"
]
PageStatus = Literal["done", "blank", "born_digital", "skipped", "failed"]


def clean_text(text: str) -> str:
    """NFC, and no control characters: they are legal in no export, and no page shows them."""
    text = unicodedata.normalize("NFC", text)
    return "".join(
        " " if c in "\t\n\r\x0b\x0c\x85\u2028\u2029" else c for c in text if c in "\t\n\r\x0b\x0c\x85" or _legal(c)
    )


def _legal(char: str) -> bool:
    # XML 1.0 production 2 (Char), without the C0 and C1 controls; what is left out cannot be written in PAGE or ALTO.
    code = ord(char)
    return (0x20 <= code <= 0x7E or 0xA0 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000) and (
        code & 0xFFFE
    ) != 0xFFFE


def clean_block(text: str) -> str:
    """As :func:`clean_text`, but with its line breaks."""
    return "\n".join(map(clean_text, text.split("\n")))


Text = Annotated[str, AfterValidator(clean_text)]
BlockText = Annotated[str, AfterValidator(clean_block)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Alternative(_Model):
    """What a word may be instead: a proposal for a person's eye, which no export takes as text.

    Attributes:
        source: What proposes it, such as a word list and its language.
    """

    text: Text
    source: Text


class Word(_Model):
    """A run of text without blanks.

    Attributes:
        alternatives: The likeliest first. Left out of JSON where there are none, as pages of before have none.
    """

    text: Text
    box: Box
    confidence: Confidence | None = None
    alternatives: tuple[Alternative, ...] = Field((), exclude_if=lambda value: not value)


class Line(_Model):
    """A text line. Without ``words`` it has text only as a whole; without ``text`` it is not read yet.

    Attributes:
        baseline: Two or more points, in writing direction. May be empty if the engine gives none.
        boundary: Polygon around the ink, not closed (the first point is not repeated).
        text: What the machine read.
        correction: What a person wrote instead. A machine never sets or changes it.
    """

    id: str
    boundary: tuple[Point, ...]
    baseline: tuple[Point, ...] = ()
    text: Text = ""
    confidence: Confidence | None = None
    words: tuple[Word, ...] = ()
    correction: Text | None = None
    direction: Direction = "ltr"

    @property
    def best_text(self) -> str:
        """The correction where there is one, else the machine's text."""
        return self.text if self.correction is None else self.correction

    @property
    def box(self) -> Box:
        return bounding_box(self.boundary or self.baseline)


class Region(_Model):
    """A block of the page. One without lines but with ``text`` comes from an engine that reads blocks.

    Attributes:
        text: Of a block without lines, with a line break after each of its lines of text.
    """

    id: str
    type: RegionType = "text"
    boundary: tuple[Point, ...]
    lines: tuple[Line, ...] = ()
    text: BlockText = ""

    @property
    def box(self) -> Box:
        return bounding_box(self.boundary)


class Step(_Model):
    """Provenance: one thing that was done to the page, by what."""

    task: Literal["rendering", "segmentation", "recognition", "spelling", "text-extraction"]
    engine: str
    version: str
    model: str | None = None
    model_digest: str | None = None
    parameters: dict[str, str | int | float | bool] = {}


class Page(_Model):
    """A page image and what is known of its text.

    Attributes:
        number: From 1, in the order of the source.
        width, height: Of the page image, in pixels.
        dpi: Of the page image; 0 if unknown.
        image_digest: SHA-256 of the page image file.
        reason: Why the page is ``skipped`` or ``failed``.
    """

    schema_version: Literal[1] = 1
    number: int = Field(ge=1)
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    dpi: float = Field(0, ge=0)
    image_digest: str = ""
    status: PageStatus = "done"
    reason: str = ""
    language: str | None = None
    direction: Direction = "ltr"
    regions: tuple[Region, ...] = ()
    steps: tuple[Step, ...] = ()

    def lines(self) -> Iterator[Line]:
        """All lines in reading order."""
        for region in self.regions:
            yield from region.lines

    @property
    def text(self) -> str:
        """The page's best text: a line for each line that has text, an empty line between regions."""
        blocks = (
            "\n".join(line.best_text for line in r.lines if line.best_text) if r.lines else r.text for r in self.regions
        )
        return "\n\n".join(block for block in blocks if block.strip())

    @property
    def confidence(self) -> float | None:
        """Mean confidence over characters of what the machine read and nobody corrected; None where that is nothing."""
        pairs = [
            (line.confidence, len(line.text))
            for line in self.lines()
            if line.confidence is not None and line.text and line.correction is None
        ]
        total = sum(n for _, n in pairs)
        return sum(c * n for c, n in pairs) / total if total else None


def needs_eye(page: Page) -> str:
    """Why a person should look at a page, in a few words; empty if nobody needs to."""
    if page.status == "failed":
        return f"not read: {page.reason or 'unknown reason'}"
    if page.status == "done" and page.confidence is not None and page.confidence < DOUBTFUL:
        return f"read with {page.confidence:.0%} confidence"
    return ""


def bounding_box(points: tuple[Point, ...]) -> Box:
    """Smallest box around points; right and bottom are exclusive.

    Raises:
        ValueError: There are no points.
    """
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs) + 1, max(ys) + 1
