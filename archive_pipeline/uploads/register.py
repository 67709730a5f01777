"""What became of each upload: one small SQLite file in the store.

It is the memory of the sensor, whose own cursor must stay small, and the list of what was refused and why. Runs write
their refusals into it while the sensor reads: SQLite's locks keep them apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from archive_pipeline.errors import ArchiveError
from archive_pipeline.sqlite_table import SqliteTable

State = Literal["waiting", "asked", "taken", "refused", "gone"]


@dataclass(frozen=True)
class Upload:
    """One path below the upload folder.

    Attributes:
        key: Of its document; empty as long as it has none.
        state: ``waiting`` until it is quiet; ``asked`` when a run was asked for, ``taken`` when that was heard;
            ``refused``; ``gone`` when the file is not there any more.
        first_seen, since: Seconds of the epoch: when the path came up, and since when it is as it is.
        token: Of the look in which the run was asked for.
        code, reason, remedy: Why it was refused.
        noted: 1 if a note lies beside it.
        settings: As :attr:`archive_pipeline.uploads.folder.Seen.settings`.
    """

    path: str
    version: str
    identity: str
    state: State
    first_seen: float
    since: float
    key: str = ""
    token: str = ""
    code: str = ""
    reason: str = ""
    remedy: str = ""
    noted: int = 0
    settings: str = ""

    def refused(self, error: ArchiveError, now: float) -> Upload:
        """The same, refused."""
        return replace(
            self, state="refused", since=now, token="", code=error.code, reason=error.what, remedy=error.remedy, noted=0
        )

    def accepted(self, state: State, now: float) -> Upload:
        """The same in a state that has no reason."""
        return replace(self, state=state, since=now, token="", code="", reason="", remedy="")


class UploadRegister:
    """The uploads of one store; or what was dropped as ground truth, in a file of another name.

    Every method raises StorageError or NoSpaceLeft where the file cannot be read or written.
    """

    def __init__(self, store: Path, *, name: str = "uploads.sqlite", read_only: bool = False) -> None:
        self._table = SqliteTable(store / name, Upload, ("key", "state"), read_only=read_only)

    def all(self) -> dict[str, Upload]:
        """Every upload by its path."""
        return self._table.all()

    def write(self, uploads: Iterable[Upload]) -> None:
        """Keep these."""
        self._table.write(uploads)

    def update(self, before: Mapping[str, Upload], after: Mapping[str, Upload]) -> None:
        """Keep what a look has changed, but for what a run has changed meanwhile: the next look sees that."""
        self._table.update(before, after)

    def counts(self) -> Counter[str]:
        """How many uploads are in each state."""
        return self._table.counts("state")

    def in_state(self, state: State) -> list[Upload]:
        """The uploads of one state, by path."""
        return self._table.where(state=state)

    def of_path(self, path: str) -> Upload | None:
        """The upload with a path below the upload folder."""
        return next(iter(self._table.where(path=path)), None)

    def of_document(self, key: str) -> list[Upload]:
        """All uploads of a document, those that are gone too."""
        return self._table.where(key=key)

    def refuse(self, key: str, error: ArchiveError, now: float) -> bool:
        """Note that a run could not take a document; a change of the file has it tried again.

        An upload that has changed since is left waiting: what the run says is of an earlier version. One that is gone
        has nothing left to refuse, but is not taken for done when it comes back.

        Returns:
            Whether that was news.
        """

        def refused(upload: Upload) -> Upload | None:
            known = (upload.state, upload.code, upload.reason) == ("refused", error.code, error.what)
            if upload.state == "waiting" or known:
                return None
            return replace(upload, version="") if upload.state == "gone" else upload.refused(error, now)

        return self._table.change(refused, key=key)

    def offer_again(self, key: str, now: float) -> bool:
        """Note that a run did not come to take what it was asked for: it waits to be quiet once more.

        Returns:
            Whether a run had been asked for.
        """

        def waits(upload: Upload) -> Upload | None:
            return upload.accepted("waiting", now) if upload.state in ("asked", "taken") else None

        return self._table.change(waits, key=key)

    def accept(self, key: str, now: float) -> bool:
        """Note that a document which was refused before could be taken after all.

        Returns:
            Whether it was refused before.
        """
        return self._table.change(lambda upload: upload.accepted("taken", now), key=key, state="refused")

    def forget(self, key: str) -> None:
        """Leave nothing of a document's uploads in the file."""
        self._table.remove([upload.path for upload in self._table.where(key=key)])
