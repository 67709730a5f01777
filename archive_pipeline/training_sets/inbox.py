"""One look at the folder for ground truth, compared with what was known: what is new, changed, gone, refused.

It works as among scans (:mod:`archive_pipeline.uploads.watch`), without copies and renames: a set that is given another
name is another set. What was taken is remembered in ``ground-truth.sqlite`` in the folder of trainings.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive_pipeline.training_sets.dropped import SECOND, look, one_of_a_name
from archive_pipeline.training_sets.set_names import set_name
from archive_pipeline.uploads.compared import compared, confirm, note_gone
from archive_pipeline.uploads.notes import leave_notes
from archive_pipeline.uploads.register import Upload, UploadRegister

_AT_ONCE = 100
"""Most sets of which one look asks for runs."""


def inbox_register(training: Path) -> UploadRegister:
    """What became of each set that was dropped.

    Args:
        training: ``TRAINING_DIR``.
    """
    return UploadRegister(training, name="ground-truth.sqlite")


@dataclass(frozen=True)
class Offered:
    """A set of which a run is to be asked for.

    Attributes:
        name: Of the set.
        path: Below the folder for ground truth.
        version: Of its outside.
        since: Seconds of the epoch since when it is as it is.
    """

    name: str
    path: str
    version: str
    since: float


@dataclass
class InboxLook:
    """What one look found.

    Attributes:
        token: To be given to the next look if this one's result was heard.
        refused: Paths that were refused, or are no longer, in this look.
        waiting: Sets that are not quiet yet.
        notes_problem: Why notes could not be left beside what is refused; empty if they could, or are not wanted.
    """

    token: str
    offered: list[Offered] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    waiting: int = 0
    notes_problem: str = ""


class Inbox:
    """Looks at one folder for ground truth.

    Args:
        quiet: Seconds for which nothing of a set may change before it is taken.
        notes: Leave a note beside what is refused.
    """

    def __init__(
        self,
        folder: Path,
        register: UploadRegister,
        *,
        quiet: float = 30.0,
        notes: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._register = register
        self._quiet = quiet
        self._notes = notes
        self._clock = clock

    def look(self, heard: str | None, launched: Collection[tuple[str, str]] = ()) -> InboxLook:
        """Look once.

        Args:
            heard: The token of the last look whose result was heard.
            launched: Tokens and names of sets of which a run is known though the look was not heard.

        Raises:
            NotReadable: The folder cannot be listed.
            StorageError: The register cannot be written.
        """
        now = self._clock()
        known = self._register.all()
        before = dict(known)
        had = [path for path, upload in known.items() if upload.key and upload.state != "gone"]
        seen = one_of_a_name(look(self._folder), had)
        result = InboxLook(uuid.uuid4().hex)
        confirm(known, heard, launched, now)
        for path, each in seen.items():
            known[path] = compared(known.get(path), each, now)
        result.gone = note_gone(known, seen, now)
        self._offer(known, result, now)
        result.refused = [path for path, upload in known.items() if _news(before.get(path), upload)]
        result.waiting = sum(upload.state == "waiting" for upload in known.values())
        if self._notes:
            result.notes_problem = leave_notes(self._folder, known)
        self._register.update(before, known)
        return result

    def _offer(self, known: dict[str, Upload], result: InboxLook, now: float) -> None:
        for path, upload in known.items():
            if upload.state != "waiting" or now - upload.since < self._quiet:
                continue
            if len(result.offered) == _AT_ONCE:
                return
            name = set_name(path)
            result.offered.append(Offered(name, path, upload.version, upload.since))
            known[path] = replace(upload, state="asked", key=name, token=result.token)


def dropped_path(register: UploadRegister, name: str) -> str | None:
    """What was dropped as this set, if it is there still; a path below the folder for ground truth."""
    there = [
        upload
        for upload in register.of_document(name)
        if upload.state != "gone" and not upload.version.endswith(SECOND)
    ]
    return max(there, key=lambda upload: upload.since).path if there else None


def _news(before: Upload | None, now: Upload) -> bool:
    was = before is not None and before.state == "refused"
    return (now.state == "refused" and now != before) or (was and now.state != "refused")
