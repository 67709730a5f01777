"""An archive of very many documents that takes no time to make: what is registered, without what was read."""

from __future__ import annotations

from pathlib import Path

from archive_pipeline.durable import to_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store
from archive_pipeline.uploads.folder import look
from archive_pipeline.uploads.register import Upload, UploadRegister

_IN_A_FOLDER = 1_000


def add_files(uploads: Path, first: int, count: int) -> None:
    """Files of one byte in folders of a thousand; ``first`` is the number of the first one."""
    for number in range(first, first + count):
        path = uploads / f"box {number // _IN_A_FOLDER:03d}" / f"letter {number:06d}.pdf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%")


def register_all(uploads: Path, store_dir: Path) -> list[DocumentKey]:
    """Register all that lies in an upload folder as taken, in the register and in the store.

    Written without the care of :mod:`archive_pipeline.durable`: nobody would miss it.
    """
    store, rows = Store(store_dir), []
    for seen in look(uploads):
        key = DocumentKey.from_path(Path(seen.path))
        folder = store.document(key)
        folder.root.mkdir(parents=True)
        folder.source.write_bytes(to_json({"origin": str(uploads / seen.path), "key": key}))
        rows.append(Upload(seen.path, seen.version, seen.identity, "taken", 0.0, 0.0, key=key))
    UploadRegister(store_dir).write(rows)
    return [DocumentKey(row.key) for row in rows]
