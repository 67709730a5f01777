"""``lines.csv`` and ``lines.parquet``: every line of the document, for spreadsheets and for analysis.

Both have the same rows. A page without lines has one row with its status and reason, so that none is missing. A region
that was read as a block has one row without a line.

The CSV is for spreadsheets: UTF-8 with a byte order mark, without which Excel takes it for another encoding, and cells
that a spreadsheet would take for a formula begin with an apostrophe (OWASP, "CSV Injection"); so does what stands after
a semicolon, at which Excel parts cells in many countries. The Parquet file has the texts untouched.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from archive_pipeline.durable import atomic_write
from archive_pipeline.exports.base import ExportDocument, number
from archive_pipeline.page import Line, Page, Region, clean_text

CSV_NAME = "lines.csv"
PARQUET_NAME = "lines.parquet"
SCHEMA = pa.schema(
    [
        ("document", pa.string()),
        ("page", pa.int32()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("line", pa.int32()),
        ("region_id", pa.string()),
        ("region_type", pa.string()),
        ("line_id", pa.string()),
        ("text", pa.string()),
        ("corrected", pa.bool_()),
        ("machine_text", pa.string()),
        ("confidence", pa.float64()),
        ("left", pa.int32()),
        ("top", pa.int32()),
        ("right", pa.int32()),
        ("bottom", pa.int32()),
    ]
)
"""``line`` counts from 1 on each page. The box is in pixels of the page image; right and bottom are exclusive.

``confidence`` is the machine's in its own text; ``machine_text`` is there where a person wrote another.
"""

_ROWS_AT_ONCE = 20_000
# At the start, and after what some countries' Excel takes for the end of a cell, quoted or not.
_FORMULA = re.compile(r"(^|[;\t])([=+\-@\t\r\n＝＋－＠])")

Row = dict[str, Any]


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write both files, page by page."""
    csv_path, parquet_path = folder / CSV_NAME, folder / PARQUET_NAME
    with ExitStack() as stack:
        table = csv.writer(_Encoded(stack.enter_context(atomic_write(csv_path))))
        table.writerow(SCHEMA.names)
        parquet = stack.enter_context(
            pq.ParquetWriter(stack.enter_context(atomic_write(parquet_path)), SCHEMA, compression="zstd", version="2.6")
        )
        waiting: list[Row] = []
        for page in document.pages:
            for row in rows(document.key, page):
                table.writerow([cell(row.get(name)) for name in SCHEMA.names])
                waiting.append(row)
            # A row group for each page would be larger than its rows.
            if len(waiting) >= _ROWS_AT_ONCE:
                parquet.write_table(pa.Table.from_pylist(waiting, schema=SCHEMA))
                waiting.clear()
        parquet.write_table(pa.Table.from_pylist(waiting, schema=SCHEMA))
    yield csv_path
    yield parquet_path


class _Encoded:
    """What the CSV writer writes to: UTF-8 with a byte order mark, into a binary file that stays open."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._file.write(b"\xef\xbb\xbf")

    def write(self, text: str) -> None:
        self._file.write(text.encode())


def rows(key: str, page: Page) -> Iterator[Row]:
    """The rows of one page, by the names of :data:`SCHEMA`; what does not apply is left out."""
    common: Row = {
        "document": key,
        "page": page.number,
        "status": page.status,
        "reason": clean_text(page.reason) or None,
    }
    count = 0
    empty = True
    for region in page.regions:
        about = common | {"region_id": clean_text(region.id), "region_type": region.type}
        for line in region.lines:
            count += 1
            yield about | {"line": count} | _line(line)
        if not region.lines and region.text:
            yield about | {"text": region.text, "corrected": False} | _box(region)
        empty = empty and not region.lines and not region.text
    if empty:
        yield common


def _line(line: Line) -> Row:
    corrected = line.correction is not None
    row: Row = {
        "line_id": clean_text(line.id),
        "text": line.best_text,
        "corrected": corrected,
        "confidence": line.confidence,
    }
    return row | ({"machine_text": line.text} if corrected else {}) | _box(line)


def _box(part: Line | Region) -> Row:
    points = part.boundary or (part.baseline if isinstance(part, Line) else ())
    return dict(zip(("left", "top", "right", "bottom"), part.box, strict=True)) if points else {}


def cell(value: str | float | bool | None) -> str:
    """A cell of the CSV: no spreadsheet takes it for a formula."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case str():
            return _FORMULA.sub(r"\1'\2", value)
        case _:
            return number(value)
