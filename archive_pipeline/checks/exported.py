"""The exports of a document: do they have every page and line, can they be read, has the PDF its text?

PAGE and ALTO files are read back by our own reader (``ground_truth``), which parses without entities, network or
document types, and refuses what breaks the format. Their schemas come with no dependency of the running product, so
files are held against those in tests only; see docs/adr/0013-checks-and-report.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive_pipeline.checks.findings import Finding
from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.ground_truth.files import read
from archive_pipeline.page import Page
from archive_pipeline.processing.stored_pages import page_to_export
from archive_pipeline.store import DocumentFolder

TEXT_FOUND = 0.98
"""Share of a page's letters that its text in the PDF should have; extractors lose a mark here and there."""
_TEXT_LOST = 0.5
_READABLE = {"page": "PAGE", "alto": "ALTO"}


@dataclass(frozen=True)
class Exports:
    """What the manifest says, as far as it can be believed.

    Attributes:
        formats: Paths below the exports folder, by format.
        pages: Rows of its pages.
        pdf: How the PDF turned out; empty if there is none.
        source: SHA-256 of the scan that they were made from.
    """

    folder: Path
    formats: dict[str, list[str]]
    pages: list[dict[str, Any]]
    pdf: dict[str, Any]
    source: str

    @classmethod
    def of(cls, folder: DocumentFolder) -> Exports | None:
        """The exports of a document; None if there are none, or they are just being made.

        Raises:
            StorageError: The manifest is damaged.
        """
        if not folder.exports_record.is_file():
            return None
        data = read_json(folder.exports / "manifest.json")
        if data is None:
            return None
        formats = {name: [str(row["path"]) for row in rows] for name, rows in data["formats"].items()}
        return cls(folder.exports, formats, list(data["pages"]), data.get("pdf") or {}, data["source"]["sha256"])


def are_older(folder: DocumentFolder) -> bool:
    """Whether something was read or corrected after the exports were made."""
    made = folder.exports_record.stat().st_mtime_ns
    return any(
        path.exists() and path.stat().st_mtime_ns > made for path in (folder.ledger, folder.correction(1).parent)
    )


def page_counts(exports: Exports, pages: int) -> Iterator[Finding]:
    """Findings of ``nothing_lost``: pages in are pages out."""
    if len(exports.pages) != pages:
        yield Finding("nothing_lost", "loss", f"the source has {pages} pages, the exports {len(exports.pages)}")
    for name in _READABLE:
        if name in exports.formats and len(exports.formats[name]) != pages:
            found = len(exports.formats[name])
            yield Finding("nothing_lost", "loss", f"the source has {pages} pages, {_READABLE[name]} {found}")
    if exports.pdf and exports.pdf.get("pages") != pages:
        yield Finding("nothing_lost", "loss", f"the source has {pages} pages, the PDF {exports.pdf.get('pages')}")


def page_files(folder: DocumentFolder, exports: Exports, number: int, selected: bool) -> Iterator[Finding]:
    """Findings of ``valid_exports`` and ``nothing_lost`` on one page."""
    page: Page | None = None
    for name, label in _READABLE.items():
        paths = [path for path in exports.formats.get(name, ()) if Path(path).stem == f"{number:04d}"]
        if name not in exports.formats:
            continue
        if not paths:
            yield Finding("nothing_lost", "loss", f"there is no {label} of it", number)
            continue
        try:
            found = read(exports.folder / paths[0]).page
        except ArchiveError as error:
            yield Finding("valid_exports", "loss", f"{paths[0]} cannot be read: {printable(error.what)[:200]}", number)
            continue
        page = page or page_to_export(folder, number, selected=selected)
        yield from compare(label, page, found, number)


def compare(label: str, page: Page, found: Page, number: int) -> Iterator[Finding]:
    """What a page that was read back from a file lacks."""
    before, after = sum(1 for _ in page.lines()), sum(1 for _ in found.lines())
    # ALTO has no blocks without lines: one that was read as a whole becomes lines there.
    if after < before:
        yield Finding("nothing_lost", "loss", f"{label} has {after} of {before} lines", number)
    elif letters(page.text) != letters(found.text):
        yield Finding("nothing_lost", "loss", f"the text in {label} is not the text that was read", number)


def letters(text: str) -> str:
    """A text without blanks, in NFC."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", text))


def text_layer(exports: Exports) -> Iterator[Finding]:
    """Findings of ``text_layer``, from what the sealed child that wrote the PDF has read back of it."""
    for number, share in enumerate(exports.pdf.get("text_found") or (), start=1):
        if share is not None and share < TEXT_FOUND:
            what = f"the PDF has {share:.0%} of its text"
            yield Finding("text_layer", "loss" if share < _TEXT_LOST else "eye", what, number)
