"""``report/index.html``: the report for a browser, from a folder or over http, without scripts or a network.

Everything that comes from uploads (names, reasons, languages) is escaped; nothing is inline, so that the strictest
Content-Security-Policy may stand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from archive_pipeline.checks.findings import CHECKS
from archive_pipeline.durable import write_bytes
from archive_pipeline.report import plots, wording
from archive_pipeline.report.make import Report
from archive_pipeline.report.templating import environment, stylesheet

NAME, STYLE = "index.html", "style.css"
POLICY = "default-src 'none'; style-src 'self' file:; base-uri 'none'; form-action 'none'"
_MOST_ROWS = 20
_MOST_PAGES = 8

CHECK_NAMES = {
    "pages_complete": "Pages that failed or are missing",
    "confidence": "Read with doubt",
    "nothing_lost": "Lost on the way, or exports older than the text",
    "text_layer": "Text that the PDF does not give back",
    "valid_exports": "Exports that cannot be read",
}


def write_html(report: Report, out: Path) -> Path:
    """Write the page and its stylesheet.

    Raises:
        StorageError, NoSpaceLeft: They cannot be written.
    """
    write_bytes(out / STYLE, stylesheet(STYLE))
    path = out / NAME
    write_bytes(path, environment().get_template("report.html").render(**values(report)).encode())
    return path


def values(report: Report) -> dict[str, Any]:
    """What the template shows."""
    days = report.days
    done = report.standings.get("done", 0)
    return {
        "policy": POLICY,
        "made": report.made,
        "seconds": report.seconds,
        "documents": len(report.documents),
        "pages": report.pages.pages,
        "characters": int(report.documents["characters"].sum()),
        "done": done,
        "standings": [(wording.STANDINGS.get(name, name), name, n) for name, n in report.standings.items()],
        "statuses": sorted(report.pages.statuses.items(), key=lambda item: -item[1]),
        "uploads": [(wording.UPLOADS.get(name, name), n) for name, n in report.uploads.items()],
        "refused": report.refused,
        "damaged": report.pages.damaged,
        "rebuilt": report.rebuilt,
        "checks": sorted(
            ((CHECK_NAMES[check], report.checks[check]) for check in CHECKS), key=lambda each: not each[1].losses
        ),
        "accuracy": report.accuracy,
        "said": wording.of_accuracy(report.accuracy),
        "classes": rows(report.accuracy.classes),
        "estimates": sorted(report.accuracy.estimates.items()),
        "work": rows(report.work),
        "failures": rows(report.failures),
        "page_errors": rows(report.pages.errors.sort_values("pages", ascending=False)),
        "groups": [
            ("Languages", "Language", "language", rows(report.languages)),
            ("Hands", "Hand", "hand", rows(report.hands)),
            ("Recognition models", "Model", "recognition", rows(report.models)),
        ],
        "days": rows(days),
        "days_plot": plots.columns(days["pages"].tolist(), _days_label(days)),
        "pace": rows(report.pace),
        "disk": report.disk,
        "disk_rows": [(kind, n) for kind, n in sorted(report.disk.bytes.items(), key=lambda item: -item[1]) if n],
        "places": report.places,
        "most_rows": _MOST_ROWS,
        "most_pages": _MOST_PAGES,
    }


def rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as mappings, missing values as None."""
    found = table.astype(object).where(table.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in found.to_dict("records")]


def _days_label(days: pd.DataFrame) -> str:
    most, best = max(zip(days["pages"].tolist(), days["day"].tolist(), strict=True))
    return f"Pages done on each of the last {len(days)} days; most were {most:,} on {best:%d %B %Y}."
