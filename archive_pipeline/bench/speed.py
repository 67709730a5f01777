"""How fast the main job is, beside OCRmyPDF with two jobs on the same PDF, run in turn."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from archive_pipeline.bench.commands import Command, Cost, need_program, own_command, run_command
from archive_pipeline.errors import UsageError


@dataclass(frozen=True)
class SpeedResult:
    """Medians of both, in seconds a page.

    Attributes:
        pages: Pages recognised in each of our runs; each run has a fresh store, so nothing is reused.
    """

    pages: int
    runs: int
    our_wall: float
    our_cpu: float
    peer_wall: float
    peer_cpu: float

    @property
    def wall_ratio(self) -> float:
        return self.our_wall / self.peer_wall

    @property
    def cpu_ratio(self) -> float:
        return self.our_cpu / self.peer_cpu


def bench_speed(pdf: Path, runs: int = 3, language: str = "fra", told: Callable[[str], None] = print) -> SpeedResult:
    """Run both commands in turn, each ``runs`` times.

    Args:
        pdf: A scan.
        language: Of the scan, for Tesseract.
        told: Told of every run.

    Raises:
        UsageError: A program is missing, or a run failed.
    """
    need_program("tesseract", f"tesseract-ocr and tesseract-ocr-{language}")
    ocrmypdf = need_program("ocrmypdf", "ocrmypdf")
    ours: list[Cost] = []
    peer: list[Cost] = []
    pages = 0
    for number in range(1, runs + 1):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            work = Path(name)
            cost = run_command(Command(own_command(pdf, work / "out"), {"ARCHIVE_HOME": str(work / "home")}))
            _require_success("ours", cost)
            ours.append(cost)
            pages = pages_done(work / "out")
            command = [
                ocrmypdf,
                "--jobs",
                "2",
                "-l",
                language,
                "--output-type",
                "pdfa",
                str(pdf),
                str(work / "peer.pdf"),
            ]
            cost = run_command(Command(command))
            _require_success("OCRmyPDF", cost)
            peer.append(cost)
        told(f"run {number}: ours {ours[-1].wall:.1f} s wall, OCRmyPDF {peer[-1].wall:.1f} s wall; {pages} pages")
    return SpeedResult(
        pages,
        runs,
        median(cost.wall for cost in ours) / pages,
        median(cost.cpu for cost in ours) / pages,
        median(cost.wall for cost in peer) / pages,
        median(cost.cpu for cost in peer) / pages,
    )


def pages_done(out: Path) -> int:
    """Pages that were recognised, by the manifests below an output folder."""
    return sum(
        page["status"] == "done"
        for manifest in out.glob("*/manifest.json")
        for page in json.loads(manifest.read_text("utf-8"))["pages"]
    )


def _require_success(whose: str, cost: Cost) -> None:
    if cost.status:
        raise UsageError(f"the run of {whose} failed with status {cost.status}: {cost.stderr.strip()[-400:]}")
