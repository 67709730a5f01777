"""The text for the search, as classic scripts: a page that was opened from a folder may load nothing else.

A script calls ``archiveView.add`` with pages, each ``[file name, number, [[anchor, line number, text], …]]``. They are
cut into pieces, so that neither this program nor the browser needs a large document in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive_pipeline.durable import write_bytes
from archive_pipeline.exports.reading_view.page_view import PageView
from archive_pipeline.exports.reading_view.scripts import call

FOLDER = "search"
PIECE = 400_000
"""Bytes after which a new piece begins."""


class SearchIndex:
    """Collects pages and writes each piece as soon as it is full.

    Args:
        folder: The view's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages: list[bytes] = []
        self.pieces = 0

    def add(self, number: int, name: str, view: PageView) -> Iterator[Path]:
        """Take a page, and yield the file that it filled."""
        lines = [[line.anchor, line.number, line.text] for line in view.lines() if line.text]
        if lines:
            self._pages.append(call("add", [name, number, lines]))
        if sum(map(len, self._pages)) >= PIECE:
            yield self._write()

    def finish(self) -> Iterator[Path]:
        """Write what is left."""
        if self._pages:
            yield self._write()

    def _write(self) -> Path:
        self.pieces += 1
        path = self._folder / FOLDER / f"{self.pieces:04d}.js"
        write_bytes(path, b"".join(self._pages))
        self._pages = []
        return path
