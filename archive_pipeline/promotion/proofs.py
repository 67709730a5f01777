"""Decisions as they are kept, never overwritten, and what follows from one.

::

    <models>/decisions/<hand key>/<time>-<mark>.json     one decision with all its figures

They lie in the model store, beside what they prove, and not where trainings are: those may be cleared away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import digest_of, read_json, write_json
from archive_pipeline.errors import ModelError, UsageError, printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.hands import HandRecord, hand_record
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.promoting import InUse, not_compared, promote, prove_anew
from archive_pipeline.promotion.decision import Decision, ModelName

_REMEDY = "Restore it from a backup, or move it away and prove the candidate anew: archive-pipeline hands prove HAND."


@dataclass(frozen=True)
class Kept:
    """A decision with the name that it is kept under."""

    name: str
    decision: Decision


def keep(models: Path, decision: Decision, now: datetime | None = None) -> Kept:
    """Keep a decision under a name of its own.

    Raises:
        StorageError: It cannot be written.
    """
    data = decision.model_dump(mode="json")
    when = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S.%fZ")
    name = f"{when}-{digest_of(data)[:12]}"
    path = _folder(models, decision.hand) / f"{name}.json"
    if not path.exists():  # of the same moment and with the same content it is the same
        write_json(path, data)
    return Kept(name, decision)


def kept(models: Path, hand: str) -> tuple[Kept, ...]:
    """All decisions on a hand, the oldest first.

    Raises:
        ModelError: One is damaged.
    """
    found = []
    for path in sorted(_folder(models, hand).glob("[!.]*.json")):
        try:
            found.append(Kept(path.stem, Decision.model_validate(read_json(path))))
        except ValidationError as error:
            raise ModelError(f"{printable(path)} is damaged: {error.errors()[0]['msg']}", remedy=_REMEDY) from None
    return tuple(found)


def follow(
    models: Path, proof: Kept, model: InstalledModel, now: InUse, segmentation: InstalledModel | None = None
) -> HandRecord | None:
    """Do what a decision on a model that reads lines says.

    Args:
        model: The candidate.
        now: What the hand is read with.
        segmentation: The model that is to find the lines; None to have them found as before.

    Returns:
        What holds for the hand now; None if the candidate is not promoted.

    Raises:
        UsageError: Another model reads the hand by now than the one that the candidate was compared with.
        ModelError: The candidate is another one than when it was proved.
    """
    decision = proof.decision
    if not decision.promoted:
        return None
    _require_same(decision.hand, model, decision.candidate)
    _require_compared_with(decision, now.recognition)
    return promote(
        models,
        decision.hand,
        model,
        segmentation=segmentation,
        decision=proof.name,
        reason=" ".join(decision.reasons),
        instead_of=now,
    )


def follow_lines(
    models: Path, proof: Kept, segmentation: InstalledModel, reader: InstalledModel, now: InUse
) -> HandRecord | None:
    """Do what a decision on a model that finds lines says.

    Args:
        segmentation: The candidate.
        reader: The model that reads the hand.
        now: What the hand is read with.

    Returns:
        What holds for the hand now; None if the candidate is not promoted.

    Raises:
        UsageError: The hand is read, or its lines are found, by another model by now than when it was proved.
        ModelError: One of the two is another one than when it was proved.
    """
    decision = proof.decision
    if not decision.promoted or decision.read_with is None:
        return None
    _require_same(decision.hand, segmentation, decision.candidate)
    _require_same(decision.hand, reader, decision.read_with)
    _require_compared_with(decision, now.segmentation)
    return promote(
        models,
        decision.hand,
        reader,
        segmentation=segmentation,
        decision=proof.name,
        reason=" ".join(decision.reasons),
        instead_of=now,
    )


def follow_last(
    models: Path, hand: str, model: InstalledModel, now: InUse, segmentation: InstalledModel | None = None
) -> HandRecord:
    """Do what the last decisions on models say.

    Args:
        model: It is to read the hand, or does so already.
        now: What the hand is read with.
        segmentation: It is to find the lines, and must be proved with ``model``; None to leave that as it is.

    Raises:
        UsageError: There is no decision on one of them, or it says no, or it is out of date.
        ModelError: One is another model than when it was proved.
    """
    reads = now.promoted is not None and now.promoted.digest == model.digest
    bound = now.promoted is not None and now.promoted.segmentation_model is not None
    if reads and (segmentation is None or (bound and segmentation.digest == now.segmentation.digest)):
        record = hand_record(models, hand)  # it is so already, as after a proof that was followed
    elif segmentation is None:
        record = follow(models, _last(models, hand, model), model, now)
    else:
        lines = _last(models, hand, segmentation, model)
        if reads:
            record = follow_lines(models, lines, segmentation, model, now)
        else:
            _require_compared_with(lines.decision, now.segmentation)
            record = follow(models, _last(models, hand, model), model, now, segmentation)
    assert record is not None  # noqa: S101 - _last gives none that says no
    return record


def _last(models: Path, hand: str, model: InstalledModel, read_with: InstalledModel | None = None) -> Kept:
    """The last decision on a model, which says yes."""

    def is_it(decision: Decision) -> bool:
        reader = decision.read_with.digest if decision.read_with else None
        return decision.candidate.digest == model.digest and reader == (read_with.digest if read_with else None)

    found = [each for each in kept(models, hand) if is_it(each.decision)]
    reader = f", read with {read_with.id}," if read_with else ""
    reason = "To promote it all the same, give a reason: --without-proof REASON."
    if not found:
        option = "--segmentation-model" if read_with else "--model"
        raise UsageError(
            f"no decision says that model {model.id}{reader} is better for the hand '{printable(hand)}'",
            remedy=f"Prove it first: archive-pipeline hands prove, with {option} {model.id}. {reason}",
        )
    if not found[-1].decision.promoted:
        raise UsageError(
            f"model {model.id}{reader} is not promoted for the hand '{printable(hand)}': "
            + printable(" ".join(found[-1].decision.reasons)).removesuffix("."),
            remedy=reason,
        )
    return found[-1]


def _require_same(hand: str, model: InstalledModel, then: ModelName) -> None:
    if (model.id, model.digest) != (then.id, then.digest):
        raise ModelError(
            f"model {model.id} is another one than when it was proved",
            remedy=prove_anew(hand, model.id, lines=model.task == "segmentation"),
        )


def _require_compared_with(decision: Decision, now: InstalledModel) -> None:
    """Raise UsageError where a candidate was compared with another model than the one in use."""
    then = decision.current
    # A model that a server holds has no digest.
    if (then.digest or then.id) != (now.digest or now.id):
        lines = decision.task == "segmentation"
        anew = prove_anew(decision.hand, decision.candidate.id, lines=lines)
        raise not_compared(decision.hand, decision.candidate.id, now.id, anew, lines=lines)


def _folder(models: Path, hand: str) -> Path:
    return models / "decisions" / hand_key(hand)
