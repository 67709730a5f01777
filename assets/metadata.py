"""What an archivist sees beside a document in the UI."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import dagster as dg

from archive_pipeline.errors import printable
from archive_pipeline.page import DOUBTFUL
from archive_pipeline.processing.results import PageOutcome, StageResult

_MOST_ROWS = 50
_COLUMNS = dg.TableSchema(
    columns=[
        dg.TableColumn("page", "int"),
        dg.TableColumn("status", "string"),
        dg.TableColumn("confidence", "float"),
        dg.TableColumn("why", "string"),
    ]
)


def exports_metadata(exports: Path, link: Callable[[str], str | None]) -> dict[str, Any]:
    """Where the exports of a document are: links for a browser, and the folder.

    Args:
        link: Gives the web address of an export, if there is one.
    """
    files = {"reading view": "view/index.html", "searchable PDF": "document.pdf", "text": "document.txt"}
    there = {label: link(path) for label, path in files.items() if (exports / path).is_file()}
    metadata: dict[str, Any] = {label: dg.MetadataValue.url(url) for label, url in there.items() if url}
    metadata["exports"] = dg.MetadataValue.path(exports)
    return metadata


def stage_metadata(result: StageResult) -> dict[str, Any]:
    """Pages, lines, confidence, a picture, and the pages that need an eye."""
    pages = result.outcomes
    counts = {status: sum(page.status == status for page in pages) for status in dict.fromkeys(p.status for p in pages)}
    metadata: dict[str, Any] = {
        "pages": len(pages),
        "page status": ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in counts.items()),
        "seconds": round(result.seconds, 1),
    }
    if result.stage != "page_images":
        metadata["lines"] = sum(page.lines for page in pages)
        sure = [page.confidence for page in pages if page.confidence is not None]
        if sure:
            metadata["mean confidence"] = round(fmean(sure), 4)
        table = attention_table(pages)
        metadata["pages that need an eye"] = table if table.records else "none"
    if result.preview is not None:
        data = base64.b64encode(result.preview).decode()
        metadata["preview"] = dg.MetadataValue.md(f"![page with its lines](data:image/jpeg;base64,{data})")
    if result.chosen:
        lines = [f"{name.replace('_', ' ')} {each['value']} ({each['from']})" for name, each in result.chosen.items()]
        metadata["read with"] = dg.MetadataValue.md("\n".join(f"- {plain_markdown(line)}" for line in lines))
    if result.notes:
        metadata["notes"] = dg.MetadataValue.md("\n".join(f"- {plain_markdown(note)}" for note in result.notes))
    return metadata


def attention_table(pages: tuple[PageOutcome, ...]) -> dg.TableMetadataValue:
    """Pages that failed, were not read in part, or were read with doubt; the worst first."""
    rows = [
        (page.status != "failed", page.confidence if page.confidence is not None else 1.0, page)
        for page in pages
        if page.status == "failed" or (page.status == "done" and (page.reason or (page.confidence or 1) < DOUBTFUL))
    ]
    rows.sort(key=lambda row: (row[0], row[1], row[2].number))
    records = [
        dg.TableRecord(
            {
                "page": page.number,
                "status": page.status,
                "confidence": -1.0 if page.confidence is None else page.confidence,
                "why": printable(page.reason) or "Read with doubt.",
            }
        )
        for _, _, page in rows[:_MOST_ROWS]
    ]
    return dg.MetadataValue.table(records, _COLUMNS)


def plain_markdown(text: str) -> str:
    """Text of a document's name or maker must not become a link or a picture in the UI."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|" else c for c in printable(text))


def shown_as_it_is(text: str) -> str:
    """Text of many lines as a block of code, in which the UI makes nothing of anything."""
    return "\n".join(f"    {printable(line)}" for line in text.splitlines())
