"""Learning a hand in an installation: from its pages to a candidate, to figures, to a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import DEFAULT_RECOGNITION, recognition_model
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.evaluation.leaks import leaks_of
from archive_pipeline.evaluation.record import Evaluation
from archive_pipeline.evaluation.stored import EvaluationStore, evaluate_once
from archive_pipeline.memory_limit import memory_limit_mb
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.trained import TrainedRecord, card_path, records_of, trained_record
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.comparing import compared
from archive_pipeline.promotion.decision import Compared, Decision, ModelName, not_judged, weigh
from archive_pipeline.promotion.proofs import follow, keep
from archive_pipeline.settings import Settings, usable_cpus
from archive_pipeline.store import Store
from archive_pipeline.training.alone import alone_in
from archive_pipeline.training.candidates import install_candidate
from archive_pipeline.training.learning import Candidate, Decided, Evaluated, Figures, Told
from archive_pipeline.training.recognition.loop import Progress
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.recognition.training import Training, train_recognition
from archive_pipeline.training_sets.frozen import FrozenStore, require_not_frozen
from archive_pipeline.training_sets.hands import known_hands
from archive_pipeline.training_sets.lines import TrainingPage, pages_of_set
from archive_pipeline.training_sets.splits import split_of_hand
from archive_pipeline.training_sets.splitting import Split
from archive_pipeline.training_sets.stored import TruthStore, truths_in

_ENOUGH_TO_VALIDATE = 8
"""Training pages from which on some may be spared to see when to stop."""
_BOX = 4  # corners


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
            recipe=Recipe(threads=usable_cpus()),
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
    ) -> Workshop:
        """The same for one training of which somebody says how it is to be; None leaves a thing as it is.

        Raises:
            UsageError: A value cannot be.
        """
        recipe = {name: value for name, value in {"steps": steps, "seed": seed}.items() if value is not None}
        limits = {} if minutes is None else {"minutes": minutes}
        try:
            return replace(
                self,
                base=base or self.base,
                recipe=Recipe.model_validate(self.recipe.model_dump() | recipe),
                limits=Limits.model_validate(self.limits.model_dump() | limits),
            )
        except ValidationError as error:
            first = error.errors()[0]
            raise UsageError(
                f"{first['loc'][0]} of a training cannot be {first['input']!r}: {first['msg']}",
                remedy="Correct it or leave it out.",
            ) from None

    @property
    def truths(self) -> TruthStore:
        return truths_in(self.training)

    @property
    def frozen(self) -> FrozenStore:
        return FrozenStore(self.training / "splits")

    @property
    def evaluations(self) -> EvaluationStore:
        return EvaluationStore(self.training / "evaluations")


class HandLearner:
    """See :class:`archive_pipeline.training.learning.Learner`.

    Args:
        at: Called after each evaluation of a training, beside what is told in sentences.
    """

    def __init__(self, workshop: Workshop, at: Callable[[Progress], None] = lambda _: None) -> None:
        self._shop = workshop
        self._library = ModelLibrary(workshop.models)
        self._at = at

    def train(self, hand: str, told: Told) -> Candidate:
        split = self._split(hand)
        train, validate = _parts(split, self._shop.guarded)
        require_not_frozen(self._shop.frozen, [*train, *validate])
        base = self._base()
        if split.shortage:
            told(split.shortage)
        told(f"{len(train)} pages to train with, {len(validate)} to see when to stop, {len(split.frozen)} to judge by.")

        def progress(at: Progress) -> None:
            told(_sentence(at))
            self._at(at)

        folder = self._shop.training / "trainings" / split.key
        with alone_in(folder):
            made = train_recognition(
                train, validate, base, self._shop.recipe, folder, limits=self._shop.limits, told=progress
            )
            _, record = install_candidate(self._shop.models, folder, made, split.hand, [*train, *validate], base)
        return self._candidate(record)

    def newest(self, hand: str) -> Candidate | None:
        found = [record for record in records_of(self._shop.models, hand) if record.task == "recognition"]
        return self._candidate(found[0]) if found else None

    def evaluate(self, hand: str, candidate: Candidate, told: Told) -> Evaluated:
        split = self._judgeable(hand)
        current, new = self._both(split, candidate)
        before, after = (self._evaluation(split.key, split.frozen, model, split.hand, told) for model in (current, new))
        figures: dict[str, str | int | float | bool] = {
            "pages": len(split.frozen),
            "model in use": current.id,
            "CER in use, %": round(before.all.cer.percent, 2),
            "CER, %": round(after.all.cer.percent, 2),
            "CER with ſ = s, %": round(after.all.cer_s.percent, 2),
            "WER in use, %": round(before.all.wer.percent, 2),
            "WER, %": round(after.all.wer.percent, 2),
        }
        if leak := self._leak(new, split.frozen):
            figures["note"] = leak
        return Evaluated(digest_of("evaluation of a candidate", before.digest, after.digest), figures)

    def promote(self, hand: str, candidate: Candidate, told: Told) -> Decided:
        split = self._judgeable(hand)
        current, new = self._both(split, candidate)
        if current.digest == new.digest:
            return Decided(current.id, promoted=False, reason=f"{current.id} reads this hand already.")
        decision = self._decide(split, current, new, told)
        proof = keep(self._shop.models, decision)
        follow(self._shop.models, proof, new, self._segmentation(split))
        reads = promoted_model(self._shop.models, split.hand)
        return Decided(
            model=reads.model if reads else current.id,
            promoted=decision.promoted,
            reason=" ".join(decision.reasons),
            figures=_shown(decision.frozen.gain.value if decision.frozen else None, proof.name),
        )

    def _decide(self, split: Split, current: InstalledModel, new: InstalledModel, told: Told) -> Decision:
        names = ModelName(id=current.id, digest=current.digest), ModelName(id=new.id, digest=new.digest)
        guarded = {name: self._guarded(name) for name in self._shop.guarded}
        # The model in use may have seen them: that makes it harder for the candidate, and not easier.
        if leak := self._leak(new, [*split.frozen, *(page for pages in guarded.values() for page in pages)]):
            return not_judged(split.hand, *names, leak, self._shop.margin)
        return weigh(
            split.hand,
            *names,
            self._compared(split.key, split.frozen, current, new, split.hand, told),
            {
                name: self._compared(f"guarded-{name}", pages, current, new, name, told)
                for name, pages in guarded.items()
            },
            self._shop.margin,
        )

    def _leak(self, new: InstalledModel, pages: Sequence[TrainingPage]) -> str:
        """Why a candidate must not be judged by some pages; empty if it may."""
        leaks = leaks_of(self._shop.models, new.id, pages, self._shop.frozen)
        if leaks is None:
            return f"Nobody knows which pages {new.id} was trained with, so that these may be among them."
        return f"A leak: {leaks}." if leaks.found else ""

    def _split(self, hand: str) -> Split:
        store = Store(self._shop.store)
        name = known_hands(self._shop.truths, store).get(hand)
        if name is None:
            raise UsageError(
                f"there is no ground truth of a hand {printable(hand)}",
                remedy="Name the hand in hand.yaml, or in archive.yaml of documents whose pages were corrected.",
            )
        return split_of_hand(self._shop.frozen, self._shop.truths, store, name)

    def _judgeable(self, hand: str) -> Split:
        split = self._split(hand)
        if not split.frozen:
            raise UsageError(
                f"the hand {printable(split.hand)} has no pages to judge a model by", remedy=split.shortage
            )
        return split

    def _base(self) -> InstalledModel:
        """The model to begin with. One that was trained here may have seen what it would be judged by."""
        if trained_record(self._shop.models, self._shop.base) is not None:
            raise UsageError(
                f"model {self._shop.base} was trained here: a new one is begun with a general model each time",
                remedy="Set ARCHIVE_TRAINING_BASE, or --base, to one of a maker.",
            )
        return self._library.installed(self._shop.base, "recognition")

    def _both(self, split: Split, candidate: Candidate) -> tuple[InstalledModel, InstalledModel]:
        """The model that reads the hand now, and the candidate."""
        now = promoted_model(self._shop.models, split.hand)
        options = self._shop.options
        general = now.model if now else options.recognition_model
        current = recognition_model(self._library, general, options.engine, served=options.surya_url is not None)
        return current, ModelLibrary(self._shop.models).installed(candidate.model, "recognition")

    def _evaluation(
        self, key: str, pages: Sequence[TrainingPage], model: InstalledModel, of: str, told: Told
    ) -> Evaluation:
        told(f"{model.id} reads {len(pages)} pages of {printable(of)} to be judged.")
        return evaluate_once(self._shop.evaluations, key, pages, model, self._shop.options, of)

    def _compared(
        self,
        key: str,
        pages: Sequence[TrainingPage],
        current: InstalledModel,
        new: InstalledModel,
        of: str,
        told: Told,
    ) -> Compared:
        before, after = (self._evaluation(key, pages, model, of, told) for model in (current, new))
        return compared(before, after)

    def _guarded(self, name: str) -> list[TrainingPage]:
        truth = self._shop.truths.load(name)
        if truth is None:
            raise UsageError(
                f"there is no ground truth {printable(name)}, which is guarded",
                remedy="Import it, or take it out of ARCHIVE_GUARDED_SETS.",
            )
        return list(pages_of_set(self._shop.truths, truth))

    def _segmentation(self, split: Split) -> InstalledModel | None:
        """kraken's lines where the ground truth has outlines of that kind, since the model was trained on such."""
        shapes = [len(line.line.boundary) > _BOX for page in split.train for line in page.lines()]
        if not shapes or sum(shapes) < len(shapes) / 2:
            return None
        return self._library.installed("kraken-blla", "segmentation")

    def _candidate(self, record: TrainedRecord) -> Candidate:
        made = Training.model_validate(record.made)
        figures: dict[str, str | int | float | bool] = {
            "base": record.base,
            "lines": made.lines,
            "steps": made.steps,
            "minutes": round(made.seconds / 60, 1),
            "new characters": "".join(made.new_characters) or "none",
            "licence": record.licence,
        }
        if made.ended:
            figures["ended early"] = made.ended
        if made.cer is not None:
            figures["CER on the way, %"] = round(made.cer, 2)
        path = card_path(self._shop.models, record.model)
        return Candidate(record.model, record.digest, figures, path.read_text("utf-8") if path.is_file() else "")


