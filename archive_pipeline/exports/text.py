"""``text/0001.txt`` and ``document.txt``: the best text, a line per line, an empty line between regions.

A page that was not read is an empty file. In ``document.txt`` a form feed stands between pages, so that splitting it
at form feeds gives exactly the pages. It is the text that the PDF's text layer holds, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_pipeline.durable import atomic_write
from archive_pipeline.exports.base import ExportDocument, write_pages
from archive_pipeline.page import Page

PAGE_BREAK = "\f"


def render(page: Page) -> str:
    """The page's best text with a newline at the end, or nothing."""
    return f"{page.text}\n" if page.text else ""


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one text file per page, then the whole document."""
    yield from write_pages(document, folder, "text/{:04d}.txt", lambda page, _: render(page).encode())
    path = folder / "document.txt"
    with atomic_write(path) as file:
        for index, page in enumerate(document.pages):
            file.write((PAGE_BREAK * (index > 0) + render(page)).encode())
    yield path
