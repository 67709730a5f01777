"""A folder or ZIP of ground truth before the doctor, from its first page to the last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive_pipeline.errors import UsageError
from archive_pipeline.training_sets.doctor.examination import Examination, TestPages, text_digest
from archive_pipeline.training_sets.doctor.findings import Finding
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.reading import ReadOptions, reading
from archive_pipeline.training_sets.stored import TruthStore


@dataclass(frozen=True)
class Checked:
    """What the doctor says of a set.

    Attributes:
        pages, lines: How many there are; lines with text.
        characters: How often each character is there, in NFC.
        ignored: Files that were passed over, with the reason.
    """

    hand: Hand
    pages: int
    lines: int
    findings: tuple[Finding, ...]
    characters: dict[str, int]
    ignored: dict[str, str]

    @property
    def errors(self) -> int:
        return sum(each.severity == "error" for each in self.findings)

    def to_dict(self) -> dict[str, Any]:
        return {
            "hand": self.hand.model_dump(mode="json"),
            "pages": self.pages,
            "lines": self.lines,
            "errors": self.errors,
            "warnings": len(self.findings) - self.errors,
            "findings": [each.model_dump(mode="json") for each in self.findings],
            "characters": self.characters,
            "ignored": self.ignored,
        }

    def summary(self) -> str:
        """All of it in a line."""
        kinds = Counter(each.code for each in self.findings)
        told = ", ".join(f"{count} {code}" for code, count in kinds.most_common())
        found = (
            f"{self.errors} errors and {len(self.findings) - self.errors} warnings ({told})" if told else "no finding"
        )
        return f"{self.pages} pages, {self.lines} lines, {len(self.characters)} characters: {found}"


def check_set(path: Path, options: ReadOptions, test: TestPages | None = None, work: Path | None = None) -> Checked:
    """Look over a set.

    Raises:
        DocumentRefused: It is refused as a whole.
        NoSpaceLeft: There is no room to unpack it.
    """
    with reading(path, options, work) as reader:
        doctor = Examination(hand=reader.hand, test=test or TestPages())
        findings = [finding for read in reader.pages() for finding in doctor.look_at(read)]
        findings += doctor.finish()
        return Checked(
            reader.hand, doctor.pages, doctor.lines, tuple(findings), doctor.characters, reader.opened.ignored
        )


def pages_for_tests(store: TruthStore, names: Sequence[str]) -> TestPages:
    """The pages of stored sets that are for tests.

    Raises:
        UsageError: There is no such set.
    """
    images: set[str] = set()
    texts: set[str] = set()
    for name in names:
        truth = store.load(name)
        if truth is None:
            raise UsageError(f"there is no ground truth {name}", remedy="`ground-truth list` prints what there is.")
        for entry in truth.pages:
            stored = store.page(name, entry)
            images.add(stored.image_sha256)
            texts.add(text_digest(stored.page))
    return TestPages(frozenset(images), frozenset(texts - {""}))
