"""What goes into the sealed child that writes the PDF and what comes out of it, beside files: both travel as JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Step, Text


class PdfMetadata(BaseModel):
    """What the PDF says of itself.

    Attributes:
        title: Used where the source PDF has no title.
        source_digest: SHA-256 of the source.
        date: Of the source, ISO 8601; None if unknown.
        steps: What was done to the pages, by what.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Text
    source_digest: str
    date: str | None = None
    steps: tuple[Step, ...] = ()

    @classmethod
    def of(cls, document: ExportDocument) -> PdfMetadata:
        return cls(
            title=document.title, source_digest=document.source_digest, date=document.date, steps=document.steps()
        )


class PdfReport(BaseModel):
    """How the PDF turned out.

    Attributes:
        pages: How many it has.
        pdfa: Whether it is a valid PDF/A-2b.
        reason: Why it is an ordinary PDF; empty for PDF/A.
        notes: What a person should know of single pages.
        text_found: Of each page, the share of its letters that can be read back from the finished PDF, 0 to 1; None
            for a page of which no text is expected. Empty where it was not looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    pages: int = Field(ge=0)
    pdfa: bool
    reason: Text = ""
    notes: tuple[Text, ...] = ()
    text_found: tuple[Annotated[float, Field(ge=0, le=1)] | None, ...] = ()
