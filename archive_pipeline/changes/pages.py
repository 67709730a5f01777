"""Two readings of a page, line by line: which line is which is found by where it is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from archive_pipeline.changes.words import Part, changed_words, word_parts
from archive_pipeline.ground_truth.matching import match_lines
from archive_pipeline.page import Line, Page


@dataclass(frozen=True)
class LineChange:
    """A line that is not as it was.

    Attributes:
        kind: A line can be new or gone as a whole where other lines were found.
        line: Its id now; where it is gone, its id of then; empty where there are no lines but blocks.
        confidence_before, confidence_after: From 0 to 1. Two models are not equally sure of equally many errors.
        corrected: A person wrote what the line says, so that the exports stay as they are.
    """

    kind: Literal["changed", "new", "gone"]
    line: str
    before: str
    after: str
    confidence_before: float | None = None
    confidence_after: float | None = None
    corrected: bool = False

    @property
    def parts(self) -> tuple[Part, ...]:
        return word_parts(self.before, self.after)

    @property
    def words(self) -> int:
        """How many words are others now."""
        return changed_words(self.parts)


@dataclass(frozen=True)
class PageChanges:
    """What differs on a page.

    Attributes:
        before, after: Ids of the models that read it.
        same: Lines whose text is as it was.
        lines: Those whose text is not, in reading order; those that are gone come last.
        problem: Why the two readings cannot be compared; else empty.
    """

    number: int
    before: str
    after: str
    same: int = 0
    lines: tuple[LineChange, ...] = ()
    confidence_before: float | None = None
    confidence_after: float | None = None
    problem: str = ""

    @property
    def gain(self) -> float | None:
        """How much more certain the page is; None where that is not known."""
        if self.confidence_before is None or self.confidence_after is None:
            return None
        return self.confidence_after - self.confidence_before


def compare_pages(before: Page, after: Page, corrected: Collection[str] = ()) -> PageChanges:
    """Compare two readings of a page.

    Args:
        before, after: As machines read them.
        corrected: Ids of lines of the later one that a person corrected.
    """
    models = _recognised_by(before), _recognised_by(after)
    if before.image_digest != after.image_digest:
        return PageChanges(after.number, *models, problem="the page image is another one")
    if _in_lines(before) and _in_lines(after):
        same, changes = _by_place(list(before.lines()), list(after.lines()), corrected)
    else:
        same, changes = _by_text(before.text.split("\n"), after.text.split("\n"))
    return PageChanges(
        after.number,
        *models,
        same=same,
        lines=tuple(changes),
        confidence_before=before.confidence,
        confidence_after=after.confidence,
    )


def _by_place(old: Sequence[Line], new: Sequence[Line], corrected: Collection[str]) -> tuple[int, list[LineChange]]:
    homes = {other: one for one, other in match_lines(old, new).items()}
    same, changes = 0, []
    for index, line in enumerate(new):
        then = old[homes[index]] if index in homes else None
        if (then.text if then else "") == line.text:
            same += bool(line.text)
            continue
        changes.append(
            LineChange(
                "changed" if then and then.text else "new",
                line.id,
                then.text if then else "",
                line.text,
                then.confidence if then else None,
                line.confidence,
                line.id in corrected,
            )
        )
    matched = set(homes.values())
    gone = [line for index, line in enumerate(old) if index not in matched and line.text]
    changes += [LineChange("gone", line.id, line.text, "", line.confidence) for line in gone]
    return same, changes


def _by_text(old: list[str], new: list[str]) -> tuple[int, list[LineChange]]:
    """Where a model reads blocks, nobody knows where a line is: those of equal text are one."""
    same, changes = 0, []
    for kind, a0, a1, b0, b1 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            same += sum(bool(text) for text in old[a0:a1])
            continue
        for before, after in zip_longest((t for t in old[a0:a1] if t), (t for t in new[b0:b1] if t)):
            which: Literal["changed", "new", "gone"] = "new" if not before else "changed" if after else "gone"
            changes.append(LineChange(which, "", before or "", after or ""))
    return same, changes


def _in_lines(page: Page) -> bool:
    return all(region.lines or not region.text.strip() for region in page.regions)


def _recognised_by(page: Page) -> str:
    return next((step.model or "" for step in page.steps if step.task == "recognition"), "nothing read")
