"""Having another model read a hand, and going back: what held before is appended to and never lost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock

from archive_pipeline.durable import make_folder, storage_error, write_json
from archive_pipeline.errors import ModelError, UsageError, printable
from archive_pipeline.hand_names import is_unknown
from archive_pipeline.models.hands import Entry, HandRecord, Promoted, hand_record, record_path
from archive_pipeline.models.installed import InstalledModel


def promote(
    models: Path,
    hand: str,
    model: InstalledModel,
    *,
    segmentation: InstalledModel | None = None,
    decision: str = "",
    reason: str = "",
    instead_of: str | None = None,
    lines_instead_of: str | None = None,
) -> HandRecord:
    """Have a model read a hand from now on. If it does already, nothing is changed.

    Args:
        segmentation: The model whose lines it reads; None to leave that to others.
        decision: Name of the decision that proved it.
        instead_of: Digest of the model that it was compared with; None if it was compared with none.
        lines_instead_of: Id of the segmentation model that the other was compared with; None if it was with none.

    Raises:
        UsageError: The model reads no lines, or has no files whose digest could be noted; or the hand is read by
            another model by now than the one that it was compared with; or it is the name of unknown hands.
        ModelError: What is noted of the hand is damaged, or the model was removed meanwhile.
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
    with writing_hands(models):
        record = hand_record(models, hand)
        if record is not None and record.promoted == promoted:
            return record
        _require_there(model)
        if segmentation is not None:
            _require_there(segmentation)
        if record is not None and instead_of is not None:
            _refuse_old_proof(record, promoted, instead_of, lines_instead_of)
        entry = Entry(how="promoted", promoted=promoted, when=_now(), decision=decision, reason=reason)
        return _append(models, record.name if record else " ".join(hand.split()), record, entry)


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


def _refuse_old_proof(record: HandRecord, promoted: Promoted, instead_of: str, lines_instead_of: str | None) -> None:
    """Raise UsageError where a model is proved to be better than one that does not read the hand any more."""
    now = record.promoted
    known = {each.promoted.digest for each in record.history if each.promoted}
    if instead_of != now.digest if now is not None else instead_of in known:
        reads = now.model if now is not None else "the general model"
        raise UsageError(
            f"model {promoted.model} was not compared with {reads}, "
            f"which reads the hand '{printable(record.name)}' by now",
            remedy="Evaluate it anew.",
        )
    lines = now.segmentation_model if now is not None else None
    if lines_instead_of is not None and lines is not None and lines != lines_instead_of:
        raise UsageError(
            f"model {promoted.segmentation_model} was not compared with {lines}, "
            f"which finds the lines of the hand '{printable(record.name)}' by now",
            remedy="Prove it anew.",
        )
    if record.went_back_on(promoted):
        both = promoted.segmentation_model if lines_instead_of is not None else promoted.model
        raise UsageError(
            f"somebody went back on model {both} for the hand '{printable(record.name)}', which outweighs a proof",
            remedy="To promote it all the same: archive-pipeline hands promote, with --without-proof and a reason.",
        )


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
