"""Having another model read a hand, and going back: what held before is appended to and never lost."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from archive_pipeline.durable import make_folder, storage_error, write_json
from archive_pipeline.errors import ModelError, UsageError, printable
from archive_pipeline.hand_names import is_unknown
from archive_pipeline.models.hands import Entry, HandRecord, Promoted, hand_record, record_path
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary


@dataclass(frozen=True)
class InUse:
    """What a hand is read with, as it was seen before something was proved against it.

    Attributes:
        promoted: What is promoted for the hand; None for the general model.
        recognition: The model that reads it.
        segmentation: The model that finds its lines, where no file of a document says otherwise.
    """

    promoted: Promoted | None
    recognition: InstalledModel
    segmentation: InstalledModel


def promote(
    models: Path,
    hand: str,
    model: InstalledModel,
    *,
    segmentation: InstalledModel | None = None,
    decision: str = "",
    reason: str = "",
    instead_of: InUse | None = None,
) -> HandRecord:
    """Have a model read a hand from now on. If it does already, nothing is changed.

    Args:
        segmentation: The model whose lines it reads; None to have lines found as before.
        decision: Name of the decision that proved it.
        instead_of: What it was compared with; None if it was compared with nothing.

    Raises:
        UsageError: The model reads no lines, or has no files whose digest could be noted; or the hand is read, or its
            lines are found, by another model by now than when it was compared; or it is the name of unknown hands.
        ModelError: What is noted of the hand is damaged, or the model or the one that finds its lines was removed.
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
    with writing_hands(models):
        record = hand_record(models, hand)
        now = record.promoted if record is not None else None
        before = now.segmentation_model if now is not None else None
        lines = segmentation.id if segmentation is not None else before
        promoted = Promoted(model=model.id, digest=model.digest, segmentation_model=lines)
        if record is not None and now == promoted:
            return record
        _require_there(model)
        if lines is not None:
            _require_there(segmentation or ModelLibrary(models).installed(lines, "segmentation"))
        name = record.name if record else " ".join(hand.split())
        if instead_of is not None:
            _refuse_old_proof(name, record, promoted, instead_of)
        entry = Entry(how="promoted", promoted=promoted, when=_now(), decision=decision, reason=reason)
        return _append(models, name, record, entry)


def not_compared(hand: str, model: str, now: str, remedy: str, *, lines: bool = False) -> UsageError:
    """The refusal of a proof against something else than what is in use.

    Args:
        model: Id of the candidate.
        now: Id of what it would take the place of.
        lines: They find lines.
    """
    what = "finds the lines of" if lines else "reads"
    return UsageError(
        f"model {model} was not compared with {now}, which {what} the hand '{printable(hand)}' by now", remedy=remedy
    )


def prove_anew(hand: str, model: str, *, lines: bool = False) -> str:
    """What to do where a proof is out of date."""
    option = "--segmentation-model" if lines else "--model"
    return f"Prove it anew: archive-pipeline hands prove {shlex.quote(printable(hand))} {option} {model}"


def rollback(models: Path, hand: str, *, reason: str = "") -> HandRecord:
    """Go back to the model before, or to the general one where there was none.

    Raises:
        UsageError: No model is promoted for the hand.
        ModelError: What is noted of the hand is damaged.
        StorageError: It cannot be written.
    """
    with writing_hands(models):
        record = hand_record(models, hand)
        if record is None or record.promoted is None:
            raise UsageError(
                f"no model is promoted for the hand '{printable(hand)}'",
                remedy="archive-pipeline hands list shows those that have one.",
            )
        entry = Entry(how="rolled back", promoted=record.before, when=_now(), reason=reason)
        return _append(models, record.name, record, entry)


def _require_there(model: InstalledModel) -> None:
    """Raise ModelError where a model was removed since it was looked up: whoever removes one holds the same lock."""
    if not all(file.path.is_file() for file in model.files):
        raise ModelError(f"model {model.id} is not there any more", remedy="Fetch or train it again.")


def _refuse_old_proof(hand: str, record: HandRecord | None, promoted: Promoted, instead_of: InUse) -> None:
    """Raise UsageError where a model is proved against something that is not in use any more."""
    now, then = record.promoted if record is not None else None, instead_of.promoted
    # Of a model that reads the hand, only the lines can be what was proved, or gone back on.
    of_lines = then is not None and then.digest == promoted.digest
    candidate = str(promoted.segmentation_model) if of_lines else promoted.model
    anew = prove_anew(hand, candidate, lines=of_lines)
    if now != then:
        raise UsageError(
            f"model {candidate} was not compared with {_told(now)}, which the hand '{printable(hand)}' "
            f"came to be read with meanwhile, instead of {_told(then)}",
            remedy=anew,
        )
    # What reads the hand was looked at after what is promoted, and may have been another one for that moment.
    if now is not None and instead_of.recognition.digest != now.digest:
        raise not_compared(hand, candidate, now.model, anew)
    if now is not None and now.segmentation_model not in (None, instead_of.segmentation.id):
        raise not_compared(hand, candidate, str(now.segmentation_model), anew, lines=True)
    if record is not None and record.went_back_on(promoted):
        raise UsageError(
            f"somebody went back on model {candidate} for the hand '{printable(hand)}', which outweighs a proof",
            remedy="To promote it all the same: archive-pipeline hands promote, with --without-proof and a reason.",
        )


def _told(promoted: Promoted | None) -> str:
    if promoted is None:
        return "the general model"
    return promoted.model + (f" on lines of {promoted.segmentation_model}" if promoted.segmentation_model else "")


def _append(models: Path, name: str, record: HandRecord | None, entry: Entry) -> HandRecord:
    made = HandRecord(name=name, history=(*(record.history if record else ()), entry))
    write_json(record_path(models, name), made.model_dump(mode="json"))
    return made


@contextmanager
def writing_hands(models: Path) -> Iterator[None]:
    """Hold what says which model reads a hand: nobody else changes it meanwhile.

    Raises:
        StorageError: The lock cannot be made.
    """
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
