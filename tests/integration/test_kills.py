"""Kill -9 loses nothing; stopping is polite."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from archive_pipeline.bench.kills import STARTED, bench_kills
from archive_pipeline.demo.pages import make_pdf
from archive_pipeline.settings import usable_cpus


@pytest.mark.timeout(1500)
def test_runs_that_are_killed_and_resumed_give_the_bytes_of_an_undisturbed_one(tmp_path: Path) -> None:
    make_pdf(tmp_path / "pages.pdf", pages=6, lines=8)
    result = bench_kills(tmp_path / "pages.pdf", kills=4, seed=1914, kills_a_round=2)
    assert result.kills == 4
    assert result.files > 20
    assert result.different == ()
    assert result.torn == ()
    assert result.most_redone_by_a_kill <= usable_cpus()


def test_a_terminated_run_finishes_its_pages_and_goes_on_later(cli: Any, tmp_path: Path) -> None:
    make_pdf(tmp_path / "pages.pdf", pages=8, lines=12)
    with subprocess.Popen(
        [sys.executable, "-m", "archive_pipeline.cli", "run", str(tmp_path / "pages.pdf")],
        env=os.environ | {"ARCHIVE_HOME": str(cli.home), "ARCHIVE_WORKERS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            if "page 2: started" in line:
                process.send_signal(signal.SIGTERM)
                break
        began = time.monotonic()
        seen += process.stderr.read()
        status = process.wait()
    assert time.monotonic() - began < 120
    assert status != 0
    assert "page 2: finished" in seen
    assert "page 5: started" not in seen
    assert "Traceback" not in seen
    assert not list((cli.home / "store").rglob("*.tmp"))
    ran = cli("run", tmp_path / "pages.pdf")
    assert {"1", "2"}.isdisjoint(page for _, page in STARTED.findall(ran.stderr))
