"""The pages of a document: has each of them an outcome, and did every line that was found get through recognition?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from archive_pipeline.checks.findings import Finding, Severity
from archive_pipeline.errors import printable
from archive_pipeline.page import DOUBTFUL, Page, PageStatus
from archive_pipeline.processing.stored_pages import stored_image, stored_page
from archive_pipeline.store import DocumentFolder

_READS_BLOCKS = frozenset({"surya"})
"""Engines that may give other regions and lines than they were handed (``engines/base.py``)."""

Rows = Mapping[int, Mapping[str, Any]]
"""The rows of a ledger by page."""


def complete(pages: int, rows: Rows, *, finished: bool) -> Iterator[Finding]:
    """Findings of ``pages_complete``.

    Args:
        pages: Of the source.
        rows: Of the ledger.
        finished: Whether the document was exported since: then no page can still be waiting.
    """
    missing = [number for number in range(1, pages + 1) if number not in rows]
    if missing and not finished:
        what = f"{len(missing)} of {pages} pages were not reached: the last run was stopped or is still at work"
        yield Finding("pages_complete", "eye", what)
    elif missing:
        for number in missing:
            what = "the source has this page, but nothing says what became of it"
            yield Finding("pages_complete", "loss", what, number)
    for number, row in rows.items():
        if row.get("status") not in get_args(PageStatus):
            yield Finding("pages_complete", "loss", "the ledger has no outcome for it", number)
        elif row["status"] == "failed":
            reason = printable(row.get("reason") or "")
            severity: Severity = "eye" if reason else "loss"
            yield Finding("pages_complete", severity, reason or "it failed, and nothing says why", number)
    for number in sorted(rows.keys() - set(range(1, pages + 1))):
        yield Finding("pages_complete", "loss", f"the ledger has this page, but the source has {pages}", number)


def confidence(mean: float | None) -> Iterator[Finding]:
    """Findings of ``confidence``."""
    if mean is not None and mean < DOUBTFUL:
        yield Finding("confidence", "eye", f"read with {mean:.0%} confidence")


def between_stages(folder: DocumentFolder, number: int, row: Mapping[str, Any]) -> Iterator[Finding]:
    """Findings of ``nothing_lost`` on one page, from image to transcription."""
    if row.get("image") and stored_image(folder, number) is None:
        yield _lost("its page image is gone", number)
    layout, read = stored_page(folder.layout(number)), stored_page(folder.transcription(number))
    if row.get("layout") and layout is None:
        yield _lost("its layout is gone", number)
    if row.get("transcription") and read is None:
        yield _lost("its transcription is gone", number)
    if layout is None or read is None:
        return
    before, after = _line_ids(layout.page), _line_ids(read.page)
    if missing := before - after:
        if _by_blocks(read.page) and after | {region.id for region in read.page.regions if region.text}:
            return
        yield _lost(f"{len(missing)} of {len(before)} lines of the layout are not in the transcription", number)


def _line_ids(page: Page) -> set[str]:
    return {line.id for line in page.lines()}


def _by_blocks(page: Page) -> bool:
    return any(step.task == "recognition" and step.engine in _READS_BLOCKS for step in page.steps)


def _lost(what: str, page: int) -> Finding:
    return Finding("nothing_lost", "loss", what, page)
