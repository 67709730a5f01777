"""What becomes of a file in the upload folder, look after look."""

import errno
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import read_json, storage_error
from archive_pipeline.errors import DamagedFile, DuplicateDocument, NotReadable
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store
from archive_pipeline.uploads.copies import let_copies_in
from archive_pipeline.uploads.notes import write_note
from archive_pipeline.uploads.register import Upload, UploadRegister
from archive_pipeline.uploads.watch import Look, Rules, Watcher


class Folder:
    """An upload folder with a clock of its own."""

    def __init__(self, root: Path, **rules: float) -> None:
        self.uploads = root / "uploads"
        self.uploads.mkdir()
        self.store = Store(root / "store")
        self.register = UploadRegister(self.store.root)
        self.now = 1_000_000.0
        self.heard: str | None = None
        self.watcher = Watcher(self.uploads, self.store, self.register, Rules(**rules), lambda: self.now)  # type: ignore[arg-type]

    def put(self, name: str, data: bytes = b"%PDF-1.7") -> Path:
        path = self.uploads / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def look(self, after: float = 0, *, heard: bool = True) -> Look:
        """Look once; the result is heard unless the process was killed before."""
        self.now += after
        found = self.watcher.look(self.heard)
        if heard:
            self.heard = found.token
        return found

    def settle(self) -> list[str]:
        """Keys that are taken after everything has been quiet for long enough."""
        self.look()
        return [str(taken.key) for taken in self.look(31).taken]

    def states(self) -> dict[str, str]:
        return {path: upload.state for path, upload in self.register.all().items()}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_file_is_taken_once_it_has_been_quiet(folder: Folder) -> None:
    folder.put("a.pdf")
    assert folder.look().taken == []
    assert folder.look(29).taken == []
    (taken,) = folder.look(1).taken
    assert (taken.key, taken.files, taken.size) == ("a.pdf", 1, 8)
    assert folder.look(100).taken == []
    assert folder.states() == {"a.pdf": "taken"}


def test_a_file_that_grows_is_waited_for(folder: Folder) -> None:
    path = folder.put("a.pdf")
    for _ in range(10):
        assert folder.look(29).taken == []
        with path.open("ab") as file:
            file.write(b"more")
    assert folder.look(0).waiting == 1
    assert folder.register.all()["a.pdf"].first_seen == 1_000_029
    assert folder.settle() == ["a.pdf"]


def test_a_folder_of_page_images_is_taken_when_all_of_it_is_quiet(folder: Folder) -> None:
    folder.put("box/1.jpg")
    folder.look()
    folder.put("box/2.jpg")
    assert folder.look(31).taken == []
    (taken,) = folder.look(31).taken
    assert (taken.key, taken.files) == ("box", 2)


@pytest.mark.parametrize(
    "name", ["a.pdf.part", "a.crdownload", "~$a.pdf", ".a.pdf", "a.pdf~", "Thumbs.db", ".hidden/a.pdf", "@eaDir/a.jpg"]
)
def test_what_is_unfinished_or_of_the_system_is_left_alone_without_a_word(folder: Folder, name: str) -> None:
    folder.put(name)
    assert folder.settle() == []
    assert folder.states() == {}


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


def _make_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _make_loop(path: Path) -> None:
    path.symlink_to(path.parent)


def _make_other(path: Path) -> None:
    path.write_bytes(b"x")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("a.pdf", _make_fifo, "no regular file"),
        ("a.pdf", _make_link, "a link"),
        ("box", _make_loop, "a link"),
        ("letter.docx", _make_other, "no scan"),
    ],
)
def test_what_can_be_no_document_is_refused_by_its_outside(
    folder: Folder, name: str, make: Callable[[Path], None], reason: str
) -> None:
    make(folder.uploads / name)
    (refused,) = folder.look().refused
    assert reason in refused.reason
    assert refused.remedy
    assert folder.look(31).refused == []
    assert folder.states() == {name: "refused"}


def test_an_empty_file_is_refused_and_taken_when_it_was_filled(folder: Folder) -> None:
    path = folder.put("a.pdf", b"")
    folder.look()
    (refused,) = folder.look(31).refused
    assert refused.code == "EmptyFile"
    path.write_bytes(b"%PDF")
    assert folder.settle() == ["a.pdf"]
    assert folder.register.in_state("refused") == []


