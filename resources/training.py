"""Ground truth and trainings as Dagster's assets see them: a thin adapter over the library."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import PrivateAttr

from archive_pipeline.errors import ArchiveError
from archive_pipeline.models.hands import hand_records
from archive_pipeline.models.promoting import rollback
from archive_pipeline.processing.page_images_index import PageImages
from archive_pipeline.rendering.model import RenderOptions
from archive_pipeline.settings import Settings
from archive_pipeline.store import Store
from archive_pipeline.training.learning import Learner
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.hands import HandTruth, known_hands, truth_of_hand
from archive_pipeline.training_sets.importing import Imported
from archive_pipeline.training_sets.inbox import Inbox, inbox_register
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import TruthStore, truths_in
from archive_pipeline.training_sets.taking_in import take_in
from archive_pipeline.uploads.register import UploadRegister


@dataclass(frozen=True)
class WentBack:
    """What a rollback came to.

    Attributes:
        hand: As people call it.
        left: Id of the model that does not read it any more.
        model: Id of the one that does.
    """

    hand: str
    left: str
    model: str


class TrainingResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where ground truth lies and comes from.

    The fields are the settings of the same names; see ``docs/settings.md``.
    """

    training_dir: str
    ground_truth_dir: str
    store_dir: str
    models_dir: str
    quiet_seconds: float
    refused_notes: bool
    max_pixels: int
    worker_memory_mb: int
    page_timeout: float
    _settings: Settings = PrivateAttr()

    @classmethod
    def from_settings(cls, settings: Settings) -> TrainingResource:
        values: dict[str, Any] = {name: value for name, value in settings if name in cls.model_fields}
        values |= {name: str(value) for name, value in values.items() if isinstance(value, Path)}
        made = cls(**values)
        # A training reads pages as documents are read, by all the settings there are for that.
        made._settings = settings
        return made

    @property
    def truths(self) -> TruthStore:
        return truths_in(Path(self.training_dir))

    @property
    def store(self) -> Store:
        """Of the documents; runs of ``models`` can only read it."""
        return Store(Path(self.store_dir))

    @property
    def register(self) -> UploadRegister:
        """What became of each set that was dropped."""
        return inbox_register(Path(self.training_dir))

    @property
    def inbox(self) -> Inbox:
        """What looks at the folder for ground truth."""
        return Inbox(Path(self.ground_truth_dir), self.register, quiet=self.quiet_seconds, notes=self.refused_notes)

    def learner(
        self,
        at: Callable[[Progress], None],
        *,
        base: str | None = None,
        minutes: float | None = None,
        seed: int | None = None,
        ngrams: int | None = None,
    ) -> Learner:
        """What learns hands.

        Args:
            at: Called after each evaluation of a training.
            base, minutes, seed, ngrams: Of this training; None for those of the installation.

        Raises:
            UsageError: One of them cannot be.
        """
        # Not above: what describes the assets need not load what trains.
        from archive_pipeline.training.hand_learner import HandLearner

        shop = Workshop.from_settings(self._settings).asked(base=base, minutes=minutes, seed=seed, ngrams=ngrams)
        return HandLearner(shop, at)

    def roll_back(self, key: str, reason: str) -> WentBack:
        """Go back to the model that read a hand before.

        Raises:
            UsageError: No model is promoted for it.
        """
        names = {record.key: record.name for record in hand_records(Path(self.models_dir))}
        record = rollback(Path(self.models_dir), names.get(key, key), reason=reason)
        left = [entry.promoted.model for entry in record.history[-2:-1] if entry.promoted]
        return WentBack(record.name, left[0], record.promoted.model if record.promoted else self._general(record.name))

    def _general(self, hand: str) -> str:
        """What reads a hand for which no model is promoted; who went back must not be told that it failed."""
        from archive_pipeline.training.proving import in_use

        try:
            return in_use(Workshop.from_settings(self._settings), hand).recognition.id
        except ArchiveError:
            return "the general model"  # it cannot be used, as whatever is to be read with it will say

    def take_in(self, name: str, *, replace: bool) -> Imported:
        """Take in what was dropped; see :func:`archive_pipeline.training_sets.taking_in.take_in`."""
        options = ReadOptions(
            render=RenderOptions(max_pixels=self.max_pixels),
            memory_mb=self.worker_memory_mb,
            seconds=self.page_timeout,
            lookup=PageImages(self.store).file,
        )
        work = Path(self.training_dir) / "work"
        folder = Path(self.ground_truth_dir)
        return take_in(name, folder, self.register, self.truths, options, work, replace=replace)

    def hands(self) -> dict[str, str]:
        """Key -> name of every hand of which there is ground truth."""
        return known_hands(self.truths, self.store)

    def of_hand(self, key: str) -> HandTruth:
        """What there is of a hand."""
        return truth_of_hand(self.truths, self.store, key)
