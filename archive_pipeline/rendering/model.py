"""What rendering gives to the rest of the house."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from archive_pipeline.page import Page

Matrix = tuple[float, float, float, float, float, float]
"""``(a, b, c, d, e, f)``: ``x' = a·x + c·y + e``, ``y' = b·x + d·y + f``, as in PDF."""

Method = Literal["embedded-image", "rendered", "image-file"]
SourceKind = Literal["pdf", "image"]


@dataclass(frozen=True)
class RenderOptions:
    """How page images are made, and what is refused.

    Attributes:
        dpi: For PDF pages that are not one full-page image.
        max_pixels: Largest page image, checked before anything is decoded.
        max_pages: Most pages of one document.
        born_digital: ``keep`` the text of pages that have real text, or ``redo`` it.
    """

    dpi: int = 300
    max_pixels: int = 200_000_000
    max_pages: int = 20_000
    born_digital: Literal["keep", "redo"] = "keep"


class SourceInfo(BaseModel):
    """What one source file is, found by its bytes and not by its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: SourceKind
    media_type: str
    pages: int = Field(ge=1)


class PageImage(BaseModel):
    """A page image file and how it came about.

    Attributes:
        number: Page of the document, from 1.
        file: Name of the image file, in the folder that this record is in; upright, as a reader holds it.
        sha256: Of that file.
        dpi: 0 if unknown.
        method: ``embedded-image`` (the PDF page is this one image), ``rendered``, or ``image-file``.
        placement: From pixels of the page image to PDF user space in points (origin bottom left, before /Rotate); None
            for an image source.
        text: The page's own text as a ``Page``, if it is born digital and its text is kept.
        source: Of which page of which file it was made, ``<sha256>:<index>``; the parent's, empty in older records.
        made_from: Digest of what this was made from: it is reused while that is unchanged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(ge=1)
    file: str
    sha256: str
    width: int = Field(ge=1)
    height: int = Field(ge=1)
    dpi: float = 0
    method: Method
    placement: Matrix | None = None
    text: Page | None = None
    source: str = Field("", exclude_if=lambda value: not value)
    made_from: str = ""
