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
from archive_pipeline.errors import ModelError, printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.hands import HandRecord
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.promoting import promote
from archive_pipeline.promotion.decision import Decision

_REMEDY = "Restore it from a backup, or move it away and evaluate the candidate anew."


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
    when = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    name = f"{when}-{digest_of(data)[:12]}"
    path = _folder(models, decision.hand) / f"{name}.json"
    if not path.exists():  # of the same second and with the same content it is the same
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
    models: Path, proof: Kept, model: InstalledModel, segmentation: InstalledModel | None = None
) -> HandRecord | None:
    """Do what a decision says.

    Args:
        model: The candidate.
        segmentation: The model whose lines it was proved on, if that is to find them.

    Returns:
        What holds for the hand now; None if the candidate is not promoted.

    Raises:
        UsageError: Another model reads the hand by now than the one that the candidate was compared with.
        ModelError: The candidate is another one than when it was proved.
    """
    decision = proof.decision
    if not decision.promoted:
        return None
    if (model.id, model.digest) != (decision.candidate.id, decision.candidate.digest):
        raise ModelError(f"model {model.id} is another one than when it was proved", remedy="Evaluate it anew.")
    return promote(
        models,
        decision.hand,
        model,
        segmentation=segmentation,
        decision=proof.name,
        reason=" ".join(decision.reasons),
        instead_of=decision.current.digest,
    )


def _folder(models: Path, hand: str) -> Path:
    return models / "decisions" / hand_key(hand)
