"""The corpus report as an asset: figures and tables in the UI, a page and Parquet tables in the store."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd

from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.report.make import FOLDER, Report, make_report
from archive_pipeline.report.plots import in_text, length_in_text
from archive_pipeline.report.webpage import rows, write_html
from archive_pipeline.report.wording import STANDINGS, class_name, of_accuracy, percent, size
from assets.metadata import plain_markdown
from assets.partitions import DOCUMENTS_POOL
from resources.archive import ArchiveResource

_MOST_ROWS = 20
_LONGEST = 200


@dg.asset(
    name="corpus_report",
    group_name="documents",
    deps=["document_exports"],
    pool=DOCUMENTS_POOL,
    description="What the archive holds: documents and pages, how well they were read, what failed and why, and the "
    "pages where a person's hour helps most. As a page: report/index.html in the store.",
)
def corpus_report(archive: ArchiveResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
    """Sum up the whole store."""
    out = Path(archive.store_dir) / FOLDER
    try:
        report = make_report(
            archive.store,
            out,
            places=archive.places,
            models=Path(archive.models_dir),
            training=Path(archive.training_dir),
        )
        page = write_html(report, out)
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    return dg.MaterializeResult(metadata=report_metadata(report, page))


def report_metadata(report: Report, page: Path) -> dict[str, Any]:
    """What the UI shows; as large with a hundred thousand documents as with a hundred."""
    days, disk = report.days, report.disk
    known = report.accuracy
    found: dict[str, Any] = {
        "report": dg.MetadataValue.url(web) if (web := report.places.report) else dg.MetadataValue.path(str(page)),
        "documents": len(report.documents),
        "pages": report.pages.pages,
        **{f"documents {STANDINGS.get(name, name)}": count for name, count in report.standings.items()},
        "documents that need an eye": max((each.documents for each in report.checks.values()), default=0),
        "character errors": dg.MetadataValue.md("\n".join(f"- {plain_markdown(each)}" for each in of_accuracy(known))),
        "confidence": _table(
            known.classes.assign(
                confidence=[class_name(row["low"], row["high"]) for row in rows(known.classes)],
                share=[length_in_text(count, known.classes["pages"].max()) for count in known.classes["pages"]],
            ),
            {"confidence": "string", "pages": "int", "share": "string", "percent": "rate"},
        ),
        "pages to correct first": _table(
            report.work.assign(
                view=[report.places.view(str(row.document), int(str(row.page))) for row in report.work.itertuples()]
            ),
            {"document": "string", "page": "int", "errors": "count", "confidence": "share", "view": "string"},
        ),
        "failures": _table(report.failures, {"documents": "int", "standing": "string", "reason": "string"}),
        "failed pages": _table(report.pages.errors, {"pages": "int", "error": "string", "reason": "string"}),
        "recognition models": _table(report.models, {"recognition": "string", **_COUNTS}),
        "languages": _table(report.languages, {"language": "string", **_COUNTS}),
        "hands": _table(report.hands, {"hand": "string", **_COUNTS}),
        "seconds a page": _table(report.pace, {"model": "string", "median": "float", "nine_of_ten": "float"}),
        f"pages a day, last {len(days)} days": f"{in_text(days['pages'].tolist())} most {days['pages'].max():,}",
        "disk": dg.MetadataValue.md(
            "\n".join(f"- {kind}: {'about ' if disk.estimated else ''}{size(n)}" for kind, n in disk.bytes.items() if n)
        ),
        "seconds": round(report.seconds, 1),
    }
    if known.overall is not None:
        found["estimated CER %"] = round(known.overall.percent, 2)
        found["estimated CER %, low"] = round(known.overall.low, 2)
        found["estimated CER %, high"] = round(known.overall.high, 2)
    return found


_TITLES = {
    "errors": "expected errors",
    "percent": "expected errors",
    "recognition": "model",
    "median": "half within",
    "nine_of_ten": "nine of ten within",
    "view": "reading view",
}
_COUNTS = {"documents": "int", "pages": "int", "confidence": "share"}


def _table(table: pd.DataFrame, columns: Mapping[str, str]) -> dg.TableMetadataValue | str:
    """The first rows; ``none`` in place of an empty table."""
    plain = {name: kind if kind in ("int", "float") else "string" for name, kind in columns.items()}
    schema = dg.TableSchema(columns=[dg.TableColumn(_TITLES.get(name, name), kind) for name, kind in plain.items()])
    records = [
        dg.TableRecord({_TITLES.get(name, name): _cell(row[name], kind) for name, kind in columns.items()})
        for row in rows(table.head(_MOST_ROWS))
    ]
    return dg.MetadataValue.table(records, schema) if records else "none"


def _cell(value: Any, kind: str) -> str | int | float:
    match kind:
        case "int":
            return int(value or 0)
        case "float":
            return round(float(value), 1)
        case "count" | "share" | "rate" if value is None:
            return "not known"
        case "count":
            return f"{value:,.0f}"
        case "share":
            return f"{value:.1%}"
        case "rate":
            return percent(value)
        case _:
            return printable(value or "")[:_LONGEST]
