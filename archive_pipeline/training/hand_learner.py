"""Learning a hand in an installation: from its pages to a candidate, to figures, to a decision."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import DEFAULT_SEGMENTATION
from archive_pipeline.errors import ArchiveError, ModelError, Stopped, UsageError, printable
from archive_pipeline.evaluation.leaks import leaks_of
from archive_pipeline.models.hands import promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import InUse
from archive_pipeline.models.trained import TrainedRecord, card_path, records_of
from archive_pipeline.promotion.proofs import Kept, follow, keep
from archive_pipeline.training.alone import alone_in
from archive_pipeline.training.candidates import install_candidate
from archive_pipeline.training.learning import Candidate, Decided, Evaluated, Figures, Told
from archive_pipeline.training.proving import (
    decide,
    decide_lines,
    evaluation,
    guarded_pages,
    in_use,
    judgeable,
    judged_by,
    leak_of,
)
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.recognition.training import Training, train_recognition
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.frozen import marks_of, require_not_frozen
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splitting import Split

_ENOUGH_TO_VALIDATE = 8
"""Training pages from which on some may be spared to see when to stop."""
_BOX = 4  # corners
_LINES = DEFAULT_SEGMENTATION["kraken"]


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
        split = self._shop.split(hand)
        guarded = guarded_pages(self._shop)
        train, validate = _parts(split, [page for pages in guarded.values() for page in pages])
        require_not_frozen(self._shop.frozen, [*train, *validate])
        base = self._base(judged_by(split, guarded))
        if split.shortage:
            told(split.shortage)
        if apart := len(split.train) + len(split.validate) - len(train) - len(validate):
            told(f"{apart} pages are in a guarded set, or copies of its pages, and not trained with.")
        told(f"{len(train)} pages to train with, {len(validate)} to see when to stop, {len(split.frozen)} to judge by.")

        def progress(at: Progress) -> None:
            told(_sentence(at))
            self._at(at)

        with alone_in(self._folder(split.key, base)) as folder:
            made = train_recognition(
                train, validate, base, self._shop.recipe, folder, limits=self._shop.limits, told=progress, said=told
            )
            _, record = install_candidate(self._shop.models, folder, made, split.hand, [*train, *validate], base)
        return self._candidate(record)

    def newest(self, hand: str) -> Candidate | None:
        found = [record for record in records_of(self._shop.models, hand) if record.task == "recognition"]
        return self._candidate(found[0]) if found else None

    def evaluate(self, hand: str, candidate: Candidate, told: Told) -> Evaluated:
        split = judgeable(self._shop, hand)
        current, new = in_use(self._shop, split.hand).recognition, self._installed(candidate)
        if leak := leak_of(self._shop, new, judged_by(split, guarded_pages(self._shop))):
            # Figures on pages that it may have seen say nothing, and would be believed.
            return Evaluated(digest_of("evaluation of a candidate", current.digest, new.digest, leak), {"note": leak})
        before, after = (
            evaluation(self._shop, split.key, split.frozen, model, split.hand, told) for model in (current, new)
        )
        figures: Figures = {
            "pages": len(split.frozen),
            "model in use": current.id,
            "CER in use, %": round(before.all.cer.percent, 2),
            "CER, %": round(after.all.cer.percent, 2),
            "CER with ſ = s, %": round(after.all.cer_s.percent, 2),
            "WER in use, %": round(before.all.wer.percent, 2),
            "WER, %": round(after.all.wer.percent, 2),
        }
        return Evaluated(digest_of("evaluation of a candidate", before.digest, after.digest), figures)

    def promote(self, hand: str, candidate: Candidate, told: Told) -> Decided:
        split = judgeable(self._shop, hand)
        now, new = in_use(self._shop, split.hand), self._installed(candidate)
        current = now.recognition
        if current.digest == new.digest:
            return Decided(current.id, promoted=False, reason=f"{current.id} reads this hand already.")
        decision = decide(self._shop, split, current, new, told)
        proof = keep(self._shop.models, decision)
        lines, why = self._lines_if_any(split, now, new, told) if decision.promoted else (None, ())
        follow(self._shop.models, proof, new, now, lines)
        reads = promoted_model(self._shop.models, split.hand)
        return Decided(
            model=reads.model if reads else current.id,
            promoted=decision.promoted,
            reason=" ".join((*decision.reasons, *why)),
            figures=_shown(proof),
        )

    def _folder(self, key: str, base: InstalledModel) -> Path:
        """Minutes count where steps are worked out from them: what was begun with others cannot go on."""
        recipe = self._shop.recipe
        minutes = self._shop.limits.minutes if recipe.steps is None else None
        return self._shop.folder(key, "letters", base.digest, recipe.model_dump(mode="json"), minutes)

    def _installed(self, candidate: Candidate) -> InstalledModel:
        """It may be newer than this library."""
        return ModelLibrary(self._shop.models).installed(candidate.model, "recognition")

    def _base(self, pages: Sequence[TrainingPage]) -> InstalledModel:
        """The model to begin with. One that was trained here may have seen what the new one would be judged by."""
        base = self._library.installed(self._shop.base, "recognition")
        seen = leaks_of(self._shop.models, base, pages, self._shop.frozen)
        if seen is not None and seen.found:
            raise UsageError(
                f"a model for this hand cannot begin with {base.id}: {seen}",
                remedy="Begin with another: ARCHIVE_TRAINING_BASE, or --base.",
            )
        return base

    def _lines_if_any(
        self, split: Split, now: InUse, new: InstalledModel, told: Told
    ) -> tuple[InstalledModel | None, tuple[str, ...]]:
        """As :meth:`_lines`; if they cannot be tried, a model that is proved is promoted all the same."""
        try:
            return self._lines(split, now, new, told)
        except Stopped:
            raise
        except ArchiveError as error:
            hand = shlex.quote(printable(split.hand))
            return None, (
                f"Its lines are found as before, since those of {_LINES} could not be tried: {error}",
                f"Try them later: archive-pipeline hands prove {hand} --segmentation-model {_LINES}",
            )

    def _lines(
        self, split: Split, now: InUse, new: InstalledModel, told: Told
    ) -> tuple[InstalledModel | None, tuple[str, ...]]:
        """The model that is to find the lines which a promoted one reads, and why; None to have them found as before.

        The one that was promoted before stays. Where there is none, kraken's has to prove that more is read right on
        its lines, if people drew such.
        """
        if now.promoted is not None and now.promoted.segmentation_model is not None:
            return None, ()
        wanted, present = self._segmentation(split), now.segmentation
        if wanted is None or wanted.digest == present.digest:
            return wanted, ()
        decision = decide_lines(self._shop, split, present, wanted, new, told)
        keep(self._shop.models, decision)
        missed = "(here lines that were missed, and found ones that are none, count as errors, too)"
        reasons = (f"Its lines, by {wanted.id} instead of {present.id} {missed}:", *decision.reasons)
        return (wanted if decision.promoted else None), reasons

    def _segmentation(self, split: Split) -> InstalledModel | None:
        """kraken's lines where the ground truth has outlines of that kind, since the model was trained on such."""
        shapes = [len(line.line.boundary) > _BOX for page in split.train for line in page.lines()]
        if not shapes or sum(shapes) < len(shapes) / 2:
            return None
        return self._library.installed(_LINES, "segmentation")

    def _candidate(self, record: TrainedRecord) -> Candidate:
        try:
            made = Training.model_validate(record.made)
        except ValidationError:
            raise ModelError(
                f"the record of {record.model} is of another version",
                remedy="Train it again with this one, and prove that.",
            ) from None
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
            figures["CER of the network alone on the way, %"] = round(made.cer, 2)
        if made.language is not None:
            figures["language of the hand"] = str(made.language)
        path = card_path(self._shop.models, record.model)
        return Candidate(record.model, record.digest, figures, path.read_text("utf-8") if path.is_file() else "")


