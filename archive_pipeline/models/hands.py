"""Which model reads a hand, and which ones did before.

::

    <models>/hands/<hand key>.json     the hand's name, and what held for it, one after another
    <models>/hands/.lock               held by the one process that writes here

The last entry holds. Runs of documents read this and never write it; :mod:`archive_pipeline.models.promoting` does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ModelError, StorageError, printable
from archive_pipeline.hand_names import folded_name, hand_key, same_hand
from archive_pipeline.models.entry import Digest, ModelId


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Promoted(_Frozen):
    """A model that reads a hand.

    Attributes:
        digest: What it was when it was proved. Another model that gets its id later does not read the hand.
        segmentation_model: The model that finds the lines which it was proved on; None if that is left to others.
    """

    model: ModelId
    digest: Digest
    segmentation_model: ModelId | None = None


class Entry(_Frozen):
    """What holds from a time on.

    Attributes:
        promoted: None for the general model.
        when: ISO 8601, UTC.
        decision: Name of the decision that proved it; empty where a person decided.
        reason: Why, in a sentence.
    """

    how: Literal["promoted", "rolled back"]
    promoted: Promoted | None
    when: str
    decision: str = ""
    reason: str = ""


class HandRecord(_Frozen):
    """What held for a hand.

    Attributes:
        name: The hand, as it was called at the first promotion.
        history: The oldest first; one at least.
    """

    schema_version: Literal[1] = 1
    name: str
    history: tuple[Entry, ...] = Field(min_length=1)

    @property
    def key(self) -> str:
        return hand_key(self.name)

    @property
    def promoted(self) -> Promoted | None:
        """The model that reads the hand now; None for the general one."""
        return self.history[-1].promoted

    @property
    def before(self) -> Promoted | None:
        """The model that a rollback goes to; None for the general one."""
        stack = self._stack()
        return stack[-2] if len(stack) > 1 else None

    def went_back_on(self, promoted: Promoted) -> bool:
        """Whether somebody went back on a model, or on it with lines of that model, so that it does not hold now."""
        stack, ever = self._stack(), [each.promoted for each in self.history if each.promoted]
        digests = {each.digest for each in ever} - {each.digest for each in stack}
        return promoted.digest in digests or (promoted in ever and promoted not in stack)

    def _stack(self) -> list[Promoted]:
        """Promotions that were not gone back on, the oldest first."""
        stack: list[Promoted] = []
        for entry in self.history:
            if entry.how == "rolled back":
                stack.pop()
            elif entry.promoted is not None:
                stack.append(entry.promoted)
        return stack


def promoted_model(models: Path | None, hand: str | None) -> Promoted | None:
    """The model that reads a hand; None if none was promoted, or there is no model store.

    Raises:
        ModelError: What is noted of the hand is damaged.
    """
    if models is None or not folded_name(hand):
        return None
    record = hand_record(models, hand or "")
    return record.promoted if record is not None else None


def hand_record(models: Path, hand: str) -> HandRecord | None:
    """What held for a hand; None if nothing was ever promoted for it.

    Raises:
        ModelError: It is damaged.
        UsageError: The name is empty.
    """
    record = _read(record_path(models, hand))
    if record is not None and not same_hand(record.name, hand):
        raise _damaged(record_path(models, hand), f"it is of the hand '{record.name}'")
    return record


def hand_records(models: Path) -> tuple[HandRecord, ...]:
    """What held for each hand that a model was ever promoted for, by key.

    Raises:
        ModelError: One is damaged.
    """
    found = (_read(path) for path in sorted((models / "hands").glob("[!.]*.json")))
    return tuple(record for record in found if record is not None)


def record_path(models: Path, hand: str) -> Path:
    """Where it is noted what held for a hand."""
    return models / "hands" / f"{hand_key(hand)}.json"


def _read(path: Path) -> HandRecord | None:
    try:
        data = read_json(path)
        record = None if data is None else HandRecord.model_validate(data)
        if record is not None:
            record._stack()
    except StorageError as error:
        raise _damaged(path, error.what) from None
    except ValidationError as error:
        raise _damaged(path, error.errors()[0]["msg"]) from None
    except IndexError:
        raise _damaged(path, "it goes back further than it went") from None
    return record


def _damaged(path: Path, why: str) -> ModelError:
    # Not "delete it": with it goes what was proved, and by what.
    return ModelError(
        f"{printable(path)}, which says what model reads a hand, is damaged: {printable(why)}",
        remedy="Restore it from a backup. If there is none, move it away: "
        "the hand is then read with the general model.",
    )