def test_what_a_run_refused_is_tried_again_when_the_file_changes(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.settle()
    folder.look()
    folder.register.refuse("a.pdf", DamagedFile("it is truncated"), folder.now)
    assert folder.look(31).taken == []
    (refused,) = folder.register.in_state("refused")
    assert (refused.reason, refused.remedy) == ("it is truncated", DamagedFile.default_remedy)
    folder.put("a.pdf", b"better")
    assert folder.settle() == ["a.pdf"]


def test_a_replaced_file_keeps_its_key_and_is_taken_again(folder: Folder) -> None:
    folder.put("a.pdf")
    assert folder.settle() == ["a.pdf"]
    first = folder.look()
    folder.put("a.pdf", b"another scan")
    assert folder.settle() == ["a.pdf"]
    assert first.taken == []


def test_a_renamed_or_moved_document_keeps_its_key_and_is_not_done_again(folder: Folder) -> None:
    path = folder.put("a.pdf")
    assert folder.settle() == ["a.pdf"]
    folder.look()
    (folder.uploads / "box").mkdir()
    path.rename(folder.uploads / "box" / "b.pdf")
    found = folder.look(5)
    assert (found.renamed, found.gone, found.taken) == (["a.pdf"], [], [])
    assert folder.look(60).taken == []
    assert folder.states() == {"box/b.pdf": "taken"}
    origin = read_json(folder.store.document(found.renamed[0]).source)["origin"]
    assert origin == str(folder.uploads / "box" / "b.pdf")
    # Another file in the old place is another document.
    folder.put("a.pdf", b"a different one")
    (key,) = folder.settle()
    assert key.startswith("a.pdf-")


def test_a_deleted_file_leaves_its_document_alone_and_is_known_when_it_comes_back(
    folder: Folder, tmp_path: Path
) -> None:
    path = folder.put("a.pdf")
    folder.settle()
    folder.look()
    shutil.move(path, tmp_path / "elsewhere")
    assert folder.look().gone == ["a.pdf"]
    assert folder.look().gone == []
    assert folder.store.document(folder.store.keys()[0]).source.exists()
    shutil.move(tmp_path / "elsewhere", path)
    assert folder.settle() == []
    assert folder.states() == {"a.pdf": "taken"}


def test_a_replaced_file_that_is_renamed_before_it_is_quiet_keeps_its_key(folder: Folder) -> None:
    path = folder.put("a.pdf")
    folder.settle()
    folder.put("a.pdf", b"another scan")
    folder.look()
    path.rename(folder.uploads / "b.pdf")
    assert folder.look(1).renamed == ["a.pdf"]
    assert [(taken.key, taken.path.name) for taken in folder.look(31).taken] == [("a.pdf", "b.pdf")]


def test_a_document_whose_run_met_its_rename_half_way_is_asked_for_again_under_its_key(folder: Folder) -> None:
    path = folder.put("a.pdf")
    folder.settle()
    folder.look()
    path.rename(folder.uploads / "b.pdf")
    folder.register.refuse("a.pdf", NotReadable("there is no such file or folder"), folder.now)
    assert folder.look(1).renamed == ["a.pdf"]
    assert [(taken.key, taken.path.name) for taken in folder.look(31).taken] == [("a.pdf", "b.pdf")]


@pytest.mark.parametrize("run_is_first", [True, False])
def test_a_document_that_was_away_when_its_run_looked_for_it_is_asked_for_when_it_is_back(
    folder: Folder, tmp_path: Path, run_is_first: bool
) -> None:
    path = folder.put("a.pdf")
    folder.settle()
    folder.look()
    shutil.move(path, tmp_path / "elsewhere")
    for step in (1, 2) if run_is_first else (2, 1):
        if step == 1:
            folder.register.refuse("a.pdf", NotReadable("there is no such file or folder"), folder.now)
        else:
            folder.look()
    shutil.move(tmp_path / "elsewhere", path)
    assert folder.settle() == ["a.pdf"]


def test_what_a_run_says_of_an_earlier_version_does_not_refuse_the_newer_one(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.settle()
    folder.look()
    folder.put("a.pdf", b"a better scan")
    folder.look()
    folder.register.refuse("a.pdf", DamagedFile("it is truncated"), folder.now)
    assert [str(taken.key) for taken in folder.look(31).taken] == ["a.pdf"]


def test_a_refusal_that_comes_during_a_look_stands(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.put("a.pdf")
    folder.settle()
    update = UploadRegister.update

    def late(register: UploadRegister, *rows: Any) -> None:
        folder.register.refuse("a.pdf", DamagedFile("it is truncated"), folder.now)
        update(register, *rows)

    monkeypatch.setattr(UploadRegister, "update", late)
    folder.look()
    assert folder.states() == {"a.pdf": "refused"}


def test_what_was_not_heard_but_launched_is_not_asked_for_again(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.put("b.pdf")
    folder.look()
    found = folder.look(31, heard=False)
    again = folder.watcher.look(folder.heard, launched={(found.token, "a.pdf"), ("of another look", "b.pdf")})
    assert [str(taken.key) for taken in again.taken] == ["b.pdf"]


def test_an_older_version_that_comes_back_is_another_asking_and_one_that_was_not_heard_is_the_same(
    folder: Folder,
) -> None:
    path = folder.put("a.pdf")
    time = path.stat().st_mtime_ns
    folder.look()
    first = folder.look(31, heard=False).taken
    assert folder.look(1).taken == first
    folder.look()
    folder.put("a.pdf", b"another scan")
    folder.settle()
    folder.put("a.pdf")
    os.utime(path, ns=(time, time))
    folder.look()
    (again,) = folder.look(31).taken
    assert again.fingerprint == first[0].fingerprint
    assert again.since > first[0].since


def test_a_look_ends_with_a_full_batch_when_its_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder(tmp_path, seconds=2.5, batch=3)
    clock = iter(range(1000))
    monkeypatch.setattr("archive_pipeline.uploads.watch.time.monotonic", lambda: float(next(clock)))
    for number in range(10):
        folder.put(f"{number}.pdf")
    folder.look()
    announced: list[str] = []
    folder.now += 31
    found = folder.watcher.look(folder.heard, lambda taken: announced.append(taken.path.name))
    # The clock is read at the beginning and after each full batch.
    assert announced == [f"{number}.pdf" for number in range(9)]
    assert (len(found.taken), found.waiting) == (9, 1)


def test_what_was_asked_for_but_not_heard_is_asked_for_again(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.look()
    assert len(folder.look(31, heard=False).taken) == 1
    assert [taken.key for taken in folder.look(heard=False).taken] == ["a.pdf"]
    assert [taken.key for taken in folder.look().taken] == ["a.pdf"]
    assert folder.look().taken == []


def test_a_clock_that_runs_back_begins_the_quiet_period_anew(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.look()
    assert folder.look(-86_400).taken == []
    assert folder.look(29).taken == []
    assert len(folder.look(1).taken) == 1


def test_one_look_takes_no_more_than_its_share(tmp_path: Path) -> None:
    folder = Folder(tmp_path, at_once=3)
    for number in range(7):
        folder.put(f"{number}.pdf")
    folder.look()
    taken = [[str(each.key) for each in folder.look(31).taken] for _ in range(4)]
    assert taken == [["0.pdf", "1.pdf", "2.pdf"], ["3.pdf", "4.pdf", "5.pdf"], ["6.pdf"], []]


@pytest.mark.skipif(os.geteuid() == 0, reason="permissions do not stop root")
def test_a_folder_without_permission_is_refused_and_tried_again_when_it_may_be_read(folder: Folder) -> None:
    folder.put("box/1.jpg")
    (folder.uploads / "box").chmod(0)
    (refused,) = folder.look().refused
    assert refused.path == "box"
    (folder.uploads / "box").chmod(0o755)
    assert folder.settle() == ["box"]


def test_an_upload_folder_that_is_not_there_is_an_error_and_loses_nothing(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.settle()
    folder.uploads.rename(folder.uploads.with_name("away"))
    with pytest.raises(NotReadable, match="cannot be listed"):
        folder.look()
    assert folder.states() == {"a.pdf": "asked"}


def test_a_name_that_is_not_utf_8_is_kept_as_it_is(folder: Folder) -> None:
    name = os.fsdecode(b"caf\xe9.pdf")
    folder.put(name)
    (key,) = folder.settle()
    assert folder.states() == {name: "asked"}
    assert key.startswith("caf")


def test_a_look_opens_no_upload(folder: Folder) -> None:
    for name in ("a.pdf", "box/1.jpg", "letter.docx"):
        folder.put(name)
    os.mkfifo(folder.uploads / "pipe.pdf")
    opened: list[str] = []
    watching = [True]

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if watching[0] and event == "open" and str(arguments[0]).startswith(str(folder.uploads)):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    try:
        assert len(folder.settle()) == 2
    finally:
        watching[0] = False
    # But for the notes that it writes itself.
    assert [path for path in opened if ".refused.txt" not in path and path != str(folder.uploads)] == []


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


def test_settings_are_no_uploads_and_their_change_has_all_that_they_hold_for_taken_again(folder: Folder) -> None:
    for name in ("a.pdf", "in/b.pdf", "in/c.pdf", "box/1.jpg"):
        folder.put(name)
    folder.settle()
    b, c = (str(folder.register.all()[path].key) for path in ("in/b.pdf", "in/c.pdf"))
    folder.put("in/archive.yaml", b"language: fr\n")
    assert folder.settle() == [b, c]
    folder.put("in/c.pdf.archive.yaml", b"language: de\n")
    assert folder.settle() == [c]
    folder.put("box/archive.yaml", b"language: nl\n")
    assert folder.settle() == ["box"]
    (folder.uploads / "in/archive.yaml").unlink()
    assert folder.settle() == [b, c]
    assert set(folder.states()) == {"a.pdf", "box", "in/b.pdf", "in/c.pdf"}


def test_settings_under_a_wrong_name_are_refused_with_all_below_until_they_are_renamed(folder: Folder) -> None:
    folder.put("in/a.pdf")
    wrong = folder.put("in/archive.yml", b"language: fr\n")
    assert folder.settle() == []
    refused = folder.register.all()["in/a.pdf"]
    assert (refused.state, refused.code) == ("refused", "BadSettings")
    assert "archive.yaml" in refused.remedy
    wrong.rename(wrong.with_suffix(".yaml"))
    assert folder.settle() == [str(DocumentKey.from_path(Path("in/a.pdf")))]


def test_a_file_that_is_moved_to_where_other_settings_hold_keeps_its_key_and_is_read_again(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.put("in/archive.yaml", b"language: fr\n")
    folder.settle()
    (folder.uploads / "a.pdf").rename(folder.uploads / "in/a.pdf")
    assert folder.look().renamed == ["a.pdf"]
    assert [str(taken.key) for taken in folder.look(31).taken] == ["a.pdf"]


def test_a_moved_file_keeps_its_key_when_it_is_replaced_and_when_it_is_named_by_hand(folder: Folder) -> None:
    folder.put("a.pdf")
    folder.settle()
    (folder.uploads / "in").mkdir()
    moved = (folder.uploads / "a.pdf").rename(folder.uploads / "in/b.pdf")
    folder.look()
    folder.put("in/b.pdf", b"%PDF-1.7 another")
    assert folder.settle() == ["a.pdf"]
    assert folder.store.register(moved, folder.uploads) == "a.pdf"
    folder.put("a.pdf", b"a new one in the old place")
    (new,) = folder.settle()
    assert new.startswith("a.pdf-")
    moved.unlink()
    folder.look()
    folder.put("in/b.pdf", b"and one where the moved one was")
    assert folder.settle() == ["a.pdf"], "a replacement, as it is for a file that was never moved"


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


def test_a_file_that_was_away_before_it_was_quiet_is_taken_when_it_is_back(folder: Folder, tmp_path: Path) -> None:
    folder.put("a.pdf")
    folder.settle()
    folder.look()
    newer = folder.put("a.pdf", b"%PDF-1.7 a newer one")
    assert folder.look().waiting == 1
    newer.rename(tmp_path / "away")
    assert folder.look().gone == ["a.pdf"]
    (tmp_path / "away").rename(newer)
    assert folder.settle() == ["a.pdf"]
