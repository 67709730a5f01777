"""What may go from the model store: leftovers, damaged copies, models that nobody asks for; never what is in use."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import UsageError
from archive_pipeline.models.entry import Bundled, ModelEntry, Served, digest_of_files
from archive_pipeline.models.hands import hand_records
from archive_pipeline.models.kept import entry_path, pin_path
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import writing_hands
from archive_pipeline.models.staging import DAMAGED, STAGING, remove_folder

_DIGEST = re.compile(r"[0-9a-f]{64}")
_DAY = 86_400


@dataclass(frozen=True)
class Candidate:
    """One thing in the store that could go.

    Attributes:
        what: The model's id, or what it is.
        folder: Where it lies; for an entry without files, where they would.
        size: In bytes.
        days: Since it came.
        used: A stored result was made with it.
        hands: Hands that it reads, or that a rollback would have it read.
        once: Hands that it read before.
        kept: Files of the entries that came with it, and of their pins, which go with it.
        ids: Of the entries that name it.
    """

    kind: Literal["model", "leftover", "damaged"]
    what: str
    folder: Path
    size: int
    days: float
    used: bool = False
    kept: tuple[Path, ...] = ()
    ids: tuple[str, ...] = ()
    hands: tuple[str, ...] = ()
    once: tuple[str, ...] = ()


def candidates(
    library: ModelLibrary, used: Collection[str], *, asked_for: Collection[str] = (), everything: bool = False
) -> Iterator[Candidate]:
    """What could go.

    Args:
        used: Digests of models that stored results were made with.
        asked_for: Ids of models that should go although the catalogue knows them.
        everything: All models should go.

    Raises:
        ModelError: What is noted of a hand is damaged, so that nobody can say which models it needs.
    """
    root = library.root
    if root is None or not root.is_dir():
        return
    known, fetching = _known(library), _somebody_fetches(root)
    needed, once = _of_hands(root)
    for folder in sorted(root.iterdir()):
        if not (_DIGEST.fullmatch(folder.name) and folder.is_dir()):
            continue
        entries = known.get(folder.name, [])
        if not entries and fetching:  # its entry may be about to come
            continue
        # A model that two entries name goes if both should.
        if entries and not everything and not {entry.id for entry in entries} <= set(asked_for):
            continue
        what = ", ".join(entry.id for entry in entries) or "a model that no entry names"
        candidate = _candidate("model", what, folder, used=folder.name in used, kept=_kept(library, root, entries))
        candidate = replace(candidate, ids=tuple(entry.id for entry in entries))
        yield replace(candidate, hands=_needed_by(candidate, needed), once=tuple(once.get(folder.name, ())))
    for entry in library.kept:
        if entry.id in asked_for and entry.digest and not (root / entry.digest).exists():
            kept = _kept(library, root, [entry])
            yield Candidate("model", entry.id, root / entry.digest, 0, 0, kept=kept, ids=(entry.id,))
    for folder in _folders(root / STAGING):
        yield _candidate("leftover", f"of a fetch: {folder.name}", folder)
    for folder in _folders(root / DAMAGED):
        yield _candidate("damaged", f"copy of {folder.name[:12]}", folder)


def remove(candidate: Candidate, root: Path) -> bool:
    """Remove it.

    Returns:
        Whether it is gone: what another process is fetching stays.

    Raises:
        UsageError: A hand needs it, by now.
        ModelError: What is noted of a hand is damaged, so that nobody can say which models it needs.
        StorageError: It cannot be removed.
    """
    if candidate.kind == "model":
        # Since it was looked for, a hand may have got it: while this is held, none can.
        with writing_hands(root):
            hands = _needed_by(candidate, _of_hands(root)[0])
            if hands:
                raise UsageError(
                    f"model {candidate.what} reads {', '.join(hands)}, or would after a rollback",
                    remedy="Promote another model for that hand first.",
                )
            return _remove(candidate, root)
    return _remove(candidate, root)


def _needed_by(candidate: Candidate, needed: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(sorted({hand for one in (candidate.folder.name, *candidate.ids) for hand in needed.get(one, ())}))


def _remove(candidate: Candidate, root: Path) -> bool:
    try:
        if candidate.kind == "leftover":
            return _remove_leftover(candidate.folder)
        for path in candidate.kept:
            path.unlink(missing_ok=True)
        if candidate.folder.exists():
            remove_folder(candidate.folder, root)
    except OSError as error:
        raise storage_error(error, candidate.folder) from None
    return True


def _remove_leftover(folder: Path) -> bool:
    lock = FileLock(folder.with_name(f"{folder.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    try:
        shutil.rmtree(folder)
    finally:
        lock.release()
    return True


def _somebody_fetches(root: Path) -> bool:
    for path in (root / STAGING).glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
    return False


def _known(library: ModelLibrary) -> dict[str, list[ModelEntry]]:
    """Entries by the digest of their files."""
    found: dict[str, list[ModelEntry]] = {}
    # Those that are passed over are not lost: their owner is told to give them another id.
    for entry in (*library.catalogue, *library.passed_over):
        if not isinstance(entry.source, Bundled | Served):
            digest = digest_of_files(library.known_files(entry))
            if digest is not None:
                found.setdefault(digest, []).append(entry)
    return found


def _of_hands(root: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Names of hands by the digest of a model that they need (or by its id, if it finds lines), and that they had."""
    needed: dict[str, list[str]] = {}
    once: dict[str, list[str]] = {}
    for record in hand_records(root):
        both = [each for each in (record.promoted, record.before) if each is not None]
        now = {each.digest for each in both}
        for one in now | {each.segmentation_model for each in both if each.segmentation_model}:
            needed.setdefault(one, []).append(record.name)
        for digest in {entry.promoted.digest for entry in record.history if entry.promoted is not None} - now:
            once.setdefault(digest, []).append(record.name)
    return needed, once


def _kept(library: ModelLibrary, root: Path, entries: Sequence[ModelEntry]) -> tuple[Path, ...]:
    """What is kept of those entries that came with their model.

    A pin goes with its entry: else it would bind the next model that gets that id. That of an entry of a catalogue
    stays, since the entry does.
    """
    own = [entry.id for entry in entries if entry in library.kept]
    # Pins first: a kept entry has the digests itself, so what a kill leaves of the two binds nothing else.
    bound = {entry.id for entry in library.catalogue if entry not in library.kept}
    pins = (pin_path(root, model_id) for model_id in own if model_id not in bound)
    return (*(path for path in pins if path.exists()), *(entry_path(root, model_id) for model_id in own))


def _folders(parent: Path) -> list[Path]:
    return sorted(child for child in parent.iterdir() if child.is_dir()) if parent.is_dir() else []


def _candidate(
    kind: Literal["model", "leftover", "damaged"],
    what: str,
    folder: Path,
    *,
    used: bool = False,
    kept: tuple[Path, ...] = (),
) -> Candidate:
    files = [path for path in folder.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    newest = max([folder.stat().st_mtime, *(path.stat().st_mtime for path in files)])
    return Candidate(kind, what, folder, size, max(0.0, (time.time() - newest) / _DAY), used, kept)
