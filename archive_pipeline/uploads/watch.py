"""One look at the upload folder, compared with what was known: what is new, changed, renamed, gone, refused.

An upload is taken when its size and time have been the same for a quiet period, of a folder of page images when all
of it has. What is asked for in one look counts as taken when the next look is told that the asking was heard; else it
is asked for again, so that nothing is lost if the process is killed in between.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from archive_pipeline.document_states import DocumentStates
from archive_pipeline.errors import ArchiveError
from archive_pipeline.intake.digests import outside
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store
from archive_pipeline.uploads.compared import compared, confirm, note_gone
from archive_pipeline.uploads.copies import copies_of, tried_again
from archive_pipeline.uploads.folder import Seen, look
from archive_pipeline.uploads.notes import leave_notes
from archive_pipeline.uploads.register import State, Upload, UploadRegister


@dataclass(frozen=True)
class Rules:
    """When an upload is taken.

    Attributes:
        quiet: Seconds for which nothing of it may change.
        at_once: Most documents that one look takes.
        seconds: Time after which a look takes no more; the rest waits for the next one. To make the runs that it asks
            for takes Dagster longer than that, in the same tick.
        batch: A look ends with a full batch if there is more, so that no run is begun for a few documents only.
        notes: Leave a note beside what is refused.
    """

    quiet: float = 30.0
    at_once: int = 1000
    seconds: float = 0.4
    batch: int = 10
    max_file_mb: int = 8_192
    max_pages: int = 20_000
    notes: bool = True


@dataclass(frozen=True)
class Taken:
    """A document of which a run is to be asked for.

    Attributes:
        fingerprint: Of its files' names, sizes and times.
        since: Seconds of the epoch since when it is as it is: another one whenever it is to be done again, even if it
            is what it was before, and the same when it is asked for once more because the asking was not heard.
    """

    key: DocumentKey
    fingerprint: str
    path: Path
    files: int
    size: int
    since: float


@dataclass
class Look:
    """What one look found.

    Attributes:
        token: To be given to the next look if this one's result was heard.
        renamed: Keys whose file has another path now.
        refused: Paths that were refused in this look.
        waiting: Uploads that are not quiet yet, or for which there was no time.
        notes_problem: Why notes could not be left beside refused files; empty if they could, or are not wanted.
    """

    token: str
    taken: list[Taken] = field(default_factory=list)
    renamed: list[DocumentKey] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    refused: list[Upload] = field(default_factory=list)
    waiting: int = 0
    notes_problem: str = ""


class Watcher:
    """Looks at one upload folder."""

    def __init__(
        self,
        uploads: Path,
        store: Store,
        register: UploadRegister,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._uploads = uploads
        self._store = store
        self._register = register
        self._rules = rules or Rules()
        self._clock = clock

    def look(
        self,
        heard: str | None,
        announce: Callable[[Taken], None] = lambda _: None,
        launched: Collection[tuple[str, str]] = (),
    ) -> Look:
        """Look once.

        Args:
            heard: The token of the last look whose result was heard.
            launched: Tokens and keys of which a run is known though the look was not heard.
            announce: Told of every document that is taken, at once; what that takes counts in the look's time.

        Raises:
            NotReadable: The upload folder cannot be listed.
            StorageError: The register or the store cannot be written.
        """
        now = self._clock()
        known = self._register.all()
        seen = {each.path: each for each in look(self._uploads)}
        result = Look(uuid.uuid4().hex)
        before = dict(known)
        confirm(known, heard, launched, now)
        self._follow_renames(known, seen, result, now)
        for path, each in seen.items():
            known[path] = compared(known.get(path), each, now)
        result.gone = note_gone(known, seen, now)
        self._take(known, result, now, announce)
        result.refused = [
            upload for path, upload in known.items() if upload.state == "refused" and upload != before.get(path)
        ]
        result.waiting = sum(upload.state == "waiting" for upload in known.values())
        copies = self._let_copies_in(known, {known[path].key for path in result.gone} - {""})
        if self._rules.notes:
            result.notes_problem = leave_notes(self._uploads, known)
        self._register.update(before, known)
        if copies:
            DocumentStates(self._store.root).release(copies)
        return result

    def _let_copies_in(self, known: dict[str, Upload], gone: Collection[str]) -> set[str]:
        """What was refused because a document that is gone now has the same bytes is the only one that has them."""
        copies = copies_of(gone, DocumentStates(self._store.root).all().values()) if gone else set()
        if copies:
            known |= {path: tried_again(upload) for path, upload in known.items() if upload.key in copies}
        return copies

    def _follow_renames(self, known: dict[str, Upload], seen: dict[str, Seen], result: Look, now: float) -> None:
        """A file that has another path now is the same document: it keeps its key, its corrections and its exports."""
        missing = {
            (upload.identity, upload.version): upload
            for path, upload in known.items()
            if path not in seen and upload.key
        }
        for path, each in seen.items():
            if path in known and known[path].state != "gone":
                continue
            upload = missing.pop((each.identity, each.version), None)
            if upload is None or each.problem is not None:
                continue
            key = DocumentKey(upload.key)
            self._store.move(key, self._uploads / path, self._uploads)
            del known[upload.path]
            # Of what a run refused because it met the rename half way, a run is asked for again.
            state: State = "taken" if upload.state in ("taken", "gone") else "waiting"
            known[path] = replace(upload.accepted(state, now), path=path)
            result.renamed.append(key)

    def _take(self, known: dict[str, Upload], result: Look, now: float, announce: Callable[[Taken], None]) -> None:
        began = time.monotonic()
        for path, upload in known.items():
            if upload.state != "waiting" or now - upload.since < self._rules.quiet:
                continue
            full = result.taken and len(result.taken) % self._rules.batch == 0
            if len(result.taken) >= self._rules.at_once or (full and time.monotonic() - began > self._rules.seconds):
                return
            try:
                taken = self._taken(path, upload.since)
            except ArchiveError as error:
                known[path] = upload.refused(error, now)
                continue
            announce(taken)
            result.taken.append(taken)
            known[path] = replace(upload, state="asked", key=str(taken.key), token=result.token)

    def _taken(self, path: str, since: float) -> Taken:
        place = self._uploads / path
        source, fingerprint = outside(
            place, self._uploads, max_file_mb=self._rules.max_file_mb, max_pages=self._rules.max_pages
        )
        key = self._store.register(place, self._uploads)
        return Taken(key, fingerprint, place, len(source.files), source.size, since)
