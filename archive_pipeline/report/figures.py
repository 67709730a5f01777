"""The report for machines: plain values, as ``report --json`` prints them."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

import pandas as pd

from archive_pipeline.report.make import Report
from archive_pipeline.report.webpage import rows
from archive_pipeline.report.wording import of_accuracy


def figures(report: Report) -> dict[str, Any]:
    """All but the two long tables, which are in Parquet. Error rates are in percent; what is not known is null."""
    known = report.accuracy
    return {
        "made": report.made.isoformat(timespec="seconds"),
        "seconds": round(report.seconds, 2),
        "documents": len(report.documents),
        "pages": report.pages.pages,
        "standings": dict(report.standings),
        "statuses": report.pages.statuses,
        "uploads": dict(report.uploads),
        "accuracy": {
            "said": of_accuracy(known),
            "overall": asdict(known.overall) if known.overall else None,
            "covered": known.covered,
            "by_model": {
                model: asdict(each) | {"pages": known.calibrations[model].pages}
                for model, each in known.estimates.items()
            },
            "classes": _rows(known.classes),
            "ground_truth_pages": known.whole,
            "pages_corrected_in_part": known.in_part,
        },
        "checks": {
            check: {
                "documents": each.documents,
                "losses": each.losses,
                "looked_at": each.looked_at,
                "named": [one.key for one in each.named],
            }
            for check, each in report.checks.items()
        },
        "pages_to_correct_first": [
            row | {"view": report.places.view(row["document"], row["page"])} for row in _rows(report.work)
        ],
        "failures": _rows(report.failures),
        "failed_pages": _rows(report.pages.errors),
        "languages": _rows(report.languages),
        "hands": _rows(report.hands),
        "models": _rows(report.models),
        "days": _rows(report.days),
        "pace": _rows(report.pace),
        "disk": {"bytes": report.disk.bytes, "measured": report.disk.measured, "documents": report.disk.documents},
        "damaged": report.pages.damaged,
        "rebuilt": report.rebuilt,
    }


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in rows(table)]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
