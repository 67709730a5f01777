"""Checks on the documents: one evaluation of each says how the whole archive stands, and names the worst documents.

A check that is evaluated for one document at a time would show the last one only, and a green one would hide a red one
before it; see docs/adr/0013-checks-and-report.md. So each document is looked at when work on it ends, what was found is
kept in the store, and an evaluation sums all of that up.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import dagster as dg

from archive_pipeline.checks.examine import examine, examine_changed
from archive_pipeline.checks.findings import CHECKS, Check
from archive_pipeline.checks.summary import Named, Summary, summarise
from archive_pipeline.errors import ArchiveError, DocumentBusy, printable
from archive_pipeline.page import DOUBTFUL
from archive_pipeline.report.places import Places
from assets.partitions import DOCUMENTS_POOL
from resources.archive import ArchiveResource

CHECKED = dg.AssetKey("document_exports")
"""All checks hang on the last asset of a document, so that they are in one place."""
_MOST_ROWS = 25
_MOST_PAGES = 10
_DESCRIPTIONS: Mapping[Check, str] = {
    "pages_complete": "Every page of every source has an outcome, and none failed.",
    "confidence": f"Every document was read with a mean confidence of at least {DOUBTFUL:.0%}.",
    "nothing_lost": "Pages in are pages out, and all lines that were found are in the transcription and the exports.",
    "text_layer": "The PDF gives back the text that was read.",
    "valid_exports": "The PAGE and ALTO files can be read back.",
}
_COLUMNS = dg.TableSchema(
    columns=[dg.TableColumn(name, "string") for name in ("document", "what", "pages", "reading view")]
)


@dg.multi_asset_check(
    name="document_checks",
    specs=[dg.AssetCheckSpec(check, asset=CHECKED, description=_DESCRIPTIONS[check]) for check in CHECKS],
    can_subset=True,
    pool=DOCUMENTS_POOL,
)
def document_checks(context: dg.AssetCheckExecutionContext, archive: ArchiveResource) -> Iterator[dg.AssetCheckResult]:
    """Look at what has changed since the last time, and sum up all documents."""
    try:
        looked_at = examine_changed(archive.store, archive.examinations)
        found = summarise(archive.examinations, _MOST_ROWS)
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info(f"{looked_at} documents had changed and were looked at")
    wanted = {key.name for key in context.selected_asset_check_keys}
    for check, summary in found.items():
        if check in wanted:
            yield dg.AssetCheckResult(**_told(check, summary, archive.places))


def look_at(archive: ArchiveResource, keys: Iterable[str]) -> Iterator[dg.AssetCheckEvaluation]:
    """Look at the documents of a run, and sum up all documents.

    To be logged by the run's step: the step that :func:`document_checks` is cannot run behind one that yields nothing.

    Raises:
        ArchiveError: The store cannot be read or written.
    """
    table = archive.examinations
    found = []
    # Anybody can make a partition in the UI, whose key may be none. Nothing is to be made of what nobody registered.
    for folder in archive.store.registered(keys):
        with suppress(DocumentBusy):  # another run's, which looks at it when it is done
            found.append(examine(folder))
    table.write(found)
    for check, summary in summarise(table, _MOST_ROWS).items():
        yield dg.AssetCheckEvaluation(**_told(check, summary, archive.places))


def _told(check: Check, summary: Summary, places: Places) -> dict[str, Any]:
    return {
        "asset_key": CHECKED,
        "check_name": check,
        "passed": summary.passed,
        "severity": dg.AssetCheckSeverity.ERROR if summary.severity == "loss" else dg.AssetCheckSeverity.WARN,
        "description": _sentence(summary),
        "metadata": _metadata(summary, places),
    }


def _sentence(summary: Summary) -> str:
    if summary.passed:
        return f"All of {summary.looked_at} documents."
    lost = f", {summary.losses} of them with a loss" if summary.losses else ""
    first = ", ".join(each.key for each in summary.named[:3]) + (" and more" if summary.documents > 3 else "")
    return f"{summary.documents} of {summary.looked_at} documents need an eye{lost}: {first}."


def _metadata(summary: Summary, places: Places) -> dict[str, Any]:
    found: dict[str, Any] = {"documents looked at": summary.looked_at, "documents that need an eye": summary.documents}
    if summary.check == "text_layer":
        found["pages compared"] = summary.compared
    if summary.named:
        found["documents with a loss"] = summary.losses
        found["documents"] = dg.MetadataValue.table([_row(each, places) for each in summary.named], _COLUMNS)
        worst = _view(summary.named[0], places)
        found["reading view of the worst"] = (
            dg.MetadataValue.url(worst) if places.results_url else dg.MetadataValue.path(worst)
        )
    return found


def _row(each: Named, places: Places) -> dg.TableRecord:
    more = f" and {len(each.pages) - _MOST_PAGES} more" if len(each.pages) > _MOST_PAGES else ""
    return dg.TableRecord(
        {
            "document": each.key,
            "what": printable(each.finding.what)[:300],
            "pages": ", ".join(map(str, each.pages[:_MOST_PAGES])) + more,
            "reading view": _view(each, places),
        }
    )


def _view(each: Named, places: Places) -> str:
    return places.view(each.key, each.finding.page)
