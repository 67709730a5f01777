"""Copies: uploads that were refused because another document has the same bytes."""

from __future__ import annotations

from pathlib import Path

from archive_pipeline.document_states import DocumentStates
from archive_pipeline.uploads.register import UploadRegister


def let_copies_in(store: Path, sha256: str) -> None:
    """The document that had these bytes has them no longer, or is gone: whoever was refused for them is tried again.

    Raises:
        StorageError: The tables cannot be read or written.
    """
    released = DocumentStates(store).release(sha256) if sha256 else []
    register = UploadRegister(store)
    for key in released:
        for upload in register.of_document(key):
            if upload.state == "refused":
                register.write([upload.accepted("waiting", upload.since)])
