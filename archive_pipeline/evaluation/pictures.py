"""Pictures of the lines that an evaluation talks of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archive_pipeline.errors import ChildError
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.reading import read_pages
from archive_pipeline.evaluation.record import Evaluation, LineRecord
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training_sets.lines import TrainingPage

Place = tuple[str, int | None]
"""Id of a page, and index of a line on it; None for the page as a whole."""
CONFUSIONS, PER_CONFUSION, WORST = 15, 3, 20
"""How many confusions, lines of each, and worst lines are shown."""


def worst_lines(evaluation: Evaluation) -> list[tuple[Place, LineRecord]]:
    """The lines with the most errors."""
    lines = [((page.id, line.index), line) for page in evaluation.pages for line in page.lines if line.errors]
    return sorted(lines, key=lambda each: (-each[1].errors, each[0][0], each[0][1] or 0))[:WORST]


def shown_places(evaluation: Evaluation) -> set[Place]:
    """The lines of which a picture is wanted."""
    confused = {place for each in evaluation.confusions[:CONFUSIONS] for place in each.places[:PER_CONFUSION]}
    return confused | {place for place, _ in worst_lines(evaluation)}


def line_pictures(
    pages: Sequence[TrainingPage], places: Iterable[Place], options: ProcessingOptions
) -> dict[Place, bytes]:
    """JPEGs of lines; those that cannot be made are not there.

    Raises:
        ChildNotStarted, StorageError: Nothing can be read here.
    """
    wanted: dict[str, list[int]] = {}
    for name, index in places:
        if index is not None:
            wanted.setdefault(name, []).append(index)
    by_id = {page.id: page for page in pages}

    def cut(reader: PageReader, name: str) -> list[bytes]:
        page = by_id[name]
        boxes = {index: line.box for index, line in enumerate(page.page.lines()) if index in wanted[name]}
        if len(boxes) < len(wanted[name]):
            raise ChildError("its lines are not those that were evaluated")
        seen = reader.page_image(page.image, page.image_sha256, (page.page.width, page.page.height))
        return reader.cut(seen, [boxes[index] for index in wanted[name]])

    found = read_pages(sorted(wanted.keys() & by_id.keys()), cut, options, lambda name: name)
    return {
        (name, index): data
        for name, made in found.scores.items()
        for index, data in zip(wanted[name], made, strict=True)
        if data
    }
