"""What a document is read with: its settings files are read, its models verified, a hand found for an unknown one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive_pipeline.hand_names import is_unknown
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.choice import Choices, Decision, decide
from archive_pipeline.processing.document_settings import FileSettings, Wishes
from archive_pipeline.processing.hand_choice import Found, asks_for_a_hand, misspelt
from archive_pipeline.processing.hand_trial import promoted_digest, promoted_now, stored_trial
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import DocumentWork
from archive_pipeline.processing.pool import WorkerPool
from archive_pipeline.processing.said import Said, said_by_options
from archive_pipeline.processing.settings_reader import SettingsReader
from archive_pipeline.processing.unknown_hand import find_hand
from archive_pipeline.store import DocumentFolder


@dataclass(frozen=True)
class Decided:
    """What was decided for a document.

    Attributes:
        said: What its settings files say, the nearest first.
        files: The same files by digest.
    """

    decision: Decision
    said: tuple[Said, ...]
    files: dict[str, FileSettings]

    @property
    def choices(self) -> Choices:
        return self.decision.choices

    @property
    def segmentation(self) -> InstalledModel:
        return self.decision.segmentation

    @property
    def recognition(self) -> InstalledModel:
        return self.decision.recognition

    @property
    def wishes(self) -> tuple[Wishes, ...]:
        return tuple(each.wishes for each in self.said)


class Decider:
    """Decides for one document after another; a settings file and a model are looked at once.

    Raises:
        UsageError, ModelError: The models that the run or the settings name cannot be used. It is found out before
            anything is begun: a wrong name is the user's error, not the document's.
    """

    def __init__(self, options: ProcessingOptions) -> None:
        self._options = options
        self._library = ModelLibrary(options.models_dir)
        self._served = options.surya_url is not None
        decide(said_by_options(options), self._library, served=self._served)
        self._settings = SettingsReader(options.uploads_dir)
        self._whole: set[InstalledModel] = set()

    def decide(self, path: Path) -> Decided:
        """What the document at that path is read with, as long as nothing is known of an unknown hand.

        Raises:
            BadSettings, ModelError: Its settings files cannot be obeyed, or a model is not whole.
        """
        said, files = self._settings.read(path)
        return Decided(self._decide(said), said, files)

    def as_last_found(self, folder: DocumentFolder, path: Path) -> Decision:
        """As :meth:`decide`; for an unknown hand nothing is tried, and what was found last counts."""
        said, _ = self._settings.read(path)
        trial = stored_trial(folder) if asks_for_a_hand(self._places(said)) else None
        return self._decide(said, trial.found if trial else None)

    def with_hand(self, work: DocumentWork, decided: Decided, pool: WorkerPool) -> DocumentWork:
        """The document with the models of the hand that is found for it, if its hand is unknown."""
        if not asks_for_a_hand(self._places(decided.said)):
            return work
        promoted = promoted_now(self._library)
        trial = find_hand(work, pool, promoted, lambda hand: self._decide(decided.said, Found(hand, "")))
        decision = self._decide(decided.said, trial.found)
        as_found = tuple(
            wishes.model_copy(update={"hand": trial.hand or None}) if is_unknown(wishes.hand) else wishes
            for wishes in work.said
        )
        return replace(
            work,
            segmentation=decision.segmentation,
            recognition=decision.recognition,
            choices=decision.choices,
            said=as_found,
            tried=promoted_digest(promoted),
        )

    def notes(self, choices: Choices) -> tuple[str, ...]:
        """Sentences on what was decided, for people."""
        note = misspelt(choices.hand, self._library)
        return (note,) if note else ()

    def _places(self, said: Sequence[Said]) -> tuple[Said, ...]:
        asked, settings = said_by_options(self._options)
        return asked, *said, settings

    def _decide(self, said: Sequence[Said], found: Found | None = None) -> Decision:
        decision = decide(self._places(said), self._library, served=self._served, found_hand=found)
        for model in {decision.segmentation, decision.recognition} - self._whole:
            # Before the first page: a damaged model is no page's fault.
            model.verify()
            self._whole.add(model)
        return decision
