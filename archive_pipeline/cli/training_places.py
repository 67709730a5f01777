"""Where ground truth, frozen pages and evaluations are, for the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archive_pipeline.settings import Settings

if TYPE_CHECKING:
    from archive_pipeline.evaluation.stored import EvaluationStore
    from archive_pipeline.training_sets.frozen import FrozenStore
    from archive_pipeline.training_sets.splitting import Split
    from archive_pipeline.training_sets.stored import TruthStore


def truths(settings: Settings) -> TruthStore:
    """The sets that were imported."""
    from archive_pipeline.training_sets.stored import truths_in

    return truths_in(settings.training_dir)


def frozen(settings: Settings) -> FrozenStore:
    """The pages that models are judged by."""
    from archive_pipeline.training_sets.frozen import FrozenStore

    return FrozenStore(settings.training_dir / "splits")


def evaluations(settings: Settings) -> EvaluationStore:
    """Evaluations that were made."""
    from archive_pipeline.evaluation.stored import EvaluationStore

    return EvaluationStore(settings.training_dir / "evaluations")


def split(settings: Settings, hand: str, test_set: str | None = None) -> Split:
    """The pages of a hand; see :func:`archive_pipeline.training_sets.splits.split_of_hand`."""
    from archive_pipeline.store import Store
    from archive_pipeline.training_sets.splits import split_of_hand

    return split_of_hand(frozen(settings), truths(settings), Store(settings.store_dir), hand, test_set)
