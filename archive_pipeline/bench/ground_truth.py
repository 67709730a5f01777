"""Hostile ZIPs and broken transcriptions through the real import, one after another: what became of each.

Each has a folder of its own, in which it is imported as a run would do it: unpacked and parsed by a sealed child. Then
it is looked for what it should not have left: names of its own anywhere, links, anything that was unpacked.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image

from archive_pipeline.bench import broken_truth, hostile_zips
from archive_pipeline.errors import ArchiveError, DocumentRefused
from archive_pipeline.training_sets.importing import import_truth
from archive_pipeline.training_sets.reading import ReadOptions
from archive_pipeline.training_sets.stored import truths_in
from archive_pipeline.unzipping.limits import ZipLimits

Outcome = Literal["refused", "taken", "failed"]
_OPTIONS = ReadOptions(zip=ZipLimits(entries=40), memory_mb=2048, seconds=60.0)
_PLANTED = "a.xml"
"""What every hostile ZIP would like to put somewhere."""


@dataclass(frozen=True)
class Tried:
    """One input.

    Attributes:
        kind: ``zip`` or ``file``.
        outcome: ``refused`` with a reason for a person; ``taken``, as far as it goes; ``failed`` with anything else.
        said: The reason, or what the doctor found.
        left: What it left that it should not have.
    """

    kind: Literal["zip", "file"]
    name: str
    outcome: Outcome
    error: str
    said: str
    seconds: float
    left: tuple[str, ...]


def try_all(work: Path, only: Collection[str] | None = None) -> Iterator[Tried]:
    """Try every input, ZIPs first.

    Args:
        work: A folder that is there; each input gets one of its own in it.
        only: Names of those that are tried; all by default.
    """
    for name, make in hostile_zips.ZIPS.items():
        if only is None or name in only:
            yield _try(work, "zip", name, lambda folder, make=make: _as_zip(folder, make()))  # type: ignore[misc]
    files = {name: content for name, (content, _) in broken_truth.REFUSED.items()} | broken_truth.READ
    for name, content in files.items():
        if only is None or name in only:
            yield _try(work, "file", name, lambda folder, content=content: _as_set(folder, content))  # type: ignore[misc]


def can_execute(folder: Path) -> bool:
    """Whether a program that lies in a folder can be started from there; not where ``noexec`` holds."""
    program = folder / "program"
    shutil.copyfile("/bin/true", program)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    try:
        return subprocess.run([str(program)], check=False).returncode == 0
    except PermissionError:
        return False
    finally:
        program.unlink()


def _try(work: Path, kind: Literal["zip", "file"], name: str, make: Callable[[Path], Path]) -> Tried:
    folder = work / f"{kind}-{name}"
    folder.mkdir()
    given = make(folder)
    truths = truths_in(folder / "training")
    began = time.monotonic()
    outcome: Outcome
    try:
        truth = import_truth(given, "set", truths, _OPTIONS, work=folder / "training" / "work").truth
        codes = dict.fromkeys(finding.code for finding in truth.findings)
        outcome, error, said = "taken", "", f"{truth.lines} lines; the doctor: {', '.join(codes) or 'nothing'}"
    except DocumentRefused as refused:
        outcome, error, said = "refused", refused.code, refused.what
    except ArchiveError as failed:
        outcome, error, said = "failed", failed.code, failed.what
    seconds = time.monotonic() - began
    left = tuple(_left(folder, given, taken=outcome == "taken"))
    return Tried(kind, name, outcome, error, said, seconds, left)


def _as_zip(folder: Path, data: bytes) -> Path:
    path = folder / "given.zip"
    path.write_bytes(data)
    return path


def _as_set(folder: Path, content: str | bytes) -> Path:
    given = folder / "given"
    given.mkdir()
    (given / _PLANTED).write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    Image.new("L", (100, 200), 255).save(given / "a.jpg")
    return given


def _left(folder: Path, given: Path, *, taken: bool) -> Iterator[str]:
    """What lies where nothing should: beside the input and, of what was taken, the set and its pages and images."""
    for path in folder.rglob("*"):
        if path == given or given in path.parents or (path.is_dir() and not path.is_symlink()):
            continue
        place = path.relative_to(folder).parts
        stored = place[:3] == ("training", "sets", "set") and (taken or place[3:] == ("lock",))
        if not stored or path.is_symlink():
            yield str(path)
    for outside in (*folder.parents, Path("/etc"), Path.cwd()):
        if os.path.lexists(outside / _PLANTED):
            yield str(outside / _PLANTED)
