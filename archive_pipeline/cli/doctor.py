"""``archive-pipeline doctor``: is this machine ready?"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from archive_pipeline.containers.canary import weaknesses
from archive_pipeline.errors import ArchiveError, StorageError
from archive_pipeline.models.catalogue import catalogue
from archive_pipeline.sealed import Limits, SealedChild
from archive_pipeline.settings import Settings, read_settings, usable_cpus

_MIN_MEMORY_MB = 1500
_MIN_DISK_MB = 2000

BASELINE_HERE = "/opt/archive/hardening.yaml"
"""In the image only."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    remedy: str = ""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Look at user, folders, models, versions, memory and sealing; say what to do about each failure."""
    findings = list(examine(read_settings()))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        table = Table("", "what", "found", "what to do", box=None, pad_edge=False)
        for finding in findings:
            table.add_row(
                "ok" if finding.ok else "BAD", finding.what, finding.found, "" if finding.ok else finding.remedy
            )
        console = Console()
        (console if console.is_terminal else Console(width=200)).print(table)
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, one after another."""
    yield Finding("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or newer.")
    for package in ("dagster", "kraken", "onnxruntime", "pypdfium2", "pikepdf", "ocrmypdf"):
        yield _version(package)
    root = os.geteuid() == 0
    yield Finding("user", True, f"uid {os.geteuid()}{' (root: fine for a try, not for an archive)' if root else ''}")
    for name in ("store_dir", "dagster_home", "models_dir"):
        yield _writable(name, getattr(settings, name))
    memory = psutil.virtual_memory().available // (1 << 20)
    yield Finding(
        "memory", memory >= _MIN_MEMORY_MB, f"{memory} MB free", f"Free {_MIN_MEMORY_MB} MB, or set ARCHIVE_WORKERS=1."
    )
    yield Finding("CPUs", True, f"{usable_cpus()} usable, {settings.workers} page workers")
    for entry in catalogue().values():
        yield _check(f"model {entry.id}", lambda entry=entry: f"{len(entry.read()) / 1e6:.1f} MB, digest right")  # type: ignore[misc]
    yield _check("sealed child", _seal)
    # Outside of our containers the baseline is not promised: there is nothing to find fault with.
    if Path(BASELINE_HERE).exists():
        found = list(weaknesses())
        yield Finding("container", not found, "; ".join(w.what for w in found) or "as the baseline has it")
        for weakness in found:
            yield Finding(f"CIS {weakness.cis}" if weakness.cis else "volume", False, weakness.what, weakness.remedy)


def _version(package: str) -> Finding:
    try:
        return Finding(package, True, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return Finding(package, False, "missing", "Run make setup.")


def _writable(name: str, folder: Path) -> Finding:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    owner = existing.stat()
    remedy = f"chown -R {os.geteuid()}:{os.getegid()} {existing}"
    if not os.access(existing, os.W_OK):
        return Finding(name, False, f"{folder} is not writable (owner {owner.st_uid}:{owner.st_gid})", remedy)
    free = shutil.disk_usage(existing).free // (1 << 20)
    return Finding(name, free >= _MIN_DISK_MB, f"{folder}, {free} MB free", f"Free {_MIN_DISK_MB} MB there.")


def _check(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except ArchiveError as error:
        return Finding(what, False, error.what, error.remedy)


def _seal() -> str:
    """Have a sealed child try what it must not be able to do."""
    secrets = [path for path in (os.environ.get("PGPASSFILE"), "/etc/passwd") if path and Path(path).exists()]
    with (
        tempfile.TemporaryDirectory() as scratch,
        SealedChild("archive_pipeline.sealed.probe:handle", write=Path(scratch), limits=Limits()) as child,
    ):
        report = child.seal_report
        request = {"parent": os.getpid(), "files": secrets, "folders": [str(Path.cwd())]}
        attempts = child.call(request, timeout=30)["attempts"]
    done = [name for name, result in attempts.items() if result == "succeeded"]
    could = f"; it could {', '.join(done)}" if done else ""
    if not all(report.values()) or done:
        raise StorageError(
            f"only in part: Landlock ABI {report['landlock']}, seccomp {report['seccomp']}{could}",
            remedy="Use Linux 5.13 or newer; until then hostile scans are held by resource limits alone.",
        )
    return f"Landlock ABI {report['landlock']}, seccomp on; {len(attempts)} ways out tried from inside, none open"
