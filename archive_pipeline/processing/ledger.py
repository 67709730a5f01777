"""The page ledger: how every page of a document stands, and the run report with what differs between equal runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.errors import DocumentFailed, DocumentNotServed, ServerFailed
from archive_pipeline.processing.page_job import PageReport
from archive_pipeline.processing.results import PageOutcome
from archive_pipeline.processing.stored_pages import page_to_export, stored_failure, stored_image, stored_page
from archive_pipeline.store import DocumentFolder


def outcome_of(
    folder: DocumentFolder,
    number: int,
    *,
    selected: bool = True,
    images_suffice: bool = True,
    reused: bool = False,
    seconds: float = 0.0,
) -> PageOutcome:
    """How a page stands, from the store; without ``images_suffice`` a page that has only its image is not done."""
    page = page_to_export(folder, number, selected=selected)
    status, reason = page.status, page.reason
    if status == "skipped" and selected and images_suffice and stored_image(folder, number) is not None:
        status, reason = "done", ""  # its image is there, and nobody asked for more yet
    lines = list(page.lines())
    unread = sum(not line.best_text for line in lines if line.confidence is not None)
    if status == "done" and unread:
        reason = f"{unread} of {len(lines)} lines could not be read."
    confidence = page.confidence
    failure = stored_failure(folder, number) if status == "failed" else None
    return PageOutcome(
        number=number,
        status=status,
        reason=reason,
        lines=len(lines),
        confidence=None if confidence is None else round(confidence, 4),
        reused=reused,
        seconds=seconds,
        error=failure.code if failure is not None else "",
    )


def check_budget(outcomes: Mapping[int, PageOutcome], selected: Collection[int], share: float) -> None:
    """Make sure that not too many of the selected pages failed.

    Raises:
        DocumentNotServed: More than that share of them did, or all, and each because of the server that holds a model.
        DocumentFailed: They did, for other reasons, too.
    """
    failed = [outcomes[number] for number in sorted(selected) if outcomes[number].status == "failed"]
    if not failed:
        return
    kind = failed_by(*(outcome.error for outcome in failed))
    named = ", ".join(str(outcome.number) for outcome in failed[:20]) + (" and more" if len(failed) > 20 else "")
    if len(failed) == len(selected):
        remedy = "Open the scan in a viewer; what cannot be seen there must be copied or scanned again."
        raise kind(
            f"no page could be read; page {failed[0].number}: {failed[0].reason}",
            remedy=None if kind.default_remedy else remedy,
        )
    if len(failed) > share * len(selected):
        raise kind(
            f"{len(failed)} of {len(selected)} pages failed ({named}), more than the "
            f"{share:.0%} that are allowed; page {failed[0].number}: {failed[0].reason}",
            remedy="Mend these pages, or raise ARCHIVE_MAX_FAILED_PAGES.",
        )


def failed_by(*codes: str) -> type[DocumentFailed]:
    """What a document's failure is by the errors of its pages."""
    return DocumentNotServed if set(codes) == {ServerFailed.__name__} else DocumentFailed


def write_ledger(folder: DocumentFolder, outcomes: Mapping[int, PageOutcome]) -> None:
    """Write ``ledger.json``; nothing in it differs between equal runs."""
    rows = []
    for number, outcome in sorted(outcomes.items()):
        image = stored_image(folder, number)
        layout, read = stored_page(folder.layout(number)), stored_page(folder.transcription(number))
        failure = stored_failure(folder, number)
        rows.append(
            {
                "page": number,
                "status": outcome.status,
                "reason": outcome.reason,
                "error": failure.code if failure else None,
                "lines": outcome.lines,
                "confidence": outcome.confidence,
                "image": image.sha256 if image else None,
                "layout": layout.made_from if layout else None,
                "transcription": read.made_from if read else None,
            }
        )
    data = {"schema_version": 1, "pages": rows}
    if read_json(folder.ledger) != data:
        write_json(folder.ledger, data)


def write_run_report(folder: DocumentFolder, reports: Mapping[int, PageReport], seconds: float) -> None:
    """Note seconds and memory of the pages that were done in this run, beside those of earlier runs."""
    before = read_json(folder.run_report) or {}
    pages = before.get("pages", {}) | {str(number): report.model_dump() for number, report in reports.items()}
    write_json(folder.run_report, {"last_run_seconds": round(seconds, 3), "pages_done": len(reports), "pages": pages})
