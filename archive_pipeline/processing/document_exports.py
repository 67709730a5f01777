"""Making the exports of a document from its stored pages."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archive_pipeline import __version__
from archive_pipeline.durable import TEMPORARY_SUFFIX, digest_of, read_json, storage_error, write_json
from archive_pipeline.errors import ChildError, PageTimeout
from archive_pipeline.exports.base import ExportDocument, ExportOptions, LazySequence
from archive_pipeline.exports.formats import PDF, FinishedPdf, choose, write_exports
from archive_pipeline.exports.pdf_report import PdfMetadata, PdfReport
from archive_pipeline.page import Page
from archive_pipeline.processing.correction_layer import stored_corrections
from archive_pipeline.processing.page_job import KnownDocument, require_unchanged
from archive_pipeline.processing.pdf_worker import NAME
from archive_pipeline.processing.stored_pages import (
    applied_corrections,
    page_to_export,
    stored_failure,
    stored_image,
    stored_page,
)
from archive_pipeline.sealed import Limits, SealedChild, open_result
from archive_pipeline.store import DocumentFolder

_ENTRY = "archive_pipeline.processing.pdf_worker:handle"
_PDF_SECONDS = 60.0
_PDF_SECONDS_PER_PAGE = 2.0
_MAX_PDF_BYTES = 1 << 36


def exports_key(work: KnownDocument, title: str, selected: frozenset[int]) -> str:
    """Digest of everything that the exports are made from."""
    pages = []
    for number in range(1, len(work.inspection.pages) + 1):
        image = stored_image(work.folder, number)
        read = stored_page(work.folder.transcription(number)) or stored_page(work.folder.layout(number))
        failure = stored_failure(work.folder, number)
        pages.append(
            (
                image.sha256 if image else None,
                read.version if read else None,
                failure.reason if failure else None,
                stored_corrections(work.folder, number).key(),
                number in selected,
            )
        )
    wanted = ([each.name for each in choose(work.options.formats)], asdict(_options(work)))
    chosen = work.choices.told() if work.choices else {}
    return digest_of("exports", __version__, work.inspection.sha256, work.inspection.date, title, wanted, pages, chosen)


def _lost(folder: DocumentFolder, count: int) -> Iterator[str]:
    for number in range(1, count + 1):
        applied = applied_corrections(folder, number)
        file = folder.correction(number).relative_to(folder.root)
        if applied.other_picture:
            yield (
                f"Page {number}: {file} was written on another picture, and none of its {len(applied.lost)} lines is "
                "on the page. If the page is the same, correct it again or import the corrections again."
            )
        elif applied.lost:
            yield f"Page {number}: {file} corrects lines that are not on the page: {', '.join(applied.lost)}."


def _options(work: KnownDocument) -> ExportOptions:
    return ExportOptions(work.options.base_url.rstrip("/"), work.options.alto_version)


def make_exports(
    work: KnownDocument,
    title: str,
    selected: frozenset[int],
    notes: tuple[str, ...],
    elsewhere: Path | None = None,
) -> bool:
    """Write the exports, unless they are there and were made from the same.

    Args:
        title: The document's own name, for people.
        selected: Pages that were asked for.
        notes: What a person should know of the document.
        elsewhere: A folder to write them to instead of the document's own, which stays as it is.

    Returns:
        Whether anything was written.

    Raises:
        ArchiveError: The exports could not be made; those of before are still there, or some of them are renewed and
            the next run renews the rest.
    """
    made_from = exports_key(work, title, selected)
    manifest = work.folder.exports / "manifest.json"
    record: dict[str, Any] = read_json(work.folder.exports_record) or {}
    if elsewhere is None and work.options.reuse and record.get("made_from") == made_from and manifest.is_file():
        return False
    count = len(work.inspection.pages)
    language = work.choices.language if work.choices else None

    def load(index: int) -> Page:
        return page_to_export(work.folder, index + 1, selected=index + 1 in selected, language=language)

    pages = LazySequence(count, load)
    document = ExportDocument(
        key=work.folder.key,
        title=title,
        source_digest=work.inspection.sha256,
        source_date=work.inspection.date,
        pages=pages,
        images=LazySequence(count, lambda index: stored_image(work.folder, index + 1)),
        image_folder=work.folder.images,
        notes=(*notes, *_lost(work.folder, count)),
        options=_options(work),
        chosen=work.choices.told_of(pages) if work.choices else {},
    )
    if elsewhere is None:
        # A record that is older than the files would vouch for a mixture of old and new.
        work.folder.exports_record.unlink(missing_ok=True)
    with ExitStack() as stack:
        pdf = None
        if PDF in {each.name for each in choose(work.options.formats)}:
            try:
                scratch = Path(
                    stack.enter_context(
                        tempfile.TemporaryDirectory(suffix=TEMPORARY_SUFFIX, prefix=".pdf-", dir=work.folder.root)
                    )
                )
            except OSError as error:
                raise storage_error(error, work.folder.root) from error
            pdf = stack.enter_context(_Pdf(work, document, selected, scratch)).finished
        write_exports(document, elsewhere or work.folder.exports, work.options.formats, pdf=pdf)
    if elsewhere is None:
        write_json(work.folder.exports_record, {"made_from": made_from, "selected": sorted(selected)})
    return True


class _Pdf:
    """The PDF, made by a sealed child of its own, while the block lasts."""

    def __init__(self, work: KnownDocument, document: ExportDocument, selected: frozenset[int], scratch: Path) -> None:
        require_unchanged(work)
        paths = {path.name: path.resolve() for path in work.source.files}
        sources = [paths[file.name] for file in work.inspection.files]
        pages = len(document.pages)
        child = SealedChild(
            _ENTRY,
            read=[
                work.folder.root.resolve(),
                *({source.parent for source in sources} if len(sources) > 1 else sources),
            ],
            write=scratch,
            limits=Limits(memory_mb=work.options.worker_memory_mb, file_mb=2 * work.options.max_file_mb),
        )
        with child:
            try:
                answer = child.call(
                    {
                        "folder": str(work.folder.root.resolve()),
                        "pages": pages,
                        "selected": sorted(selected),
                        "language": work.choices.language if work.choices else None,
                        "sources": [str(source) for source in sources],
                        "kind": work.inspection.kind,
                        "max_pixels": work.options.max_pixels,
                        "metadata": PdfMetadata.of(document).model_dump(mode="json"),
                    },
                    timeout=_PDF_SECONDS + _PDF_SECONDS_PER_PAGE * pages,
                )
                report = PdfReport.model_validate(answer)
            except PageTimeout as error:
                raise ChildError(f"the searchable PDF was not made in time: {error.what}") from None
            except ValidationError:
                raise ChildError("the sealed child that makes the PDF gave an answer that is none") from None
        self.finished = FinishedPdf(open_result(scratch, NAME, max_bytes=_MAX_PDF_BYTES), report)

    def __enter__(self) -> _Pdf:
        return self

    def __exit__(self, *_: object) -> None:
        self.finished.file.close()
