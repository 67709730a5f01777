"""The list of documents: how each stands, what of it can be opened, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.uploads.register import Upload, UploadRegister

ON_A_PAGE = 100


@dataclass(frozen=True)
class Row:
    """One document.

    Attributes:
        exports: What can be opened of it: label and path below the document.
    """

    state: DocumentState
    exports: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Listing:
    """One page of the list.

    Attributes:
        found: Documents that the search found.
        page: From 1.
        refused: Uploads that are no documents, the newest first; on the first page alone, and not in a search.
    """

    rows: tuple[Row, ...]
    found: int
    page: int
    pages: int
    refused: tuple[Upload, ...]


_EXPORTS = (
    ("reading view", "view/index.html"),
    ("PDF", "document.pdf"),
    ("text", "document.txt"),
    ("files", "manifest.json"),
)


class Lister:
    """Makes lists of one store's documents; what was read is kept as long as the tables are the same."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._read: tuple[object, list[DocumentState], list[Upload]] = (None, [], [])

    def page(self, number: int, search: str = "") -> Listing:
        """A page of the documents whose key or hand has these words in it, those that need somebody first.

        Raises:
            StorageError: The tables cannot be read.
        """
        states, refused = self._tables()
        words = search.casefold().split()
        found = [state for state in states if all(word in f"{state.key} {state.hand}".casefold() for word in words)]
        pages = max(1, -(-len(found) // ON_A_PAGE))
        number = min(max(1, number), pages)
        shown = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
        rows = tuple(Row(state, self._exports(state.key)) for state in shown)
        return Listing(rows, len(found), number, pages, tuple(refused[:ON_A_PAGE]) if number == 1 and not words else ())

    def _exports(self, key: str) -> tuple[tuple[str, str], ...]:
        folder = self._store / "documents" / key / "exports"
        return tuple((label, path) for label, path in _EXPORTS if (folder / path).is_file())

    def _tables(self) -> tuple[Sequence[DocumentState], Sequence[Upload]]:
        now = [_outside(self._store / name) for name in ("documents.sqlite", "uploads.sqlite")]
        if self._read[0] != now:
            states = sorted(DocumentStates(self._store, read_only=True).all().values(), key=_urgency)
            refused = UploadRegister(self._store, read_only=True).in_state("refused")
            # A document that was refused is in the first table, by its key.
            known = {state.key for state in states}
            others = [upload for upload in refused if upload.key not in known]
            self._read = (now, states, sorted(others, key=lambda upload: -upload.since))
        return self._read[1], self._read[2]


def _urgency(state: DocumentState) -> tuple[bool, bool, str]:
    return state.standing == "done", not (state.doubtful or state.failed_pages), state.key


def _outside(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
