"""Which model reads a hand: promoted, and gone back on, with nothing of it lost.

::

    <models>/hands/<hand key>.json     the hand's name, and what held for it, one after another
    <models>/hands/.lock               held by the one process that writes here

The last entry holds. Runs of documents read this and never write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archive_pipeline.durable import make_folder, read_json, storage_error, write_json
from archive_pipeline.errors import ModelError, StorageError, UsageError, printable
from archive_pipeline.hand_names import folded_name, hand_key, is_unknown, same_hand
from archive_pipeline.models.entry import Digest, ModelId
from archive_pipeline.models.installed import InstalledModel


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

    @property
    def gone_back_on(self) -> frozenset[str]:
        """Digests of models that somebody went back on, and that do not read the hand now."""
        stack = {each.digest for each in self._stack()}
        return frozenset(each.promoted.digest for each in self.history if each.promoted) - stack

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
    record = _read(_path(models, hand))
    if record is not None and not same_hand(record.name, hand):
        raise _damaged(_path(models, hand), f"it is of the hand '{record.name}'")
    return record


def hand_records(models: Path) -> tuple[HandRecord, ...]:
    """What held for each hand that a model was ever promoted for, by key.

    Raises:
        ModelError: One is damaged.
    """
    found = (_read(path) for path in sorted((models / "hands").glob("[!.]*.json")))
    return tuple(record for record in found if record is not None)


def promote(
    models: Path,
    hand: str,
    model: InstalledModel,
    *,
    segmentation: InstalledModel | None = None,
    decision: str = "",
    reason: str = "",
    instead_of: str | None = None,
) -> HandRecord:
    """Have a model read a hand from now on. If it does already, nothing is changed.

    Args:
        segmentation: The model whose lines it reads; None to leave that to others.
        decision: Name of the decision that proved it.
        instead_of: Digest of the model that it was compared with; None if it was compared with none.

    Raises:
        UsageError: The model reads no lines, or has no files whose digest could be noted; or the hand is read by
            another model by now than the one that it was compared with; or it is the name of unknown hands.
        ModelError: What is noted of the hand is damaged.
        StorageError: It cannot be written.
    """
    if model.task != "recognition" or (segmentation is not None and segmentation.task != "segmentation"):
        raise UsageError(
            f"model '{(model if model.task != 'recognition' else segmentation or model).id}' does another task",
            remedy="Promote a model that reads lines; --segmentation-model is for one that finds them.",
        )
    if not model.digest:
        raise UsageError(
            f"model '{model.id}' is read by a server, and may be another one tomorrow",
            remedy="Name it in archive.yaml ('model') instead of promoting it.",
        )
    if is_unknown(hand):
        raise UsageError(
            f"'{printable(hand)}' stands for a hand that nobody knows", remedy="Give the hand a name of its own."
        )
    promoted = Promoted(
        model=model.id, digest=model.digest, segmentation_model=segmentation.id if segmentation else None
    )
    with _writing(models):
        record = hand_record(models, hand)
        if record is not None and record.promoted == promoted:
            return record
        if record is not None and instead_of is not None:
            _refuse_old_proof(record, model, instead_of)
        entry = Entry(how="promoted", promoted=promoted, when=_now(), decision=decision, reason=reason)
        return _append(models, record.name if record else " ".join(hand.split()), record, entry)


def rollback(models: Path, hand: str, *, reason: str = "") -> HandRecord:
    """Go back to the model before, or to the general one where there was none.

    Raises:
        UsageError: No model is promoted for the hand.
        ModelError: What is noted of the hand is damaged.
        StorageError: It cannot be written.
    """
    with _writing(models):
        record = hand_record(models, hand)
        if record is None or record.promoted is None:
            raise UsageError(
                f"no model is promoted for the hand '{printable(hand)}'",
                remedy="archive-pipeline hands list shows those that have one.",
            )
        entry = Entry(how="rolled back", promoted=record.before, when=_now(), reason=reason)
        return _append(models, record.name, record, entry)


def _refuse_old_proof(record: HandRecord, model: InstalledModel, instead_of: str) -> None:
    """Raise UsageError where a model is proved to be better than one that does not read the hand any more."""
    now = record.promoted
    known = {each.promoted.digest for each in record.history if each.promoted}
    if instead_of != now.digest if now is not None else instead_of in known:
        reads = now.model if now is not None else "the general model"
        raise UsageError(
            f"model {model.id} was not compared with {reads}, which reads the hand '{printable(record.name)}' by now",
            remedy="Evaluate it anew.",
        )
    if model.digest in record.gone_back_on:
        raise UsageError(
            f"somebody went back on model {model.id} for the hand '{printable(record.name)}', which outweighs a proof",
            remedy="To promote it all the same: archive-pipeline hands promote, with --without-proof and a reason.",
        )


def _append(models: Path, name: str, record: HandRecord | None, entry: Entry) -> HandRecord:
    made = HandRecord(name=name, history=(*(record.history if record else ()), entry))
    write_json(_path(models, name), made.model_dump(mode="json"))
    return made


@contextmanager
def _writing(models: Path) -> Iterator[None]:
    folder = models / "hands"
    make_folder(folder)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire()
    except OSError as error:
        raise storage_error(error, folder) from error
    try:
        yield
    finally:
        lock.release()


def _path(models: Path, hand: str) -> Path:
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
