"""Lines of a transcription file as they stand in it, before the model cleans them: for those who look for mistakes."""

from __future__ import annotations

import re

from lxml import etree
from pydantic import BaseModel, ConfigDict

_INDEX = re.compile(r"[0-9]{1,9}")


class RawLine(BaseModel):
    """A text line of a file.

    Attributes:
        id: As the file has it; may be empty, or there twice.
        row: Line of the file on which its element begins, from 1.
        text: Its text, neither normalised nor stripped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    row: int
    text: str


def raw_lines(root: etree._Element) -> list[RawLine]:
    """The text lines of a parsed PAGE or ALTO file, in the order of the file."""
    page = etree.QName(root).localname == "PcGts"
    return [
        RawLine(
            id=(line.get("id") or line.get("ID") or ""),
            row=line.sourceline or 0,
            text=_page_text(line) if page else _alto_text(line),
        )
        for line in root.iter("{*}TextLine")
    ]


def page_status(root: etree._Element) -> str:
    """What a person said of a page in Transkribus (``NEW``, ``IN_PROGRESS``, ``DONE``, ``FINAL``, ``GT``), or ""."""
    metadata = root.find("{*}Metadata/{*}TranskribusMetadata")
    return "" if metadata is None else (metadata.get("status") or "")[:40]


def _page_text(line: etree._Element) -> str:
    def index(each: etree._Element) -> int:
        value = each.get("index") or ""
        return int(value) if _INDEX.fullmatch(value) else 0

    equivalents = sorted(line.iterfind("{*}TextEquiv"), key=index)
    if equivalents:
        return equivalents[0].findtext("{*}Unicode") or ""
    return " ".join(text for word in line.iterfind("{*}Word") if (text := word.findtext("{*}TextEquiv/{*}Unicode")))


def _alto_text(line: etree._Element) -> str:
    return " ".join(string.get("CONTENT") or "" for string in line.iterfind("{*}String"))
