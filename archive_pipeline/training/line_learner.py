"""Learning where the lines of a hand are: a model that finds them, how it does beside its base, and the proof."""

from __future__ import annotations

from dataclasses import dataclass

from archive_pipeline.engines.factory import DEFAULT_SEGMENTATION
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.evaluation.finding_lines import score_segmentation
from archive_pipeline.evaluation.segmentation import SegmentationScore
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.promotion.proofs import follow_lines, keep
from archive_pipeline.store import Store
from archive_pipeline.training.alone import alone_in
from archive_pipeline.training.candidates import install_segmentation
from archive_pipeline.training.learning import Decided, Told
from archive_pipeline.training.proving import decide_lines, in_use, judgeable
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
            # Before the first step the base is looked at.
            loss = "" if at.loss is None else f"loss {at.loss:.3f}, "
            told(f"Step {at.step} of {at.steps}: {loss}baseline F1 {at.look.f1:.3f}.")

    folder = shop.folder(split.key, "lines", base.digest, recipe.decides())
    with alone_in(folder):
        made = train_segmentation(train, validate, base, recipe, folder, progress)
        model = install_segmentation(shop.models, folder, made, split.hand, [*train, *validate], base)
    before = after = None
    if split.frozen:
        before, after = (score_segmentation(split.frozen, each, shop.options) for each in (base, model))
    return LearntLines(model.id, base.id, made.improved, before, after)


def prove_lines(shop: Workshop, hand: str, model_id: str, told: Told) -> Decided:
    """Let a model find the lines of a hand, by its key, if more is read right on them than on those of the one in use.

    Raises:
        UsageError: No model is promoted for the hand, or it has no frozen pages, or somebody went back on that model.
        ArchiveError: Something cannot be read or written.
    """
    split = judgeable(shop, hand)
    now = in_use(shop, split.hand)
    if now.promoted is None:
        raise UsageError(
            f"no model is promoted for the hand {printable(split.hand)}: there is none whose lines these could be",
            remedy="Prove one first (hands prove), or name segmentation_model in archive.yaml.",
        )
    new = ModelLibrary(shop.models).installed(model_id, "segmentation")
    if new.digest == now.segmentation.digest:
        return Decided(new.id, promoted=False, reason=f"{new.id} finds the lines of this hand already.")
    decision = decide_lines(shop, split, now.segmentation, new, now.recognition, told)
    follow_lines(shop.models, keep(shop.models, decision), new, now.recognition, now)
    return Decided(
        model=new.id if decision.promoted else now.segmentation.id,
        promoted=decision.promoted,
        reason=" ".join(decision.reasons),
    )
