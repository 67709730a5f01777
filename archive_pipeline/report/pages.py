"""The pages of all documents, from their ledgers, one after another: no more than a few thousand lie in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from archive_pipeline.document_states import DocumentState
from archive_pipeline.durable import atomic_write
from archive_pipeline.page import clean_text
from archive_pipeline.report.corrected_pages import CorrectedPage, corrected_pages
from archive_pipeline.store import DocumentFolder

SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("page", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("error", pa.string()),
        ("lines", pa.int32()),
        ("confidence", pa.float64()),
        ("characters", pa.int64()),
        ("model", pa.string()),
    ]
)
"""``characters`` is the page's share of its document's, by lines; ``model`` is the document's recognition model."""

BINS = 200
"""Classes of confidence between 0 and 1: a page may be half a point off its own."""
CANDIDATES = 300
"""Pages of each model that are kept for the work list."""
_AT_ONCE = 20_000
_LETTERS_A_LINE = 40.0
_CLASSES = ["model", "bin", "pages", "characters", "weighted"]
_ERRORS = ["error", "pages", "document", "page", "reason"]


@dataclass
class PageFigures:
    """What all pages together say.

    Attributes:
        statuses: Pages by status.
        classes: Of pages that were read, by ``model`` and ``bin``: ``pages``, ``characters``, and ``weighted``, the sum
            of confidences times characters.
        errors: Failed pages by code of the error: ``pages``, and one of them (``document``, ``page``, ``reason``).
        doubtful: The pages that most errors are to be expected on, by doubt times characters.
        corrected: Pages with corrections.
        damaged: Documents whose ledger cannot be read.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    classes: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_CLASSES))
    errors: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=_ERRORS))
    doubtful: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SCHEMA.names))
    corrected: list[CorrectedPage] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return sum(self.statuses.values())


def read_pages(folders: Iterator[DocumentFolder], states: Mapping[str, DocumentState], target: Path) -> PageFigures:
    """Read all ledgers, write ``pages.parquet``, and sum up.

    Raises:
        StorageError, NoSpaceLeft: The table cannot be written.
    """
    figures = PageFigures()
    waiting: list[tuple[Any, ...]] = []
    with atomic_write(target) as file, pq.ParquetWriter(file, SCHEMA, compression="zstd", version="2.6") as parquet:
        for folder in folders:
            if folder.correction(1).parent.is_dir():
                figures.corrected.extend(corrected_pages(folder))
            try:
                waiting.extend(_rows(folder, states.get(folder.key)))
            except FileNotFoundError:
                continue  # not begun
            except (OSError, ValueError, KeyError, TypeError):
                figures.damaged.append(folder.key)
            if len(waiting) >= _AT_ONCE:
                _take(figures, waiting, parquet)
                waiting = []
        _take(figures, waiting, parquet)
    return figures


def _rows(folder: DocumentFolder, state: DocumentState | None) -> list[tuple[Any, ...]]:
    a_line = state.characters / state.lines if state and state.lines and state.characters else _LETTERS_A_LINE
    model = state.recognition if state else ""
    return [
        (
            folder.key,
            int(row["page"]),
            str(row["status"]),
            clean_text(row["reason"] or "") or None,
            row.get("error"),
            int(row["lines"]),
            row["confidence"],
            round(row["lines"] * a_line),
            model,
        )
        for row in json.loads(folder.ledger.read_bytes())["pages"]
    ]


def _take(figures: PageFigures, rows: Sequence[tuple[Any, ...]], parquet: Any) -> None:
    if not rows:
        return
    table = pd.DataFrame(rows, columns=SCHEMA.names)
    parquet.write_table(pa.Table.from_pandas(table, schema=SCHEMA, preserve_index=False))
    for status, count in table["status"].value_counts().items():
        figures.statuses[str(status)] = figures.statuses.get(str(status), 0) + int(count)
    read = table[(table["status"] == "done") & table["confidence"].notna()].copy()
    read["confidence"] = read["confidence"].astype("float64")
    read["bin"] = np.minimum((read["confidence"] * BINS).astype("int64"), BINS - 1)
    read["weighted"] = read["confidence"] * read["characters"]
    read["pages"] = 1
    found = pd.concat([figures.classes, read[_CLASSES]]) if len(figures.classes) else read[_CLASSES]
    figures.classes = found.groupby(["model", "bin"], as_index=False)[["pages", "characters", "weighted"]].sum()
    failed = table[table["status"] == "failed"].assign(pages=1)
    failed["error"] = failed["error"].fillna("unknown")
    bad = pd.concat([figures.errors, failed[_ERRORS]]) if len(figures.errors) else failed[_ERRORS]
    how = {"pages": "sum", "document": "first", "page": "first", "reason": "first"}
    figures.errors = bad.groupby("error", as_index=False).agg(how)
    doubt = read.assign(doubt=(1 - read["confidence"]) * read["characters"]).nlargest(CANDIDATES * 2, "doubt")
    kept = pd.concat([figures.doubtful, doubt]) if len(figures.doubtful) else doubt
    # Of each model, for only within one does more doubt mean more errors.
    figures.doubtful = kept.sort_values("doubt", ascending=False, kind="stable").groupby("model").head(CANDIDATES)
