"""Looks and the runs that they ask for, which are killed, come late or contradict each other."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from upload_folder import Folder

from archive_pipeline.errors import DamagedFile, NotReadable
from archive_pipeline.uploads.register import UploadRegister


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


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
