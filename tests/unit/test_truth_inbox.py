"""The folder for ground truth: looked at from outside, each name a set, taken when it is quiet."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.errors import (
    ArchiveError,
    BadGroundTruth,
    ChildError,
    ChildNotStarted,
    DocumentBusy,
    NoSpaceLeft,
    PageFailed,
    PageTimeout,
    UsageError,
)
from archive_pipeline.training_sets import taking_in
from archive_pipeline.training_sets.dropped import look
from archive_pipeline.training_sets.importing import Imported
from archive_pipeline.training_sets.inbox import Inbox, InboxLook, dropped_path, inbox_register
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.set_names import checked_set_name, set_name
from archive_pipeline.training_sets.stored import truths_in
from archive_pipeline.unzipping.limits import ZipLimits

OPENED: list[str] = []
WATCHED: list[str] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and WATCHED and str(arguments[0]).startswith(WATCHED[0]):
        OPENED.append(str(arguments[0]))


sys.addaudithook(_hook)


class Clocked:
    """An inbox whose time stands still until it is told otherwise."""

    def __init__(self, folder: Path, *, notes: bool = False) -> None:
        self.folder = folder / "inbox"
        self.folder.mkdir()
        self.now = 1000.0
        self.heard: str | None = None
        self.register = inbox_register(folder / "training")
        self.inbox = Inbox(self.folder, self.register, quiet=30, notes=notes, clock=lambda: self.now)

    def look(self) -> InboxLook:
        found = self.inbox.look(self.heard)
        self.heard = found.token
        return found

    def offered(self) -> list[str]:
        return [each.name for each in self.look().offered]

    def put(self, name: str, data: bytes = b"x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def states(self) -> dict[str, str]:
        return {path: upload.state for path, upload in self.register.all().items()}


@pytest.fixture
def clocked(tmp_path: Path) -> Clocked:
    return Clocked(tmp_path)


def test_a_set_is_offered_when_nothing_below_it_has_changed_for_the_quiet_period(clocked: Clocked) -> None:
    clocked.put("jean/page/a.xml")
    assert clocked.offered() == []
    clocked.now += 29
    clocked.put("jean/page/b.xml")
    assert clocked.offered() == []
    clocked.now += 29
    assert clocked.look().waiting == 1
    clocked.now += 1
    assert clocked.offered() == ["jean"]
    assert clocked.offered() == []
    os.utime(clocked.folder / "jean" / "page" / "a.xml", (5, 5))
    clocked.look()
    clocked.now += 30
    assert clocked.offered() == ["jean"]


def test_a_look_opens_nothing_and_follows_no_link(clocked: Clocked, tmp_path: Path) -> None:
    clocked.put("jean.zip", b"PK")
    clocked.put("anne/a.xml")
    (clocked.folder / "anne" / "up").symlink_to(tmp_path)
    os.mkfifo(clocked.folder / "anne" / "pipe.xml")
    os.mkfifo(clocked.folder / "pipe.zip")
    (clocked.folder / "loop").symlink_to(clocked.folder)
    for name in (".hidden", "big.zip.part", "~$x.zip", "Thumbs.db"):
        clocked.put(name)
    WATCHED.append(str(clocked.folder))
    try:
        clocked.look()
        clocked.now += 30
        assert sorted(clocked.offered()) == ["anne", "jean"]
    finally:
        WATCHED.clear()
    assert OPENED == []
    assert clocked.states() == {"anne": "asked", "jean.zip": "asked", "loop": "refused", "pipe.zip": "refused"}


def test_the_watch_for_opened_files_would_see_one(clocked: Clocked) -> None:
    path = clocked.put("a.zip")
    WATCHED.append(str(clocked.folder))
    try:
        path.read_bytes()
    finally:
        WATCHED.clear()
    assert [str(path)] == OPENED
    OPENED.clear()


def take(clocked: Clocked, error: ArchiveError, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run takes in ``jean``, which was asked for, and fails."""

    def fail(*_: object, **__: object) -> Imported:
        raise error

    monkeypatch.setattr(taking_in, "import_truth", fail)
    folder = clocked.folder.parent
    truths = truths_in(folder / "training")
    with pytest.raises(type(error)):
        taking_in.take_in("jean", clocked.folder, clocked.register, truths, ReadOptions(), folder / "work")


