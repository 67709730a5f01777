"""A week in some minutes on real processes: uploads, bad files and kills lose nothing, and nothing is done twice."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(3000)
def test_a_week_of_uploads_bad_files_and_kills_loses_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    # Untimed: a test's machine has other work, and a slow tick is no loss.
    options = {"documents": 24, "bad": 6, "kills": 4, "minutes": 1.2, "patience": 40, "batch": 10, "sample": 3}
    command = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    done = subprocess.run(
        [sys.executable, "-m", "archive_pipeline.cli", "bench", "week", *command, "--untimed"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 lost" in done.stdout
    assert "BROKEN" not in done.stdout
