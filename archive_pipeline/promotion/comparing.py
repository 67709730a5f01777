"""What two models made of the same pages as what a decision is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archive_pipeline.evaluation.found_lines import FoundPage
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.promotion.figures import Compared, LineFigures, LinesFound, PageErrors
from archive_pipeline.training_sets.lines import TrainingPage


def compared(current: Evaluation, candidate: Evaluation) -> Compared:
    """Both models on the pages that the model in use could read.

    Pages go by what must not be parted: images of lines of one page are one page. Of a page that the candidate could
    not read, or not as much of, all is wrong: what it fails at must not count for it.
    """
    before, after = current.by_group, candidate.by_group
    firsts = {page.group: page for page in reversed(current.pages)}
    pages: tuple[list[PageErrors], list[PageErrors]] = ([], [])
    for group, (errors, total) in sorted(before.items()):
        found, of = after.get(group, (total, 0))
        first = firsts[group]
        for into, wrong in zip(pages, (errors, found if of == total else total), strict=True):
            into.append(PageErrors(group, first.image_sha256, wrong, total))
    return Compared(*pages)


def compared_lines(
    pages: Sequence[TrainingPage], current: Mapping[str, FoundPage], candidate: Mapping[str, FoundPage]
) -> tuple[Compared, LineFigures]:
    """What was read in the end on the lines that two models found, and how well they found them.

    On the pages that could be read with the model in use. One that could not be with the candidate has no line found.
    """
    read = sorted((page for page in pages if page.id in current), key=lambda page: page.id)
    both: tuple[list[PageErrors], list[PageErrors]] = ([], [])
    for page in read:
        before, after = current[page.id], candidate.get(page.id)
        for into, errors in zip(both, (before.errors, after.errors if after else before.characters), strict=True):
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