@pytest.mark.parametrize(
    "error",
    [
        PageTimeout("it was not finished after 60 seconds"),
        PageFailed("it cannot be read"),
        BadGroundTruth("nothing in it can be trained with"),
        ChildError("the child gave an answer that is none"),
        UsageError("there is other ground truth of the name jean"),
        NoSpaceLeft("the disk is full"),
    ],
    ids=lambda error: error.code,
)
def test_what_cannot_be_taken_in_is_refused_with_a_note(
    clocked: Clocked, error: ArchiveError, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocked.put("jean/a.xml")
    clocked.look()
    clocked.now += 30
    assert clocked.offered() == ["jean"]
    clocked.look()
    take(clocked, error, monkeypatch)
    refused = clocked.register.of_path("jean")
    assert refused is not None
    assert (refused.state, refused.reason) == ("refused", error.what)
    assert refused.remedy


@pytest.mark.parametrize("heard", [False, True], ids=["asked", "taken"])
@pytest.mark.parametrize(
    "error",
    [DocumentBusy("it is being imported"), ChildNotStarted("no child can be started")],
    ids=lambda error: error.code,
)
def test_what_could_not_be_taken_in_by_no_fault_of_its_own_is_offered_again(
    clocked: Clocked, error: ArchiveError, heard: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    clocked.put("jean/a.xml")
    clocked.look()
    clocked.now += 30
    (first,) = clocked.look().offered
    if heard:
        clocked.look()
    monkeypatch.setattr(taking_in.time, "time", lambda: clocked.now + 1)
    take(clocked, error, monkeypatch)
    assert clocked.states() == {"jean": "waiting"}
    clocked.now += 30
    assert clocked.offered() == []
    clocked.now += 1
    (again,) = clocked.look().offered
    # Of another time, so that it is another run for Dagster.
    assert (again.name, again.version) == (first.name, first.version)
    assert again.since > first.since


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.xml", b"x", "it is neither a folder nor a ZIP"),
        ("empty.zip", b"", "the file is empty"),
        ("large.zip", b"x" * (1 << 20) + b"x", "the ZIP has 1 MB, the limit is 1 MB"),
    ],
)
def test_what_cannot_be_a_set_is_refused_by_its_outside(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)
    (seen,) = look(tmp_path, ZipLimits(total_mb=1))
    assert seen.problem is not None
    assert seen.problem.what == reason
    assert seen.problem.remedy


def test_a_folder_of_very_many_files_is_refused_and_stops_no_other(tmp_path: Path) -> None:
    for number in range(12):
        path = tmp_path / "many" / str(number % 3) / f"{number}.xml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "one").mkdir()
    many, one = look(tmp_path, ZipLimits(entries=10))
    assert many.problem is not None
    assert many.problem.what == "it has more than 10 files"
    assert one.problem is None


def test_what_was_away_for_a_while_and_comes_back_as_it_was_is_not_taken_again(clocked: Clocked) -> None:
    clocked.put("jean/a.xml")
    clocked.look()
    clocked.now += 30
    assert clocked.offered() == ["jean"]
    clocked.look()
    clocked.folder.joinpath("jean").rename(clocked.folder.parent / "away")
    assert clocked.look().gone == ["jean"]
    assert dropped_path(clocked.register, "jean") is None
    clocked.folder.parent.joinpath("away").rename(clocked.folder / "jean")
    clocked.look()
    clocked.now += 30
    assert clocked.offered() == []
    assert clocked.states() == {"jean": "taken"}
    assert dropped_path(clocked.register, "jean") == "jean"


def test_the_one_that_is_refused_for_its_name_is_not_what_is_taken_in(clocked: Clocked) -> None:
    clocked.put("jean.zip")
    clocked.look()
    clocked.now += 30
    assert clocked.offered() == ["jean"]
    clocked.put("jean/a.xml")
    clocked.look()
    assert clocked.states() == {"jean": "refused", "jean.zip": "taken"}
    assert dropped_path(clocked.register, "jean") == "jean.zip"


@given(st.text(min_size=1).filter(lambda text: not set(text) & {"/", "\0"} and text not in (".", "..")))
def test_every_name_makes_a_name_of_a_set(name: str) -> None:
    made = set_name(name)
    assert checked_set_name(made) == made
    assert set_name(f"{name}.zip") == set_name(f"{name}.ZIP")


def test_names_that_differ_make_sets_that_differ() -> None:
    names = [
        "jean",
        "Jean",
        "jean ",
        "j\u00e9an",
        "jean-",
        "a" * 80,
        "a" * 81,
        "a" * 82,
        "A" * 200,
        "A" * 201,
        "jean.zip.d",
    ]
    assert len({set_name(name) for name in names}) == len(names)
    assert set_name("jean.zip") == set_name("jean.Zip") == "jean"


def test_a_name_that_is_none_is_said() -> None:
    with pytest.raises(UsageError, match="is no name for ground truth"):
        checked_set_name("../up")
