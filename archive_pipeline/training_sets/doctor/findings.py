"""What the doctor finds."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from archive_pipeline.errors import printable

Severity = Literal["error", "warning"]
"""An error is not trained with: the line, or the page where no line is named. A warning is, and wants a look.

Of a page that is there twice the second one is left out in any case: a warning says that nobody need do anything.
"""

Code = Literal[
    # pages
    "unreadable",
    "no-image",
    "image-size",
    "no-text",
    "page-twice",
    "text-twice",
    "in-test-set",
    # places
    "no-place",
    "polygon-broken",
    "polygon-crossing",
    "polygon-outside",
    "baseline-outside-page",
    "baseline-outside-line",
    "line-twice",
    "id-twice",
    # texts
    "empty-text",
    "text-in-wrong-line",
    "line-too-long",
    "wrong-direction",
    "unknown-character",
    "mixed-scripts",
    "mixed-characters",
    "normal-form",
    "blanks",
    # sets
    "no-writer",
    "no-licence",
    "nothing",
]


class Finding(BaseModel):
    """One thing that is wrong.

    Attributes:
        file: Name of the transcription; empty if it is about the whole set.
        line: Id of the text line; empty if it is about the page.
        index: Of the line on its page, in reading order from 0.
        row: Line of the file, from 1; 0 if unknown.
        what: In a clause.
        remedy: What to do, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Code
    severity: Severity
    file: str = ""
    line: str = ""
    index: int | None = None
    row: int = 0
    what: str
    remedy: str

    @property
    def leaves_out(self) -> bool:
        """Whether its page is left out as a whole."""
        return self.index is None and (self.severity == "error" or self.code == "page-twice")

    def __str__(self) -> str:
        place = printable(self.file) + (f":{self.row}" if self.row else "")
        line = f", line {printable(self.line)}" if self.line else ""
        begin = f"{place}{line}: " if self.file else ""
        return f"{self.severity}: {begin}{printable(self.what)} [{self.code}]. {self.remedy}"
