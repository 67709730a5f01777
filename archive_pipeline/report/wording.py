"""What the report says in words, the same on the page, in Dagster and on a terminal."""

from __future__ import annotations

from archive_pipeline.evaluation.statistics import LEAST_PAGES
from archive_pipeline.report.accuracy import Accuracy
from archive_pipeline.report.calibration import Estimate

_MUCH = 0.05

STANDINGS = {
    "done": "done",
    "failed": "failed",
    "refused": "refused",
    "waiting": "waiting for a run",
}
UPLOADS = {
    "waiting": "not quiet yet",
    "asked": "a run was asked for",
    "taken": "taken",
    "refused": "refused",
    "gone": "gone",
}


def percent(value: float) -> str:
    """An error rate with as many digits as it is worth."""
    return f"{value:.1f} %" if value >= 1 else f"{value:.2f} %"


def class_name(low: float, high: float) -> str:
    """A class of confidences."""
    return f"{low:.0%} to {high:.0%}" if low else f"below {high:.0%}"


def interval(estimate: Estimate) -> str:
    """An estimate with its uncertainty."""
    return f"{percent(estimate.percent)} (95 % interval {percent(estimate.low)} to {percent(estimate.high)})"


def of_accuracy(found: Accuracy) -> list[str]:
    """How many errors are to be expected, or why nobody can say."""
    said = []
    if found.overall is None:
        said.append(
            "There is no ground truth to estimate errors from, so no error rate is given: at least "
            f"{LEAST_PAGES} pages that one model has read must be corrected from top to bottom. There "
            f"{_are(found.whole)}."
        )
    else:
        said.append(f"Estimated character error rate: {interval(found.overall)}.")
        pages = sum(each.pages for each in found.calibrations.values())
        documents = sum(each.documents for each in found.calibrations.values())
        said.append(
            f"Estimated from {count(pages, 'corrected page')} of {count(documents, 'document')}, "
            f"for {found.covered:.0%} of the text that was read."
        )
        few = [model or "not known" for model, each in found.calibrations.items() if not each.by_documents]
        if few:
            said.append(
                f"The corrected pages that {', '.join(few)} read are of fewer than {LEAST_PAGES} documents: what other "
                "hands and papers do to the figure is not in its interval, which is too narrow."
            )
        if found.beyond > _MUCH:
            said.append(
                f"{found.beyond:.0%} of it was read with less confidence than any corrected page: there the figure "
                "is a guess. Correct some of these."
            )
        if found.missing:
            named = ", ".join(name or "not known" for name in found.missing[:5])
            said.append(f"Nothing can be said of what these models read: {named}.")
    if found.in_part:
        said.append(
            f"Left out of it: {count(found.in_part, 'page')} with corrections of some lines only. The other lines may "
            "be right, or nobody looked."
        )
    return said


def _are(pages: int) -> str:
    return f"{'is' if pages == 1 else 'are'} {count(pages, 'such page') if pages else 'none'}"


def count(number: int, what: str) -> str:
    """``1,000 pages``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def size(value: float) -> str:
    """Bytes for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"
