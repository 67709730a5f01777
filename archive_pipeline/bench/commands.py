"""Running a whole command as a user would, and what it cost: wall time, CPU time, memory of all its processes."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from archive_pipeline.errors import UsageError

_SAMPLES_PER_SECOND = 20


@dataclass(frozen=True)
class Command:
    """A command line with variables that it gets beside the environment of this process."""

    line: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cost:
    """What a command used.

    Attributes:
        wall, cpu: Seconds; CPU is user and system time of all processes of it that were waited for.
        peak_mb: Largest sum over its processes of proportional memory (PSS), in megabytes; 0 if not sampled.
    """

    status: int
    wall: float
    cpu: float
    peak_mb: float
    stderr: str


def own_command(*arguments: object) -> list[str]:
    """Our own ``run`` with these arguments: source, output folder, options."""
    source, out, *options = map(str, arguments)
    return [sys.executable, "-m", "archive_pipeline.cli", "run", source, "--out", out, *options]


def need_program(name: str, package: str) -> str:
    """Path of a program.

    Raises:
        UsageError: It is not installed.
    """
    found = shutil.which(name, path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if found is None:
        raise UsageError(f"{name} is not installed", remedy=f"Install {package} and run this again.")
    return found


def run_command(command: Command, *, sample_memory: bool = False, kill_after: float | None = None) -> Cost:
    """Run a command to its end, or kill its process group after some seconds.

    Args:
        sample_memory: Watch the memory of its processes; costs some CPU time of this process.
        kill_after: Seconds after which it is killed with SIGKILL.
    """
    with tempfile.TemporaryFile() as errors:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        process = subprocess.Popen(
            list(command.line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=dict(os.environ) | dict(command.environment),
            start_new_session=True,
        )
        peak = 0.0
        while process.poll() is None:
            if sample_memory:
                peak = max(peak, tree_memory_mb(process.pid))
            if kill_after is not None and time.monotonic() - began >= kill_after:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            time.sleep(1 / _SAMPLES_PER_SECOND)
        wall, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        errors.seek(0)
        text = errors.read().decode("utf-8", "replace")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(process.returncode, wall, cpu, peak, text)


def tree_memory_mb(pid: int) -> float:
    """Proportional memory of a process and all its descendants, in megabytes."""
    total = 0
    try:
        processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in processes:
        try:
            total += process.memory_full_info().pss
        except psutil.Error:  # it ended meanwhile
            continue
    return total / (1 << 20)
