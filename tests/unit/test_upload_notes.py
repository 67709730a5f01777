"""Notes beside refused uploads."""

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from upload_folder import Folder

from archive_pipeline.durable import storage_error
from archive_pipeline.errors import DamagedFile
from archive_pipeline.uploads.notes import write_note
from archive_pipeline.uploads.register import Upload


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_note_lies_beside_a_refused_file_until_it_is_mended(folder: Folder) -> None:
    folder.put("box/letter.docx")
    folder.put("a.pdf", b"")
    folder.settle()
    note = folder.uploads / "box" / "letter.docx.refused.txt"
    assert "Reason:     its name is that of no scan" in note.read_text("utf-8")
    assert "What to do: Copy or scan the file again." in (folder.uploads / "a.pdf.refused.txt").read_text("utf-8")
    # No note is a document, or refused itself.
    assert set(folder.states()) == {"a.pdf", "box/letter.docx"}
    folder.put("a.pdf")
    (folder.uploads / "box" / "letter.docx").unlink()
    folder.settle()
    assert list(folder.uploads.rglob("*.txt")) == []


def test_a_run_that_refuses_a_document_gets_its_note_by_the_next_look(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.settle()
    folder.look()
    folder.register.refuse("a.pdf", DamagedFile("it is truncated"), folder.now)
    folder.look()
    assert "it is truncated" in (folder.uploads / "a.pdf.refused.txt").read_text("utf-8")
    folder.register.accept("a.pdf", folder.now)
    folder.look()
    assert list(folder.uploads.iterdir()) == [folder.uploads / "a.pdf"]


def test_a_persons_own_file_of_a_notes_name_is_left_alone(folder: Folder) -> None:
    folder.put("a.docx")
    own = folder.put("a.docx.refused.txt", b"my own words")
    folder.settle()
    (folder.uploads / "a.docx").unlink()
    folder.look()
    assert own.read_bytes() == b"my own words"


def test_notes_that_cannot_be_written_are_said_and_stop_nothing(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, _: bytes) -> None:
        raise storage_error(OSError(errno.EROFS, "Read-only file system"), path)

    monkeypatch.setattr("archive_pipeline.uploads.notes.write_bytes", refuse)
    folder.put("a.docx")
    folder.put("b.pdf")
    folder.look()
    found = folder.look(31)
    assert found.notes_problem.endswith("Read-only file system")
    assert [str(taken.key) for taken in found.taken] == ["b.pdf"]


def test_a_folder_without_room_for_notes_keeps_no_other_from_getting_them(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, data: bytes) -> None:
        if path.parent.name == "closed":
            raise storage_error(OSError(errno.EACCES, "Permission denied"), path)
        path.write_bytes(data)

    monkeypatch.setattr("archive_pipeline.uploads.notes.write_bytes", refuse)
    folder.put("closed/a.docx")
    folder.put("open/b.docx")
    found = folder.look()
    assert found.notes_problem.endswith("Permission denied")
    assert [path.name for path in folder.uploads.rglob("*.txt")] == ["b.docx.refused.txt"]


def test_notes_for_which_a_look_has_no_time_are_left_by_the_next_ones(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.docx", "b.docx"):
        folder.put(name)
    seconds = iter([0.0, 0.0, 9.0, 0.0, 0.0])  # the second of two comes too late
    monkeypatch.setattr("archive_pipeline.uploads.notes.time.monotonic", lambda: next(seconds, 0.0))
    monkeypatch.setattr("archive_pipeline.uploads.watch.time", SimpleNamespace(monotonic=lambda: 0.0))
    folder.look()
    assert [path.name for path in folder.uploads.glob("*.txt")] == ["a.docx.refused.txt"]
    folder.look()
    assert len(list(folder.uploads.glob("*.txt"))) == 2


def test_a_note_makes_no_folder_again_that_was_just_removed(folder: Folder) -> None:
    folder.put("box/a.docx")
    shutil.rmtree(folder.uploads / "box")
    write_note(folder.uploads, Upload("box/a.docx", "1", "1:1", "refused", 1.0, 1.0, reason="why"))
    assert list(folder.uploads.iterdir()) == []


def test_a_note_is_written_through_no_link_that_an_uploader_left(folder: Folder, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    for name in (".a.docx.refused.txt.tmp", "a.docx.refused.txt"):
        (folder.uploads / name).symlink_to(precious)
    folder.put("a.docx")
    folder.settle()
    assert precious.read_text() == "mine"


def test_no_notes_are_left_where_nobody_wants_them(tmp_path: Path) -> None:
    folder = Folder(tmp_path, notes=False)
    folder.put("a.docx")
    folder.settle()
    assert [path.name for path in folder.uploads.iterdir()] == ["a.docx"]