def _usable_mb() -> int:
    """What a training may take where nobody says: the rest is for what opens pages, and for files in memory."""
    limit = memory_limit_mb()
    return Limits().memory_mb if limit is None else limit * 9 // 10


def _parts(split: Split, guarded: Sequence[str]) -> tuple[list[TrainingPage], list[TrainingPage]]:
    """Pages to train with, and to see when to stop: few pages are all needed for the former.

    Guarded sets are judged by, so that they are in neither.
    """

    def free(pages: Sequence[TrainingPage]) -> list[TrainingPage]:
        return [page for page in pages if page.origin != "set" or page.id.partition("/")[0] not in guarded]

    train, validate = free(split.train), free(split.validate)
    if len(train) + len(validate) < _ENOUGH_TO_VALIDATE:
        return [*train, *validate], []
    return train, validate


def _sentence(at: Progress) -> str:
    cer = "" if at.cer is None else f", CER {at.cer:.2f} %"
    return f"Step {at.step} of {at.steps}, epoch {at.epoch}: loss {at.loss:.3f}{cer}, {at.seconds / 60:.1f} minutes."


def _shown(gain: float | None, decision: str) -> Figures:
    return {"decision": decision} if gain is None else {"decision": decision, "gain, points of CER": round(gain, 2)}
