"""An evaluation that was made before is not made again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive_pipeline.evaluation.evaluating import evaluate, evaluation_digest
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.evaluation.stored import EvaluationStore
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training_sets.lines import TrainingPage


def evaluate_once(
    store: EvaluationStore,
    key: str,
    pages: Sequence[TrainingPage],
    model: InstalledModel,
    options: ProcessingOptions,
    of: str,
    told: Callable[[str], None] = lambda _: None,
) -> Evaluation:
    """An evaluation that was made of the same model, pages and truth; else a new one, which is kept.

    One with pages that could not be read is not kept: the next time they may be.

    Args:
        key: Of the hand.

    Raises:
        ArchiveError: As :func:`.evaluate` and :meth:`EvaluationStore.load`.
    """
    known = store.load(key, model.id, evaluation_digest(pages, model))
    if known is not None:
        return known
    made = evaluate(pages, model, options, of, told)
    if not made.left_out:
        store.write(key, made)
    return made
