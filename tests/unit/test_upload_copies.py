"""Copies: the same bytes twice in the upload folder."""

from pathlib import Path

import pytest
from upload_folder import Folder

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.errors import DuplicateDocument
from archive_pipeline.uploads.copies import let_copies_in
from archive_pipeline.uploads.register import UploadRegister


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_copy_is_tried_again_when_what_it_copies_is_gone(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.put("b.pdf")
    folder.settle()
    folder.look()
    error = DuplicateDocument("it has the same bytes as a.pdf, which is done")
    folder.register.refuse("b.pdf", error, folder.now)
    states = DocumentStates(folder.store.root)
    states.write(DocumentState("a.pdf", "done", "f", "m", 1.0, sha256="same"))
    states.write(DocumentState("b.pdf", "refused", "f", "m", 1.0, sha256="same", code=error.code))
    assert folder.settle() == []
    (folder.uploads / "a.pdf").unlink()
    assert folder.look().gone == ["a.pdf"]
    assert [str(taken.key) for taken in folder.look().taken] == ["b.pdf"]
    assert states.of("b.pdf") is None


def test_a_copy_is_tried_again_though_the_look_that_found_its_original_gone_was_killed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.pdf", "b.pdf"):
        folder.put(name)
    folder.settle()
    folder.look()
    folder.register.refuse("b.pdf", DuplicateDocument("it has the same bytes as a.pdf"), folder.now)
    states = DocumentStates(folder.store.root)
    states.write(DocumentState("a.pdf", "done", "f", "m", 1.0, sha256="same"))
    states.write(DocumentState("b.pdf", "refused", "f", "m", 1.0, sha256="same", code="DuplicateDocument"))
    folder.look()
    (folder.uploads / "a.pdf").unlink()
    for place in (UploadRegister, DocumentStates):
        with monkeypatch.context() as killed:
            killed.setattr(place, "update" if place is UploadRegister else "release", kill)
            with pytest.raises(KeyboardInterrupt):
                folder.look(heard=False)
    assert [str(taken.key) for taken in folder.look(31).taken] == ["b.pdf"]
    assert [path.name for path in folder.uploads.iterdir()] == ["b.pdf"], "its note is gone"


def test_a_copy_is_tried_again_though_letting_it_in_was_killed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("b.pdf")
    folder.settle()
    folder.look()
    folder.register.refuse("b.pdf", DuplicateDocument("it has the same bytes as a.pdf"), folder.now)
    states = DocumentStates(folder.store.root)
    states.write(DocumentState("b.pdf", "refused", "f", "m", 1.0, sha256="same", code="DuplicateDocument"))
    for name in ("release", "copies"):
        with monkeypatch.context() as killed:
            killed.setattr(DocumentStates, name, kill)
            with pytest.raises(KeyboardInterrupt):
                let_copies_in(folder.store.root, "same")
    let_copies_in(folder.store.root, "same")
    assert folder.states() == {"b.pdf": "waiting"}
    assert states.of("b.pdf") is None


def kill(*_: object) -> None:
    raise KeyboardInterrupt
