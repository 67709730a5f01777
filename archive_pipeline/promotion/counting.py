"""The how manieth proof on the same frozen pages a proof is, and how sure it must be for that.

Each candidate that is judged by the same pages has its chance of a lucky win. So the error that is allowed is divided
by the number of proofs so far (Bonferroni's bound, taken as proofs come): the first may be lucky once in twenty
times, the second once in forty, the tenth once in two hundred.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from archive_pipeline.evaluation.statistics import ALPHA, smallest_p
from archive_pipeline.models.entry import Task
from archive_pipeline.promotion.decision import Decision, ModelName
from archive_pipeline.promotion.figures import Compared, PageErrors, PageFigures


def level_of(number: int) -> float:
    """How often chance may win the proof of that number, from 1 on."""
    return ALPHA / number


def proof_number(
    before: Iterable[Decision],
    task: Task,
    current: ModelName,
    candidate: ModelName,
    frozen: Compared,
    read_with: ModelName | None = None,
) -> int:
    """The number of a proof among those that were made with any of its frozen pages.

    The same candidate against the same model on the same pages has the number that it had: it is the same proof.
    Decisions without figures, and those in which nothing could be shown on so few pages, gave chance nothing to win and
    do not count. Models that read and models that find lines are counted apart.

    Args:
        before: All decisions on the hand, the oldest first.
        current: The model that the candidate is compared with.
        read_with: The model that reads the lines which both find, if that is the task.
    """
    pages = _pages(frozen.current)
    proofs: list[_Proof] = []
    for each in before:
        if each.task != task or each.frozen is None:
            continue
        proof = _Proof(_mark(each.current), _mark(each.candidate), _mark(each.read_with), _pages(each.frozen.pages))
        could_win = smallest_p(sum(page.characters > 0 for page in each.frozen.pages)) < each.level
        if could_win and proof.pages & pages and proof not in proofs:
            proofs.append(proof)
    this = _Proof(_mark(current), _mark(candidate), _mark(read_with), pages)
    return proofs.index(this) + 1 if this in proofs else len(proofs) + 1


class _Proof(NamedTuple):
    """What makes two proofs one."""

    current: str
    candidate: str
    read_with: str
    pages: frozenset[str]


def _mark(model: ModelName | None) -> str:
    """What a model is known by: a server's has no digest."""
    return (model.digest or model.id) if model is not None else ""


def _pages(pages: Iterable[PageErrors | PageFigures]) -> frozenset[str]:
    return frozenset(page.image_sha256 or page.id for page in pages)