def _parts(split: Split, guarded: Sequence[TrainingPage]) -> tuple[list[TrainingPage], list[TrainingPage]]:
    """Pages to train with, and to see when to stop: few pages are all needed for the former.

    Args:
        guarded: Pages that are judged by: neither they nor their copies, whatever set those are in, are in one of both.
    """
    marks = {mark for page in guarded for mark in marks_of(page)}
    found: set[str] = set()
    # With a line of a page goes the page, and with a copy what is a copy of that, and so on.
    while more := {
        page.id: page for page in (*split.train, *split.validate) if page.id not in found and marks_of(page) & marks
    }:
        found.update(more)
        marks.update(mark for page in more.values() for mark in marks_of(page))
    train, validate = ([page for page in pages if page.id not in found] for pages in (split.train, split.validate))
    if len(train) + len(validate) < _ENOUGH_TO_VALIDATE:
        return [*train, *validate], []
    return train, validate


def _sentence(at: Progress) -> str:
    cer = "" if at.cer is None else f", CER {at.cer:.2f} %"
    return f"Step {at.step} of {at.steps}, epoch {at.epoch}: loss {at.loss:.3f}{cer}, {at.seconds / 60:.1f} minutes."


def _shown(proof: Kept) -> Figures:
    decision = proof.decision
    if decision.frozen is None:
        return {"decision": proof.name}
    return {
        "decision": proof.name,
        "gain, points of CER": round(decision.frozen.gain.value, 2),
        "p": round(decision.frozen.p, 4),
        "p must be below": round(decision.level, 5),
        "proofs on these pages": decision.proof,
    }
