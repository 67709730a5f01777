"""The last stage: the exports of a document, at the end of a run or again from what is stored."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from archive_pipeline.durable import TEMPORARY_SUFFIX, digest_of, read_json, storage_error
from archive_pipeline.errors import ArchiveError, UsageError
from archive_pipeline.exports.formats import PDF, choose
from archive_pipeline.intake import Source, discover
from archive_pipeline.processing.delivery import copy_exports
from archive_pipeline.processing.document_exports import make_exports
from archive_pipeline.processing.inspection import stored_inspection
from archive_pipeline.processing.ledger import outcome_of
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import KnownDocument
from archive_pipeline.processing.results import PageOutcome, StageResult
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.store import DocumentFolder


def export_document(
    work: KnownDocument,
    selected: frozenset[int],
    outcomes: tuple[PageOutcome, ...],
    began: float,
    elsewhere: Path | None = None,
) -> StageResult:
    """Make the exports, unless they are there and were made from the same.

    Args:
        work: The document.
        selected: Pages that were asked for.
        outcomes: How each page stands.
        began: ``time.monotonic()`` when work on the document began.
        elsewhere: A folder to write them to instead of the document's own.

    Raises:
        ArchiveError: As :func:`~archive_pipeline.processing.document_exports.make_exports`.
    """
    make_exports(work, work.source.path.name, selected, work.inspection.notes, elsewhere)
    manifest = read_json((elsewhere or work.folder.exports) / "manifest.json")
    return StageResult(
        "document_exports",
        work.folder.key,
        digest_of(manifest["formats"]),
        outcomes,
        time.monotonic() - began,
        None,
        (*manifest["notes"], *_pdf_notes(manifest)),
        manifest["chosen"],
    )


def _pdf_notes(manifest: dict[str, Any]) -> tuple[str, ...]:
    pdf = manifest.get("pdf") or {}
    ordinary = (f"The PDF is not PDF/A: {pdf['reason']}",) if pdf and not pdf["pdfa"] else ()
    return (*ordinary, *pdf.get("notes", ()))


def export_stored(folder: DocumentFolder, options: ProcessingOptions, out: Path | None = None) -> StageResult:
    """Make a document's exports from its stored pages; no engine is loaded and no page is read.

    The source is needed for the PDF alone, so that without one the exports of a source that is gone can be made.

    Args:
        folder: The document.
        options: Which formats, and how.
        out: Where to write them, to ``out/<key>/``; by default the document's own exports are replaced.

    Raises:
        UsageError: There is no such document.
        ArchiveError: Nothing of it is stored yet, or the exports could not be made.
        DocumentBusy: Another process is writing this document.
    """
    began = time.monotonic()
    record: dict[str, str] | None = read_json(folder.source)
    if record is None:
        raise UsageError("there is no such document", document=folder.key)
    try:
        with folder.lock():
            work, selected, outcomes = _stored(folder, options, Path(record["origin"]))
            if out is None:
                return export_document(work, selected, outcomes, began)
            with _scratch(folder) as elsewhere:
                result = export_document(work, selected, outcomes, began, elsewhere)
                copy_exports(elsewhere, out / folder.key)
            return result
    except ArchiveError as error:
        raise error.at(document=folder.key) from None


@contextmanager
def _scratch(folder: DocumentFolder) -> Iterator[Path]:
    """A folder beside the page images, where they can be linked; what a kill leaves of it the next lock clears away."""
    try:
        made = tempfile.TemporaryDirectory(suffix=TEMPORARY_SUFFIX, prefix=".exports-", dir=folder.root)
    except OSError as error:
        raise storage_error(error, folder.root) from error
    with made as name:
        yield Path(name)


def _stored(
    folder: DocumentFolder, options: ProcessingOptions, path: Path
) -> tuple[KnownDocument, frozenset[int], tuple[PageOutcome, ...]]:
    """The document, the pages that its last run was asked for, and how each page stands."""
    inspection = stored_inspection(folder)
    numbers = range(1, len(inspection.pages) + 1) if inspection else ()
    if inspection is None or not any(folder.layout(number).is_file() for number in numbers):
        raise ArchiveError("nothing of it is stored yet", remedy="Run it first.")
    source = Source(path, "file", (), 0)
    if PDF in {each.name for each in choose(options.formats)}:
        try:
            source = discover(path, max_file_mb=options.max_file_mb, max_pages=options.max_pages)
        except ArchiveError as error:
            raise ArchiveError(
                f"the PDF needs the source: {error.what}", remedy="Put it back, or choose --formats without pdf."
            ) from None
    record = stored_choices(folder)
    work = KnownDocument(folder, source, inspection, options, choices=record.choices if record else None)
    # Those that the last run was asked for, so that the others say the same as before.
    selected = frozenset((read_json(folder.exports_record) or {}).get("selected") or numbers)
    outcomes = tuple(
        outcome_of(folder, number, selected=number in selected, images_suffice=False, reused=True) for number in numbers
    )
    return work, selected, outcomes
