"""How each document stands: one row a document in one small SQLite file of the store.

What a plan or a report of a hundred thousand documents needs, without opening a hundred thousand folders. The truth is
in the documents' own folders; a row is written when work on a document ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from archive_pipeline.errors import DuplicateDocument
from archive_pipeline.sqlite_table import SqliteTable

Standing = Literal["done", "failed", "refused"]


@dataclass(frozen=True)
class DocumentState:
    """One document as the last work on it left it.

    Attributes:
        fingerprint: Of its source: names, sizes and times.
        made_with: Digest of models, code versions and options that its results depend on.
        sha256: Of its bytes.
        segmentation, recognition: Ids of the models.
        chosen_by: Who chose them: ``run``, for a run was asked for with options of its own, these or others;
            ``document``, for its own files say so; or ``settings``.
        said: JSON list of what the document's own files say of its models and its hand, the nearest first; empty for a
            state of a version that did not note it. For an unknown hand, the one that was found.
        tried: Digest of the promoted models that were tried for an unknown hand; else empty.
        tries: Failures in a row; 0 when it is done.
        code, reason, remedy: Why it failed or was refused.
        confidence: Mean over pages, 0 to 1; None where nothing was read.
        doubtful: Pages that need an eye.
        seconds: Wall time of the work that made it what it is; kept when nothing had to be done.
        when: Seconds of the epoch.
    """

    key: str
    standing: Standing
    fingerprint: str
    made_with: str
    when: float
    sha256: str = ""
    segmentation: str = ""
    recognition: str = ""
    chosen_by: str = ""
    direction: str = ""
    tries: int = 0
    code: str = ""
    reason: str = ""
    remedy: str = ""
    pages: int = 0
    failed_pages: int = 0
    lines: int = 0
    characters: int = 0
    confidence: float | None = None
    doubtful: int = 0
    language: str = ""
    hand: str = ""
    seconds: float = 0.0
    said: str = ""
    tried: str = ""

    @property
    def is_copy(self) -> bool:
        """Whether it was refused because another document has the same bytes."""
        return self.code == DuplicateDocument.__name__


class DocumentStates:
    """The states of one store's documents."""

    def __init__(self, store: Path, *, read_only: bool = False) -> None:
        path = store / "documents.sqlite"
        self._table = SqliteTable(path, DocumentState, ("standing", "sha256"), read_only=read_only)

    def all(self) -> dict[str, DocumentState]:
        return self._table.all()

    def of(self, key: str) -> DocumentState | None:
        return next(iter(self._table.where(key=key)), None)

    def with_bytes(self, sha256: str) -> list[DocumentState]:
        """The documents whose bytes these are."""
        return self._table.where(sha256=sha256)

    def copies(self, sha256: str) -> list[str]:
        """Keys of those that were refused for having these bytes twice."""
        return [state.key for state in self.with_bytes(sha256) if state.is_copy]

    def release(self, keys: Iterable[str]) -> None:
        """Forget how documents stand: they are new again."""
        self._table.remove(keys)

    def write(self, state: DocumentState) -> None:
        self._table.write([state])

    def write_all(self, states: Iterable[DocumentState]) -> None:
        """All of them or none."""
        self._table.write(states)

    def forget(self, key: str) -> None:
        """Leave nothing of a document in the file."""
        self._table.remove([key])
