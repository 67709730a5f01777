"""The table of documents: one row for each that is registered, however it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import pandas as pd

from archive_pipeline.document_states import DocumentState

WAITING = "waiting"
"""Registered, and no run has come to an end yet."""

_LEFT_OUT = ("fingerprint", "made_with", "sha256", "chosen_by")
COLUMNS = [field.name for field in fields(DocumentState) if field.name not in _LEFT_OUT]


def documents_table(keys: Sequence[str], states: Mapping[str, DocumentState]) -> pd.DataFrame:
    """One row a document, by key.

    Args:
        keys: All documents that are registered. A state of any other (a document that was deleted) is left out.
        states: How those stand that were worked on.

    Returns:
        The fields of :class:`DocumentState` without its digests; ``when`` in UTC, missing where nothing was done.
    """
    rows: list[dict[str, Any]] = []
    for key in keys:
        state = states.get(key) or DocumentState(key, "done", "", "", 0.0)
        row = asdict(state)
        if key not in states:
            row |= {"standing": WAITING, "when": None}
        rows.append(row)
    table = pd.DataFrame(rows, columns=COLUMNS)
    table["when"] = pd.to_datetime(table["when"].astype("float64"), unit="s", utc=True).dt.floor("s")
    table["confidence"] = table["confidence"].astype("float64")
    return table


def counts(table: pd.DataFrame, column: str, unknown: str = "not said") -> pd.DataFrame:
    """Documents, pages and mean confidence over pages for each value of a column, the most pages first."""
    named = table.assign(**{column: table[column].replace("", unknown)})
    weighed = named.assign(weighted=named["confidence"] * named["pages"])
    weighed["weight"] = weighed["pages"].where(weighed["confidence"].notna(), 0)
    grouped = weighed.groupby(column, sort=True)[["pages", "characters", "weighted", "weight"]].sum()
    grouped.insert(0, "documents", named.groupby(column, sort=True).size())
    grouped["confidence"] = grouped["weighted"] / grouped["weight"].where(grouped["weight"] > 0)
    ordered = grouped.sort_values(["pages", "documents"], ascending=False, kind="stable")
    return ordered.drop(columns=["weighted", "weight"]).reset_index()


def failures(table: pd.DataFrame) -> pd.DataFrame:
    """Documents that failed or were refused: how many for each reason, and one to look at."""
    bad = table[table["standing"].isin(["failed", "refused"])].sort_values("key")
    grouped = bad.groupby(["standing", "code"], sort=True)
    found = grouped.agg(documents=("key", "size"), example=("key", "first"), reason=("reason", "first"))
    found["remedy"] = grouped["remedy"].first()
    return found.reset_index().sort_values("documents", ascending=False, kind="stable").reset_index(drop=True)


def by_day(table: pd.DataFrame, days: int, until: pd.Timestamp) -> pd.DataFrame:
    """Pages of the documents whose last work ended on each of the last days (UTC), and seconds a page.

    A document counts on the day on which it was last done; what it took before is not known any more.
    """
    done = table[(table["standing"] == "done") & (table["pages"] > 0) & table["when"].notna()]
    day = done["when"].dt.floor("D")
    grouped = done.assign(day=day).groupby("day")[["pages", "seconds"]].sum()
    last = until.floor("D")
    every = pd.date_range(last - pd.Timedelta(days=days - 1), last, freq="D")
    found = grouped.reindex(every).fillna({"pages": 0, "seconds": 0.0})
    found["seconds_a_page"] = found["seconds"] / found["pages"].where(found["pages"] > 0)
    found["pages"] = found["pages"].astype("int64")
    return found.rename_axis("day").reset_index()


def pace(table: pd.DataFrame) -> pd.DataFrame:
    """Seconds a page by recognition model: median and nine of ten documents."""
    done = table[(table["standing"] == "done") & (table["pages"] > 0) & (table["seconds"] > 0)]
    each = done.assign(each=done["seconds"] / done["pages"]).groupby("recognition")["each"]
    found = pd.DataFrame({"documents": each.size(), "median": each.median(), "nine_of_ten": each.quantile(0.9)})
    return found.rename_axis("model").reset_index()
