"""Whether a trained model takes the place of the one in use: both read the frozen pages, and the figures decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count

from archive_pipeline.engines.factory import DEFAULT_SEGMENTATION
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.evaluation.found_lines import has_lines_to_find, read_found_lines
from archive_pipeline.evaluation.leaks import leaks_of
from archive_pipeline.evaluation.once import evaluate_once
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import InUse
from archive_pipeline.processing import choice
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.said import Said, said_by_options
from archive_pipeline.promotion.comparing import compared, compared_lines
from archive_pipeline.promotion.counting import proof_number
from archive_pipeline.promotion.decision import Decision, ModelName, not_judged
from archive_pipeline.promotion.figures import Compared
from archive_pipeline.promotion.proofs import kept
from archive_pipeline.promotion.weighing import weigh, weigh_lines
from archive_pipeline.training.learning import Told
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_set
from archive_pipeline.training_sets.splitting import Split


def judgeable(shop: Workshop, hand: str) -> Split:
    """The pages of a hand, by its key, some of them frozen.

    Raises:
        UsageError: It has none to judge a model by.
        ArchiveError: Something of it cannot be read.
    """
    split = shop.split(hand)
    if not split.frozen:
        raise UsageError(f"the hand {printable(split.hand)} has no pages to judge a model by", remedy=split.shortage)
    return split


def guarded_pages(shop: Workshop) -> dict[str, list[TrainingPage]]:
    """The pages of the sets that a promotion must not make worse, by name of the set.

    Raises:
        UsageError: One is not there.
        StorageError: Something of it cannot be read.
    """
    found = {}
    for name in shop.guarded:
        truth = shop.truths.load(name)
        if truth is None:
            raise UsageError(
                f"there is no ground truth {printable(name)}, which is guarded",
                remedy="Import it, or take it out of ARCHIVE_GUARDED_SETS.",
            )
        found[name] = list(pages_of_set(shop.truths, truth))
    return found


def judged_by(split: Split, guarded: Mapping[str, Sequence[TrainingPage]]) -> list[TrainingPage]:
    """All pages that a model of a hand is judged by, those of guarded sets among them."""
    return [*split.frozen, *(page for pages in guarded.values() for page in pages)]


def in_use(shop: Workshop, hand: str) -> InUse:
    """What the documents of a hand, by its name, are read with now, where no file of theirs says otherwise.

    Raises:
        ModelError: Its model is not here.
    """
    # First, so that a change after it is seen when something is promoted.
    promoted = promoted_model(shop.models, hand)
    _, settings = said_by_options(shop.options)
    said = [Said(f"the hand {hand}", Wishes(hand=hand)), settings]
    decided = choice.decide(said, ModelLibrary(shop.models), served=shop.options.surya_url is not None)
    return InUse(promoted, decided.recognition, decided.segmentation)


def evaluation(
    shop: Workshop, key: str, pages: Sequence[TrainingPage], model: InstalledModel, of: str, told: Told
) -> Evaluation:
    """How a model reads some pages.

    Args:
        key: Under which evaluations of these pages are kept.
        of: What the pages are, for people.
    """
    return evaluate_once(shop.evaluations, key, pages, model, shop.options, of, _counted(model.id, len(pages), told))


def _counted(who: str, pages: int, told: Told) -> Told:
    """What tells of each page that is finished."""
    numbers = count(1)
    return lambda page: told(f"{who} has read {printable(page)}, {next(numbers)} of {pages} pages.")


def decide(shop: Workshop, split: Split, current: InstalledModel, new: InstalledModel, told: Told) -> Decision:
    """Whether a recognition model takes the place of the one that reads a hand.

    Raises:
        UsageError: A guarded set is not there.
        ArchiveError: Something cannot be read.
    """
    names = named(current), named(new)
    guarded = guarded_pages(shop)
    # The model in use may have seen them: that makes it harder for the candidate, and not easier.
    if leak := leak_of(shop, new, judged_by(split, guarded)):
        return not_judged(split.hand, *names, leak, shop.margin)

    def both(key: str, pages: Sequence[TrainingPage], of: str) -> Compared:
        before, after = (evaluation(shop, key, pages, model, of, told) for model in (current, new))
        return compared(before, after)

    on_frozen = both(split.key, split.frozen, split.hand)
    on_guarded = {name: both(f"guarded-{name}", pages, name) for name, pages in guarded.items()}
    proof = proof_number(_before(shop, split), new.task, *names, on_frozen)
    return weigh(split.hand, *names, on_frozen, on_guarded, shop.margin, proof=proof)


def decide_lines(
    shop: Workshop, split: Split, current: InstalledModel, new: InstalledModel, reader: InstalledModel, told: Told
) -> Decision:
    """Whether a model that finds lines takes the place of the one that finds those of a hand.

    Args:
        reader: The model that reads the hand: it reads the lines of both.

    Raises:
        ArchiveError: Something cannot be read.
    """
    names = named(current), named(new)
    pages = [page for page in split.frozen if has_lines_to_find(page)]
    why = "" if pages else "The frozen pages are images of lines, on which no lines are to be found."
    # What comes with the program saw no page of an archive.
    if new.id not in DEFAULT_SEGMENTATION.values():
        why = why or leak_of(shop, new, pages)
    if why:
        more = {"task": new.task, "read_with": named(reader)}
        return not_judged(split.hand, *names, why, shop.margin).model_copy(update=more)
    read = []
    for model in (current, new):
        who = f"With the lines of {model.id}, {reader.id}"
        read.append(read_found_lines(pages, model, reader, shop.options, _counted(who, len(pages), told)))
    on_frozen, lines = compared_lines(pages, read[0], read[1])
    proof = proof_number(_before(shop, split), new.task, *names, on_frozen, named(reader))
    return weigh_lines(split.hand, *names, named(reader), on_frozen, lines, proof=proof)


def leak_of(shop: Workshop, new: InstalledModel, pages: Sequence[TrainingPage]) -> str:
    """Why a candidate must not be judged by some pages, in a sentence; empty if it may."""
    leaks = leaks_of(shop.models, new, pages, shop.frozen)
    if leaks is None:
        return f"Nobody knows which pages {new.id} was trained with, so that these may be among them."
    return f"A leak: {leaks}." if leaks.found else ""


def named(model: InstalledModel) -> ModelName:
    """A model as decisions name it."""
    return ModelName(id=model.id, digest=model.digest)


def _before(shop: Workshop, split: Split) -> list[Decision]:
    return [each.decision for each in kept(shop.models, split.hand)]
