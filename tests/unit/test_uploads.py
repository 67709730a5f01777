"""What becomes of a file in the upload folder, look after look."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from upload_folder import Folder

from archive_pipeline.durable import read_json
from archive_pipeline.errors import DamagedFile, NotReadable


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
