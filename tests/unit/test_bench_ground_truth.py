"""The table of hostile and broken ground truth: what it tries, and that it sees what went wrong."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from archive_pipeline.bench import broken_truth, hostile_zips
from archive_pipeline.bench.ground_truth import can_execute, try_all
from archive_pipeline.cli import cli


def test_there_are_thirty_hostile_zips_and_thirty_broken_files() -> None:
    assert len(hostile_zips.ZIPS) >= 30
    assert len(broken_truth.REFUSED) + len(broken_truth.READ) >= 30


def test_each_input_is_imported_for_real_and_leaves_nothing() -> None:
    names = ("a-name-that-leads-up", "a-link", "points-in-words", "two-lines-of-one-name")
    options = [part for name in names for part in ("--only", name)]
    done = CliRunner().invoke(cli, ["bench", "ground-truth", "--json", *options])
    assert done.exit_code == 0, done.output
    tried = {each["name"]: each for each in json.loads(done.stdout)["tried"]}
    assert {name: (tried[name]["outcome"], tried[name]["error"]) for name in names} == {
        "a-name-that-leads-up": ("refused", "BadArchive"),
        "a-link": ("refused", "BadArchive"),
        "points-in-words": ("refused", "BadGroundTruth"),
        "two-lines-of-one-name": ("taken", ""),
    }
    assert all(each["left"] == [] for each in tried.values())
    assert "line-twice" in tried["two-lines-of-one-name"]["said"]


def test_what_lands_outside_is_seen(tmp_path: Path) -> None:
    (tmp_path / "a.xml").touch()
    (tmp_path / "work").mkdir()
    (found,) = try_all(tmp_path / "work", ["a-link"])
    assert found.left == (str(tmp_path / "a.xml"),)


def test_whether_a_program_can_be_started_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_execute(tmp_path) is True
    monkeypatch.setattr("archive_pipeline.bench.ground_truth.stat.S_IXUSR", 0)
    monkeypatch.setattr("archive_pipeline.bench.ground_truth.shutil.copyfile", lambda _, to: to.touch())
    assert can_execute(tmp_path) is False
    assert list(tmp_path.iterdir()) == []
