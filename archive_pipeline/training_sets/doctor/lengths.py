"""Whether a line is as long as its text: a text that slipped into the next line is found by nothing else."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from archive_pipeline.ground_truth import shapes
from archive_pipeline.page import Line, Page
from archive_pipeline.training_sets.doctor.places import Said

_NARROWEST = 0.08
"""A letter is at least this share of its line's height wide; print has 0.35 to 0.5, a hurried hand 0.2."""
_MOST = 300
"""Characters that no line of a page has."""
_FACTOR = 2.2
"""A letter may be this many times wider or narrower than is usual on the page."""
_SLACK = 8
"""Characters that a line may be longer or shorter all the same: short lines tell little, and titles are spaced."""
_FEWEST = 5
"""Lines without which nothing is usual."""


def length_findings(page: Page) -> Iterator[Said]:
    """Lines whose text does not fit their length."""
    lines = [(index, line) for index, line in enumerate(page.lines()) if line.best_text.strip()]
    advances = [_advance(line) for _, line in lines]
    usual = _usual([line for _, line in lines], advances)
    for (index, line), advance in zip(lines, advances, strict=True):
        text = line.best_text.strip()
        if len(text) > _MOST or "\n" in text:
            what = f"it has {len(text)} characters"
            yield index, "line-too-long", "error", what, "Part it into its lines."
        elif advance is None:
            continue
        elif advance < _NARROWEST * shapes.height(line) and len(text) > _SLACK:
            what = f"{len(text)} characters do not fit into {shapes.length(line):.0f} pixels"
            yield index, "line-too-long", "error", what, "Give the line its own text, or its whole length."
        elif usual and _is_odd(advance, usual, len(text)):
            expected = round(shapes.length(line) / usual)
            what = f"its text has {len(text)} characters, where about {expected} are usual for its length"
            remedy = "See whether it is the text of another line, or whether a part is missing."
            yield index, "text-in-wrong-line", "warning", what, remedy


def _advance(line: Line) -> float | None:
    """Pixels that a character takes; None where the line has no place to tell."""
    length = shapes.length(line)
    return length / len(line.best_text.strip()) if length >= 1 else None


def _usual(lines: Sequence[Line], advances: Sequence[float | None]) -> float | None:
    """The median over characters: long lines tell best."""
    known = [(a, len(line.best_text)) for line, a in zip(lines, advances, strict=True) if a is not None]
    if len(known) < _FEWEST:
        return None
    return statistics.median(advance for advance, length in known for _ in range(min(length, 200)))


def _is_odd(advance: float, usual: float, length: int) -> bool:
    expected = advance * length / usual
    off = max(advance / usual, usual / advance)
    return off > _FACTOR and abs(expected - length) > _SLACK
