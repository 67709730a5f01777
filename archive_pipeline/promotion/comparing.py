"""What two models made of the same pages as what a decision is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from archive_pipeline.evaluation.found_lines import FoundPage
from archive_pipeline.evaluation.record import Evaluation, PageRecord
from archive_pipeline.promotion.figures import Compared, LineFigures, LinesFound, PageErrors
from archive_pipeline.training_sets.lines import TrainingPage


def compared(current: Evaluation, candidate: Evaluation) -> Compared:
    """Both models on the pages that the model in use could read.

    Pages go by what must not be parted: images of lines of one page are one page. Of a page that the candidate could
    not read, or not as much of, all is wrong, and it has no fewer errors there than the model in use: what it fails at
    must not count for it.
    """
    after = {page.id: page for page in candidate.pages}
    both: tuple[list[PageErrors], list[PageErrors]] = ([], [])
    for group, found in groupby(sorted(current.pages, key=lambda page: page.group), key=lambda page: page.group):
        pages = list(found)
        errors, total = _errors(pages)
        read, of = _errors(after[page.id] for page in pages if page.id in after)
        if total:
            for into, wrong in zip(both, (errors, read if of == total else max(errors, total)), strict=True):
                into.append(PageErrors(group, pages[0].image_sha256, wrong, total))
    return Compared(*both)


def _errors(pages: Iterable[PageRecord]) -> tuple[int, int]:
    """Errors and characters."""
    lines = [line for page in pages for line in page.lines]
    return sum(line.errors for line in lines), sum(line.characters for line in lines)


def compared_lines(
    pages: Sequence[TrainingPage], current: Mapping[str, FoundPage], candidate: Mapping[str, FoundPage]
) -> tuple[Compared, LineFigures]:
    """What was read in the end on the lines that two models found, and how well they found them.

    On the pages that could be read with the model in use. One that could not be with the candidate has no line found,
    and no fewer errors.
    """
    read = sorted((page for page in pages if page.id in current), key=lambda page: page.id)
    both: tuple[list[PageErrors], list[PageErrors]] = ([], [])
    for page in read:
        before, after = current[page.id], candidate.get(page.id)
        worst = max(before.errors, before.characters)
        for into, errors in zip(both, (before.errors, after.errors if after else worst), strict=True):
            into.append(PageErrors(page.id, page.image_sha256, errors, before.characters))
    true = sum(current[page.id].lines.lines for page in read)
    figures = [
        LinesFound(
            lines=true,
            found=sum(each[page.id].lines.found for page in read if page.id in each),
            matched=sum(each[page.id].lines.matched for page in read if page.id in each),
        )
        for each in (current, candidate)
    ]
    return Compared(*both), LineFigures(current=figures[0], candidate=figures[1])
