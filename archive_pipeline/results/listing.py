"""The list of documents: how each stands, what of it can be opened, and what was refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.uploads.register import Upload, UploadRegister

ON_A_PAGE = 100


@dataclass(frozen=True)
class Row:
    """One document.

    Attributes:
        name: Its path below the upload folder, or its key where it came from elsewhere.
        exports: What can be opened of it: label and path below the document.
        refusal: Why its upload, as it lies there now, was refused; what can be opened is of an earlier one.
    """

    state: DocumentState
    name: str
    exports: tuple[tuple[str, str], ...]
    refusal: Upload | None = None


@dataclass(frozen=True)
class Listing:
    """One page of the list.

    Attributes:
        found: Documents that the search found.
        page: From 1.
        refused: Uploads that are no documents, the newest first; on the first page alone, and not in a search.
        under_way: Uploads that wait, or are being worked on, for the first time.
    """

    rows: tuple[Row, ...]
    found: int
    page: int
    pages: int
    refused: tuple[Upload, ...]
    under_way: int = 0


_EXPORTS = (
    ("reading view", "view/index.html"),
    ("PDF", "document.pdf"),
    ("text", "document.txt"),
)


class Lister:
    """Makes lists of one store's documents; what was read is kept as long as the tables are the same."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._under_way = 0
        self._read: tuple[object, list[Row], list[Upload]] = (None, [], [])

    def page(self, number: int, search: str = "") -> Listing:
        """A page of the documents whose key or hand has these words in it, those that need somebody first.

        Raises:
            StorageError: The tables cannot be read.
        """
        everything, refused = self._tables()
        words = search.casefold().split()
        found = [row for row in everything if all(word in _searched(row) for word in words)]
        pages = max(1, -(-len(found) // ON_A_PAGE))
        number = min(max(1, number), pages)
        shown = found[(number - 1) * ON_A_PAGE : number * ON_A_PAGE]
        rows = tuple(replace(row, exports=self._exports(row.state.key)) for row in shown)
        shown_refused = tuple(refused[:ON_A_PAGE]) if number == 1 and not words else ()
        return Listing(rows, len(found), number, pages, shown_refused, self._under_way)

    def _exports(self, key: str) -> tuple[tuple[str, str], ...]:
        folder = self._store / "documents" / key / "exports"
        return tuple((label, path) for label, path in _EXPORTS if (folder / path).is_file())

    def _tables(self) -> tuple[Sequence[Row], Sequence[Upload]]:
        now = [_outside(self._store / name) for name in ("documents.sqlite", "uploads.sqlite")]
        if self._read[0] != now:
            states = DocumentStates(self._store, read_only=True).all()
            uploads = UploadRegister(self._store, read_only=True).all().values()
            there = {upload.key: upload for upload in uploads if upload.key and upload.state != "gone"}
            rows = [_row(state, there.get(key)) for key, state in states.items()]
            # A document that was refused is among the rows, by its key.
            refused = [upload for upload in uploads if upload.state == "refused" and upload.key not in states]
            refused.sort(key=lambda upload: -upload.since)
            new = [upload for upload in uploads if upload.key not in states]
            self._under_way = sum(upload.state in ("waiting", "asked", "taken") for upload in new)
            self._read = (now, sorted(rows, key=_urgency), refused)
        return self._read[1], self._read[2]


def _row(state: DocumentState, upload: Upload | None) -> Row:
    # Where a run has refused it, its state says so, too; of what the sensor refused no run has heard.
    refused = upload is not None and upload.state == "refused" and state.standing == "done"
    return Row(state, upload.path if upload else state.key, (), upload if refused else None)


def _searched(row: Row) -> str:
    return f"{row.name} {row.state.key} {row.state.hand}".casefold()


def _urgency(row: Row) -> tuple[bool, bool, str]:
    fine = row.state.standing == "done" and row.refusal is None
    return fine, not (row.state.doubtful or row.state.failed_pages), row.name


def _outside(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size
