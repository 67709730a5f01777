"""Does a kill lose anything? Runs that are killed at random moments and resumed, against an undisturbed one."""

from __future__ import annotations

import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.bench.commands import Command, own_command, run_command
from archive_pipeline.durable import file_digest
from archive_pipeline.errors import UsageError

STARTED = re.compile(r"INFO (\S+) page (\d+): started")
FINISHED = re.compile(r"INFO (\S+) page (\d+): finished")


@dataclass(frozen=True)
class KillResult:
    """What became of the killed runs.

    Attributes:
        rounds: Documents that were taken to their end through kills.
        different: Files of the exports that differ from the undisturbed run's.
        torn: Temporary files left in the exports.
        redone: Pages that were begun again after they had been begun in a run that was killed.
        most_redone_by_a_kill: Of them, the most that one kill cost.
    """

    kills: int
    rounds: int
    files: int
    different: tuple[str, ...]
    torn: tuple[str, ...]
    redone: int
    most_redone_by_a_kill: int


def bench_kills(
    pdf: Path, kills: int = 20, seed: int = 0, kills_a_round: int = 5, told: Callable[[str], None] = lambda _: None
) -> KillResult:
    """Kill the main job at random moments until there were ``kills`` of them, and compare what comes out.

    A run that has resumed is shorter, so that a moment drawn may never come; then a new round with a fresh store
    begins. So kills fall on every part of a run, its beginning and its exports too.

    Args:
        pdf: A scan.
        seed: Of the moments.
        kills_a_round: Most kills before a document is let through to its end.
        told: Told after each round how far it is.
    """
    draw = random.Random(seed)  # noqa: S311 - moments, no secret
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        work = Path(name)
        cost = run_command(_command(pdf, work / "whole"))
        if cost.status:
            raise UsageError(f"the undisturbed run failed: {cost.stderr.strip()[-400:]}")
        expected = _digests(work / "whole" / "out")
        done = rounds = redone = most = 0
        different: set[str] = set()
        torn: set[str] = set()
        while done < kills:
            rounds += 1
            folder = work / f"round-{rounds}"
            finished: Counter[str] = Counter()
            unfinished: set[str] = set()
            for attempt in range(kills_a_round + 1):
                last = attempt == kills_a_round or done >= kills
                moment = None if last else draw.uniform(0, cost.wall)
                run = run_command(_command(pdf, folder), kill_after=moment)
                begun = {page for _, page in STARTED.findall(run.stderr)}
                again = len(begun & (unfinished | set(finished)))
                redone, most = redone + again, max(most, again)
                finished.update(page for _, page in FINISHED.findall(run.stderr))
                unfinished = begun - set(finished)
                torn |= {path.name for path in (folder / "out").rglob("*.tmp")}
                if run.status == 0:
                    break
                if run.status != -9:
                    raise UsageError(f"a resumed run failed: {run.stderr.strip()[-400:]}")
                done += 1
            found = _digests(folder / "out")
            different |= {path for path in expected | found if expected.get(path) != found.get(path)}
            told(f"{done} kills in {rounds} rounds, {len(different)} files different so far")
    return KillResult(done, rounds, len(expected), tuple(sorted(different)), tuple(sorted(torn)), redone, most)


def _command(pdf: Path, folder: Path) -> Command:
    return Command(own_command(pdf, folder / "out"), {"ARCHIVE_HOME": str(folder / "home")})


def _digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_digest(path) for path in sorted(folder.rglob("*")) if path.is_file()}
