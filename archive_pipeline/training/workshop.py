"""Where an installation learns hands, and how."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import DEFAULT_RECOGNITION
from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.stored import EvaluationStore
from archive_pipeline.memory_limit import memory_limit_mb
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.settings import Settings, usable_cpus
from archive_pipeline.store import Store
from archive_pipeline.training.recognition.recipe import MOST_THREADS, Limits, Recipe
from archive_pipeline.training.segmentation.recipe import SegmentationRecipe
from archive_pipeline.training_sets.frozen import FrozenStore
from archive_pipeline.training_sets.hands import known_hand, known_hands, no_truth_of
from archive_pipeline.training_sets.splits import split_of_hand
from archive_pipeline.training_sets.splitting import Split
from archive_pipeline.training_sets.stored import TruthStore, truths_in


@dataclass(frozen=True)
class Workshop:
    """Where things are, and how hands are learnt.

    Attributes:
        training: ``TRAINING_DIR``.
        models: ``MODELS_DIR``.
        store: Of the documents; it is only read.
        base: Id of the model to begin with.
        guarded: Sets of ground truth that a promotion must not make worse.
        margin: By how many points of CER they may get worse.
        options: With which pages are read to judge a model.
    """

    training: Path
    models: Path
    store: Path
    options: ProcessingOptions
    recipe: Recipe
    limits: Limits
    base: str = DEFAULT_RECOGNITION
    guarded: tuple[str, ...] = ()
    margin: float = 0.3

    @classmethod
    def from_settings(cls, settings: Settings) -> Workshop:
        """That of an installation."""
        return cls(
            training=settings.training_dir,
            models=settings.models_dir,
            store=settings.store_dir,
            options=ProcessingOptions.from_settings(settings),
            recipe=Recipe(threads=min(MOST_THREADS, usable_cpus())),
            limits=Limits(minutes=settings.training_minutes, memory_mb=settings.training_memory_mb or _usable_mb()),
            base=settings.training_base,
            guarded=settings.guarded_sets,
            margin=settings.promotion_margin,
        )

    def asked(
        self,
        *,
        base: str | None = None,
        minutes: float | None = None,
        steps: int | None = None,
        seed: int | None = None,
        ngrams: int | None = None,
    ) -> Workshop:
        """The same for one training of which somebody says how it is to be; None leaves a thing as it is.

        Raises:
            UsageError: A value cannot be.
        """
        named = {"steps": steps, "seed": seed, "ngrams": ngrams}
        recipe = {name: value for name, value in named.items() if value is not None}
        limits = {} if minutes is None else {"minutes": minutes}
        with _values_said():
            return replace(
                self,
                base=base or self.base,
                recipe=Recipe.model_validate(self.recipe.model_dump() | recipe),
                limits=Limits.model_validate(self.limits.model_dump() | limits),
            )

    def for_lines(self, *, minutes: float | None = None, **asked: object) -> SegmentationRecipe:
        """How a model that finds lines is trained here.

        Args:
            asked: What somebody says of it, by the names of the recipe.

        Raises:
            UsageError: A value cannot be.
        """
        values = {
            "seconds": 60 * (self.limits.minutes if minutes is None else minutes),
            "memory_mb": self.limits.memory_mb,
            "threads": self.recipe.threads,
        }
        with _values_said():
            return SegmentationRecipe.model_validate(values | asked)

    def folder(self, key: str, *made_of: object) -> Path:
        """That of a training of a hand; of each base and recipe another, so that none takes the place of another.

        With more pages, or other libraries, it is the same: what is begun with fewer is of no use then.
        """
        return self.training / "trainings" / f"{key}-{digest_of(*made_of)[:8]}"

    @property
    def truths(self) -> TruthStore:
        return truths_in(self.training)

    @property
    def frozen(self) -> FrozenStore:
        return FrozenStore(self.training / "splits")

    @property
    def evaluations(self) -> EvaluationStore:
        return EvaluationStore(self.training / "evaluations")

    def split(self, hand: str) -> Split:
        """The pages of a hand, by its key.

        Raises:
            UsageError: There is no ground truth of it.
            ArchiveError: Something of it cannot be read or written.
        """
        store = Store(self.store)
        known = known_hands(self.truths, store)
        if hand not in known:
            raise no_truth_of(hand, known.values())
        return split_of_hand(self.frozen, self.truths, store, known[hand])

    def hand(self, name: str) -> str:
        """The key of a hand by its name.

        Raises:
            UsageError: There is no ground truth of it.
            ArchiveError: Something of it cannot be read.
        """
        return known_hand(self.truths, Store(self.store), name)


@contextmanager
def _values_said() -> Iterator[None]:
    """A sentence for a value that cannot be."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"{first['loc'][0]} of a training cannot be {first['input']!r}: {first['msg']}",
            remedy="Correct it or leave it out.",
        ) from None


def _usable_mb() -> int:
    """What a training may take where nobody says: the rest is for what opens pages, and for files in memory."""
    limit = memory_limit_mb()
    return Limits().memory_mb if limit is None else limit * 9 // 10
