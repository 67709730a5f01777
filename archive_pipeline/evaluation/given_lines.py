"""The lines of the ground truth as a model is given them, and whether it read them as they were given."""

from __future__ import annotations

from archive_pipeline.errors import BadTranscription
from archive_pipeline.evaluation.scoring import scored_lines
from archive_pipeline.page import Line, Page


def _name(*place: int) -> str:
    """A name that no engine makes: one that names the lines it finds itself must not be taken for having kept these."""
    return "-".join(["gt", *map(str, place)])


def named(truth: Page) -> dict[str, Line]:
    """All lines in reading order, under names of ours: a file's own may be there twice."""
    return {
        _name(number, position): line
        for number, region in enumerate(truth.regions, start=1)
        for position, line in enumerate(region.lines, start=1)
    }


def scored(truth: Page) -> dict[str, Line]:
    """The lines that count."""
    return {name: line for name, line in named(truth).items() if scored_lines([line.best_text])}


def to_read(truth: Page) -> Page:
    """The scored lines of the ground truth without their text.

    Raises:
        BadTranscription: A line has no place.
    """
    count = scored(truth)
    regions = []
    for number, region in enumerate(truth.regions, start=1):
        lines = []
        for position, line in enumerate(region.lines, start=1):
            name = _name(number, position)
            if name not in count:
                continue
            if not line.boundary and not line.baseline:
                raise BadTranscription(
                    f"line {line.id} has neither outline nor baseline", remedy="Use --lines engine for such files."
                )
            lines.append(Line(id=name, boundary=line.boundary, baseline=line.baseline, direction=line.direction))
        if lines:
            regions.append(region.model_copy(update={"id": _name(number), "lines": tuple(lines), "text": ""}))
    return Page(number=1, width=truth.width, height=truth.height, direction=truth.direction, regions=tuple(regions))


def are_kept(given: dict[str, Line], read: Page) -> bool:
    """Whether a model read the lines that it was given: one that reads whole pages finds lines or blocks of its own."""
    return {line.id: line.boundary for line in read.lines()} == {name: line.boundary for name, line in given.items()}
