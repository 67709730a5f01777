"""Two evaluations of the same pages as what a decision is made of."""

from __future__ import annotations

from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.promotion.figures import Compared, PageErrors


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
