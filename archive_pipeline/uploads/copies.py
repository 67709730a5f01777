"""Copies: uploads that were refused because another document has the same bytes.

Whoever has those bytes no longer, or is gone, lets its copies in: they are tried again. Each upload is set to wait
before the state of its document is forgotten, which is how it is known to be a copy: what a kill leaves, the next call
does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.uploads.register import Upload, UploadRegister


def let_copies_in(store: Path, sha256: str) -> None:
    """The document that had these bytes has them no longer: whoever was refused for them is tried again.

    Raises:
        StorageError: The tables cannot be read or written.
    """
    if not sha256:
        return
    states, register = DocumentStates(store), UploadRegister(store)
    keys = states.copies(sha256)
    register.write(tried_again(upload) for key in keys for upload in register.of_document(key))
    states.release(keys)


def copies_of(gone: Collection[str], states: Iterable[DocumentState]) -> set[str]:
    """Keys of the copies of documents whose uploads are gone; of very many in one go.

    Args:
        gone: Keys.
        states: Of all documents.
    """
    known = list(states)
    theirs = {state.sha256 for state in known if state.key in gone and not state.is_copy} - {""}
    return {state.key for state in known if state.is_copy and state.sha256 in theirs and state.key not in gone}


def tried_again(upload: Upload) -> Upload:
    """An upload that waits, if it was refused."""
    return upload.accepted("waiting", upload.since) if upload.state == "refused" else upload
