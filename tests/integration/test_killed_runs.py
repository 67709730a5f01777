"""A power cut in the middle of a run: the next start finds it, and it goes on where it stopped."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ui_process import Ui

from archive_pipeline.demo.pages import make_pdf

RUNS = (
    "{runsOrError{... on Runs{results{runId status jobName parentRunId tags{key value}"
    " eventConnection{events{... on MessageEvent{message}}}}}}}"
)


def until(true: Callable[[], Any], seconds: float) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = true()
        if found:
            return found
        time.sleep(1)
    raise AssertionError("it never came")


@pytest.mark.timeout(1500)
def test_a_run_that_was_killed_with_its_server_goes_on_by_itself_and_the_queue_behind_it_too(
    cli: Any, tmp_path: Path
) -> None:
    uploads = cli.home / "uploads"
    uploads.mkdir(parents=True)
    make_pdf(uploads / "first.pdf", pages=10, lines=14)
    make_pdf(uploads / "second.pdf", pages=1, lines=2)
    folder = cli.home / "store" / "documents" / "first.pdf"
    environment = {"ARCHIVE_QUIET_SECONDS": "0", "ARCHIVE_BATCH": "1", "ARCHIVE_WORKERS": "1", "ARCHIVE_NIGHT": "off"}
    ui = Ui(cli.home, **environment)
    try:
        until(lambda: len(list(folder.glob("transcriptions/*.json"))) >= 2, 240)
        ui.kill()
        done = {path: path.stat().st_mtime_ns for path in folder.glob("transcriptions/*.json")}
        assert len(done) < 10
        ui = Ui(cli.home, **environment)
        ui.wait_until_ready()
        until(lambda: (folder.parent / "second.pdf" / "exports.json").exists(), 240)
        until(lambda: (folder / "exports.json").exists(), 240)

        def ended() -> list[dict[str, Any]] | None:
            found: list[dict[str, Any]] = ui.ask(RUNS)["runsOrError"]["results"]
            # Housekeeping has its hours, too.
            runs = [run for run in found if run["jobName"] == "documents_job"]
            return None if any(run["status"] in ("STARTED", "QUEUED", "STARTING") for run in runs) else runs

        runs = until(ended, 120)
    finally:
        ui.stop()
    assert sorted(run["status"] for run in runs) == ["FAILURE", "SUCCESS", "SUCCESS"]
    (killed,) = [run for run in runs if run["status"] == "FAILURE"]
    (again,) = [run for run in runs if run["parentRunId"] == killed["runId"]]
    assert again["status"] == "SUCCESS"
    assert "It was killed, or the computer was switched off" in str(killed["eventConnection"])
    assert {path: path.stat().st_mtime_ns for path in done} == done
