"""``run --dry-run``: what a run would cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from statistics import median
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.choice import BUILT_IN
from archive_pipeline.processing.processor import Processor
from archive_pipeline.settings import Settings
from archive_pipeline.store import Store

_SECONDS_A_PAGE = {"ppocr": 2.5, "kraken": 12.0}  # of one worker, where nothing was measured here yet
_EXPORT_SHARE = 0.1  # of the source's size, for text layers and XML


def print_estimate(
    processor: Processor,
    store: Store,
    settings: Settings,
    keys: list[DocumentKey],
    refused: dict[str, ArchiveError],
    as_json: bool,
) -> None:
    """Say how many pages, minutes and megabytes each document would take, and which models; nothing is processed."""
    rows: list[dict[str, Any]] = []
    for key in keys:
        try:
            inspection = processor.inspect(key)
            choices = processor.decide(key).choices
        except ArchiveError as error:
            refused[key] = error.at(document=key)
            continue
        pages = len(inspection.pages)
        size = sum(file.size for file in inspection.files)
        seconds = pages * _seconds_a_page(store, key, choices.engine) / settings.workers
        rows.append(
            {
                "document": str(key),
                "pages": pages,
                "minutes": round(seconds / 60, 1),
                # Page images and the searchable PDF are about as large as the source.
                "megabytes": round(size * (2 + _EXPORT_SHARE) / 1e6, 1),
                "chosen": choices.told(),
            }
        )
    if as_json:
        errors = {name: str(error) for name, error in refused.items()}
        click.echo(json.dumps({"documents": rows, "refused": errors}, ensure_ascii=False, indent=1))
        return
    table = Table("document", "pages", "minutes", "MB", "read with", box=None, pad_edge=False)
    for row in rows:
        figures = (str(row[name]) for name in ("pages", "minutes", "megabytes"))
        table.add_row(Text(row["document"]), *figures, Text(_told(row["chosen"])))
    total = [sum(row[name] for row in rows) for name in ("pages", "minutes", "megabytes")]
    table.add_row("all", *(f"{value:.1f}" if isinstance(value, float) else str(value) for value in total))
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
    for refusal in refused.values():
        click.echo(f"Error: {refusal}", err=True)


def _told(chosen: Mapping[str, Mapping[str, str]]) -> str:
    """The models, and whatever else somebody chose."""
    shown = {"segmentation_model", "model"} | {name for name, each in chosen.items() if each["from"] != BUILT_IN}
    return printable(", ".join(f"{each['value']} ({each['from']})" for name, each in chosen.items() if name in shown))


def _seconds_a_page(store: Store, key: DocumentKey, engine: str) -> float:
    """As measured when this document was run before, else a usual figure."""
    report = read_json(store.document(key).run_report) or {}
    totals = [page["total"] for page in report.get("pages", {}).values()]
    return median(totals) if totals else _SECONDS_A_PAGE.get(engine, max(_SECONDS_A_PAGE.values()))
