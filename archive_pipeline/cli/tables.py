"""Tables that people like to read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from archive_pipeline.cli.progress import RunRecord
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.keys import DocumentKey


def document_rows(
    keys: Sequence[DocumentKey],
    record: RunRecord,
    refused: dict[str, ArchiveError],
    delivered: dict[DocumentKey, Path],
) -> list[dict[str, Any]]:
    """One row a document, for a table or for JSON."""
    rows: list[dict[str, Any]] = []
    for key in keys:
        pages = [record.outcomes.get(key, {})[number] for number in sorted(record.outcomes.get(key, {}))]
        sure = [page.confidence for page in pages if page.confidence is not None]
        done = [page.seconds for page in pages if not page.reused]
        error = record.error_of(key)
        rows.append(
            {
                "document": str(key),
                "pages": len(pages),
                "lines": sum(page.lines for page in pages),
                "confidence": round(fmean(sure), 4) if sure else None,
                "seconds_per_page": round(fmean(done), 2) if done else None,
                "unchanged": sum(page.reused for page in pages),
                "not_read": {
                    page.number: f"{page.status}: {page.reason}" if page.reason else page.status
                    for page in pages
                    if page.status in {"failed", "skipped", "blank"}
                },
                "notes": record.notes.get(key, []),
                "output": str(delivered[key]) if key in delivered else None,
                "error": error.to_dict() | {"message": str(error)} if error else None,
            }
        )
    rows.extend(
        {"document": name, "error": error.to_dict() | {"message": str(error)}} for name, error in refused.items()
    )
    return rows


def print_documents(rows: Sequence[dict[str, Any]]) -> None:
    """Print what became of each document."""
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    table = Table("document", "pages", "lines", "confidence", "s/page", "what was skipped", box=None, pad_edge=False)
    for row in rows:
        if "pages" not in row:
            continue
        skipped = [f"{number}: {why}" for number, why in row["not_read"].items()]
        if row["unchanged"]:
            skipped.insert(0, f"{row['unchanged']} unchanged")
        table.add_row(
            Text(row["document"]),
            str(row["pages"]),
            str(row["lines"]),
            "" if row["confidence"] is None else f"{row['confidence']:.1%}",
            "" if row["seconds_per_page"] is None else f"{row['seconds_per_page']:.1f}",
            Text(printable("; ".join(skipped[:5]) + ("; and more" if len(skipped) > 5 else ""))),
        )
    if table.row_count:
        console.print(table)
    for row in rows:
        if row.get("output"):
            console.print(Text(f"{row['document']} → {row['output']}"))
        for note in row.get("notes", ()):
            console.print(Text(f"{row['document']}: {note}"), soft_wrap=True)
    errors = Console(stderr=True, soft_wrap=True)
    for row in rows:
        if row["error"]:
            errors.print(Text(f"Error: {row['error']['message']}"))
