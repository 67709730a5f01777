"""``pages/0001.json``: the page as this program knows it, all of it, with its schema version."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_pipeline.durable import to_json
from archive_pipeline.exports.base import ExportDocument, write_pages
from archive_pipeline.page import Page


def render(page: Page) -> bytes:
    """A page as stable JSON; ``Page.model_validate_json`` reads it back."""
    return to_json(page.model_dump(mode="json"))


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one JSON file per page."""
    return write_pages(document, folder, "pages/{:04d}.json", lambda page, _: render(page))
