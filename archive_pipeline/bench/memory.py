"""Is memory bounded? The peak of a long document against that of a short one."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.bench.commands import Command, own_command, run_command
from archive_pipeline.bench.speed import pages_done
from archive_pipeline.demo.pages import make_pdf
from archive_pipeline.errors import UsageError


@dataclass(frozen=True)
class MemoryResult:
    """Pages recognised and peak memory of all processes together, in megabytes."""

    pages: tuple[int, int]
    peak_mb: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.peak_mb[1] / self.peak_mb[0]


def bench_memory(short: int = 9, long: int = 90) -> MemoryResult:
    """Run two documents of distinct pages, each with a fresh store, so that nothing is reused."""
    pages: list[int] = []
    peaks: list[float] = []
    for count in (short, long):
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            work = Path(name)
            make_pdf(work / "pages.pdf", pages=count, seed=count)
            command = Command(own_command(work / "pages.pdf", work / "out"), {"ARCHIVE_HOME": str(work / "home")})
            cost = run_command(command, sample_memory=True)
            if cost.status:
                raise UsageError(f"the run of {count} pages failed: {cost.stderr.strip()[-400:]}")
            pages.append(pages_done(work / "out"))
            peaks.append(cost.peak_mb)
    return MemoryResult((pages[0], pages[1]), (peaks[0], peaks[1]))
