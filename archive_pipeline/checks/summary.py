"""All documents on one page: for each check the documents that fail it, the worst first."""

from __future__ import annotations

from dataclasses import dataclass, field

from archive_pipeline.checks.findings import CHECKS, Check, Examinations, Finding, Severity, findings_of


@dataclass(frozen=True)
class Named:
    """A document that fails a check.

    Attributes:
        finding: The worst, or the first.
        pages: Numbers of the pages concerned.
        confidence: Mean of the document; None where nothing was read.
    """

    key: str
    finding: Finding
    pages: tuple[int, ...]
    confidence: float | None


@dataclass
class Summary:
    """One check on the whole store.

    Attributes:
        looked_at: Documents.
        compared: Pages whose text in the PDF was compared.
        documents: How many documents fail it.
        losses: In how many of them something is lost.
        named: Some of them, the worst first.
    """

    check: Check
    looked_at: int = 0
    compared: int = 0
    documents: int = 0
    losses: int = 0
    named: list[Named] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not self.documents

    @property
    def severity(self) -> Severity:
        return "loss" if self.losses else "eye"


def summarise(table: Examinations, most: int) -> dict[Check, Summary]:
    """All checks over all documents that were looked at.

    Args:
        most: How many documents to name for each.
    """
    looked_at, compared = table.totals()
    found = {check: Summary(check, looked_at, compared) for check in CHECKS}
    for row in table.not_fine():
        by_check: dict[Check, list[Finding]] = {}
        for finding in findings_of(row):
            by_check.setdefault(finding.check, []).append(finding)
        for check, findings in by_check.items():
            summary = found[check]
            summary.documents += 1
            summary.losses += any(each.severity == "loss" for each in findings)
            pages = tuple(each.page for each in findings if each.page is not None)
            summary.named.append(Named(row.key, findings[0], pages, row.confidence))
            if len(summary.named) > 4 * most:
                summary.named = _worst(summary.named, most)
    for summary in found.values():
        summary.named = _worst(summary.named, most)
    return found


def _worst(named: list[Named], most: int) -> list[Named]:
    def rank(each: Named) -> tuple[bool, float, int, str]:
        doubt = each.confidence if each.finding.check == "confidence" and each.confidence is not None else 0.0
        return each.finding.severity != "loss", doubt, -len(each.pages), each.key

    return sorted(named, key=rank)[:most]
