"""Learning where the lines of a hand are: a model that finds them, and how it does beside the one it began with."""

from __future__ import annotations

from dataclasses import dataclass

from archive_pipeline.engines.factory import DEFAULT_SEGMENTATION
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.evaluation.finding_lines import score_segmentation
from archive_pipeline.evaluation.segmentation import SegmentationScore
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.store import Store
from archive_pipeline.training.candidates import install_segmentation
from archive_pipeline.training.learning import Told
from archive_pipeline.training.segmentation.loop import Progress
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training.segmentation.train import train_segmentation
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.frozen import require_not_frozen
from archive_pipeline.training_sets.splits import split_of_hand


@dataclass(frozen=True)
class LearntLines:
    """A model that finds the lines of a hand.

    Attributes:
        improved: It was better than its base on the pages to validate by; if not, it is its base.
        before, after: Base and model on the frozen pages; None where there are none.
    """

    model: str
    base: str
    improved: bool
    before: SegmentationScore | None
    after: SegmentationScore | None


def learn_lines(shop: Workshop, hand: str, recipe: SegmentationRecipe, told: Told) -> LearntLines:
    """Train on the pages of a hand but the frozen ones, by which base and model are judged.

    Raises:
        UsageError: There are too few pages.
        ArchiveError: A page or a model cannot be used, or a limit was reached.
    """
    split = split_of_hand(shop.frozen, shop.truths, Store(shop.store), hand)
    train, validate = list(split.train), list(split.validate)
    if not train or not validate:
        raise UsageError(
            f"of the hand {printable(hand)} there are {len(train) + len(validate)} pages to train with",
            remedy="Two are the least: one to learn from, and one to see when to stop.",
        )
    require_not_frozen(shop.frozen, [*train, *validate])
    base = ModelLibrary(shop.models).installed(DEFAULT_SEGMENTATION["kraken"], "segmentation")

    def progress(at: Progress) -> None:
        if at.look is not None:
            told(f"Step {at.step} of {at.steps}: loss {at.loss:.3f}, baseline F1 {at.look.f1:.3f}.")

    folder = shop.training / "trainings" / f"{split.key}-lines"
    made = train_segmentation(train, validate, base, recipe, folder, progress)
    model = install_segmentation(shop.models, folder, made, split.hand, [*train, *validate])
    before = after = None
    if split.frozen:
        before, after = (score_segmentation(split.frozen, each, shop.options) for each in (base, model))
    return LearntLines(model.id, base.id, made.improved, before, after)
