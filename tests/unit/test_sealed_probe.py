"""The attempts that doctor makes from inside a sealed child, made without a seal: they must do no harm."""

import os
from pathlib import Path

from archive_pipeline.sealed.probe import handle


def test_attempts_that_nothing_stops_are_told_and_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x", "utf-8")
    # The parent is this very process: a real signal would stop the test.
    request = {"parent": os.getpid(), "files": [str(tmp_path / "secret")], "folders": [str(tmp_path)]}
    attempts = handle(request, [], tmp_path)["attempts"]
    assert attempts["signal the parent"] == "succeeded"
    assert attempts["start a program"] == "succeeded"
    assert attempts[f"read {tmp_path / 'secret'}"] == "succeeded"
    assert attempts[f"write to {tmp_path}"] == "succeeded"
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


def test_an_attempt_that_is_stopped_is_told_with_its_error(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    attempts = handle({"parent": os.getpid(), "files": [str(gone)], "folders": [str(gone)]}, [], tmp_path)["attempts"]
    assert attempts[f"read {gone}"] == attempts[f"write to {gone}"] == "ENOENT"
