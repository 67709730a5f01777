"""Lines as CSV and Parquet: the same rows in both, none missing, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from archive_pipeline.exports import lines_table
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Region

BOX = ((10, 20), (60, 20), (60, 30))
TEXTS = [
    "=1+1",
    "+x",
    "-x",
    "@x",
    "＝x",
    "a\x00b",
    'q"u;o,te\n',
    "😀 ſ שלום",
    "]]>",
    "x" * 10_000,
    "'=x",
    " =x",
    "NA",
    "",
]


def make() -> ExportDocument:
    lines = [Line(id=f"l{n}", boundary=BOX, text=text, confidence=0.123456) for n, text in enumerate(TEXTS)]
    lines.append(Line(id="=id", boundary=(), text="olde", correction="-old", confidence=0.5))
    pages = [
        Page(
            number=1,
            width=100,
            height=80,
            regions=(
                Region(id="a", type="heading", boundary=BOX, lines=tuple(lines)),
                Region(id="b", type="table", boundary=BOX, text="block"),
                Region(id="c", boundary=BOX),
            ),
        ),
        Page(number=2, width=1, height=1, status="failed", reason="=too large"),
        Page(number=3, width=9, height=9, status="blank"),
        Page(number=4, width=9, height=9, regions=(Region(id="c", boundary=BOX),)),
    ]
    return ExportDocument("letter-1", "t", "0" * 64, None, pages, [None] * 4, Path("images"))


def parquet_rows(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "lines.parquet").to_pylist()
    return rows


def csv_rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "lines.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_every_line_and_every_page_has_its_row(tmp_path: Path) -> None:
    assert [path.name for path in lines_table.write(make(), tmp_path)] == ["lines.csv", "lines.parquet"]
    rows = parquet_rows(tmp_path)
    lines = make().pages[0].regions[0].lines
    assert [row["text"] for row in rows[: len(lines)]] == [line.best_text for line in lines]
    assert [row["line"] for row in rows[: len(lines)]] == list(range(1, len(lines) + 1))
    corrected, block, failed, blank, empty = rows[len(lines) - 1 :]
    assert (corrected["text"], corrected["machine_text"], corrected["corrected"]) == ("-old", "olde", True)
    assert corrected["left"] is None
    assert (block["text"], block["region_type"], block["line"], block["left"]) == ("block", "table", None, 10)
    assert (failed["page"], failed["status"], failed["reason"], failed["text"]) == (2, "failed", "=too large", None)
    assert (blank["page"], blank["status"]) == (3, "blank")
    assert (empty["page"], empty["status"]) == (4, "done")
    assert [rows[0][side] for side in ("left", "top", "right", "bottom")] == [10, 20, 61, 31]


def test_no_cell_is_a_formula_and_all_else_is_as_it_was(tmp_path: Path) -> None:
    list(lines_table.write(make(), tmp_path))
    for row, original in zip(csv_rows(tmp_path), parquet_rows(tmp_path), strict=True):
        for name, value in row.items():
            assert not re.search(r"(^|;)[=+\-@\t\r\n＝＋－＠]", value), name
            text = original[name]
            if isinstance(text, str):
                assert value.replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "－1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert lines_table.cell(text) == f"'{text}"
    # Where a semicolon parts cells, it is a cell of its own.
    assert lines_table.cell(f"a;{text}") == f"a;'{text}"
    assert lines_table.cell(f"a {text.strip()}") == f"a {text.strip()}"


def test_pandas_reads_the_same_from_both_files(tmp_path: Path) -> None:
    list(lines_table.write(make(), tmp_path))
    table = pd.read_csv(tmp_path / "lines.csv", keep_default_na=False, na_values={"left": [""], "line": [""]})
    columnar = pd.read_parquet(tmp_path / "lines.parquet")
    # The first column has its plain name: the byte order mark is not part of it.
    assert list(table.columns) == list(columnar.columns) == lines_table.SCHEMA.names
    for name in ("page", "status", "line", "left"):
        pd.testing.assert_series_equal(table[name], columnar[name], check_dtype=False, check_names=True)
    assert (tmp_path / "lines.csv").read_bytes().startswith(b"\xef\xbb\xbfdocument,")


def test_two_runs_give_the_same_bytes_however_rows_are_grouped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = [path.read_bytes() for path in lines_table.write(make(), tmp_path / "a")]
    assert [path.read_bytes() for path in lines_table.write(make(), tmp_path / "b")] == first
    rows = parquet_rows(tmp_path / "a")
    monkeypatch.setattr(lines_table, "_ROWS_AT_ONCE", 5)
    list(lines_table.write(make(), tmp_path / "c"))
    assert parquet_rows(tmp_path / "c") == rows
    assert pq.ParquetFile(tmp_path / "c" / "lines.parquet").num_row_groups > 1
