"""``archive-pipeline doctor``: is this machine ready?"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import click
import psutil
from rich.console import Console
from rich.table import Table

from archive_pipeline.containers.canary import weaknesses
from archive_pipeline.engines.factory import SURYA_DEFAULT
from archive_pipeline.errors import ArchiveError, ModelNotFetched, StorageError
from archive_pipeline.models.entry import ModelEntry, Served
from archive_pipeline.models.library import ModelLibrary, passed_over
from archive_pipeline.sealed import Limits, SealedChild
from archive_pipeline.settings import Settings, read_settings, usable_cpus
from archive_pipeline.spelling.lists import find_lists

_MIN_MEMORY_MB = 1500
_MIN_DISK_MB = 2000
_NEVER_FETCHED = "never fetched"

BASELINE_HERE = "/opt/archive/hardening.yaml"
"""In the image only."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    ok: bool
    found: str
    remedy: str = ""
    command: str = ""
    """What follows the remedy, to be copied as it is."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Look at user, folders, models, versions, memory and sealing; say what to do about each failure."""
    findings = list(examine(read_settings()))
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        _print(findings)
    if not all(finding.ok for finding in findings):
        raise click.exceptions.Exit(1)


def _print(findings: Sequence[Finding]) -> None:
    table = Table("", "what", "found", box=None, pad_edge=False)
    for finding in findings:
        table.add_row("ok" if finding.ok else "BAD", finding.what, finding.found)
    console = Console()
    (console if console.is_terminal else Console(width=200)).print(table)
    # Outside the table, which breaks lines: a command is to be copied as one.
    for finding in findings:
        if not finding.ok:
            click.echo(f"\n{finding.what}: {finding.remedy}")
            if finding.command:
                click.echo(finding.command)


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, one after another."""
    in_image = Path(BASELINE_HERE).exists()
    yield Finding("Python", sys.version_info >= (3, 11), platform.python_version(), "Install Python 3.11 or newer.")
    for package in ("dagster", "kraken", "onnxruntime", "pypdfium2", "pikepdf", "ocrmypdf"):
        yield _version(package)
    root = os.geteuid() == 0
    yield Finding("user", True, f"uid {os.geteuid()}{' (root: fine for a try, not for an archive)' if root else ''}")
    for name in ("store_dir", "dagster_home", "models_dir", "training_dir"):
        yield _folder(name, getattr(settings, name), in_image)
    memory = psutil.virtual_memory().available // (1 << 20)
    limit = memory_limit_mb()
    found = f"{memory} MB free{f', the limit of this container is {limit} MB' if limit else ''}"
    yield Finding("memory", memory >= _MIN_MEMORY_MB, found, f"Free {_MIN_MEMORY_MB} MB, or set ARCHIVE_WORKERS=1.")
    yield Finding("CPUs", True, f"{usable_cpus()} usable, {settings.workers} page workers")
    yield from _models(settings.models_dir)
    yield _check("reading", partial(_choice, settings))
    if settings.surya_url is not None:
        yield _check("surya's server", partial(_server, settings, settings.surya_url, in_image))
    for tag in settings.spelling or ():
        yield _check(f"word list {tag}", lambda tag=tag: ", ".join(str(each.path) for each in find_lists([tag])))  # type: ignore[misc]
    yield _check("sealed child", _seal)
    # Outside of our containers the baseline is not promised: there is nothing to find fault with.
    if in_image:
        weak = list(weaknesses())
        yield Finding(
            "container",
            not weak,
            "; ".join(w.what for w in weak) or "as the baseline has it",
            "It works, but is held less tightly than it could be: see below.",
        )
        for weakness in weak:
            what = f"CIS {weakness.cis}" if weakness.cis else "volume"
            yield Finding(what, False, weakness.what, weakness.remedy, weakness.command)


def _models(folder: Path) -> Iterator[Finding]:
    """The models that are here; what was never fetched is no fault."""
    try:
        library = ModelLibrary(folder)
    except ArchiveError as error:
        yield Finding("models", False, error.what, error.remedy)
        return
    for entry in library.passed_over:
        why = passed_over(entry)
        yield Finding(f"model {entry.id}", False, why.what, why.remedy)
    for entry in library.catalogue:
        if not isinstance(entry.source, Served):
            finding = _check(f"model {entry.id}", partial(_verified, library, entry))
            if finding.found != _NEVER_FETCHED:
                yield finding


def _choice(settings: Settings) -> str:
    """What a document is read with that says nothing itself; a run that could not begin finds it out here."""
    from archive_pipeline.processing.choice import decide, said_by_options
    from archive_pipeline.processing.options import ProcessingOptions

    options = ProcessingOptions.from_settings(settings)
    library = ModelLibrary(settings.models_dir)
    return decide(said_by_options(options), library, served=options.surya_url is not None).choices.sentence()


def _server(settings: Settings, url: str, in_image: bool) -> str:
    from archive_pipeline.processing.server_check import ask_server

    if in_image:  # no service is on its network
        return f"{url}, which run containers alone can ask"
    model = ModelLibrary(settings.models_dir).installed(SURYA_DEFAULT, "recognition")
    ask_server(model, url)
    return f"{url} has {model.served}"


def _verified(library: ModelLibrary, entry: ModelEntry) -> str:
    try:
        model = library.install_state(entry)
    except ModelNotFetched:
        return _NEVER_FETCHED
    model.verify()
    return f"{sum(file.size for file in model.files) / 1e6:.1f} MB, digest right"


def _version(package: str) -> Finding:
    try:
        return Finding(package, True, importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return Finding(package, False, "missing", "Run make setup.")


def memory_limit_mb(cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Most memory that this container may take, if it has a limit."""
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # of version 2, and of version 1
        try:
            limit = int((cgroup / name).read_text("ascii"))
        except (OSError, ValueError):  # none of this version, or "max"
            continue
        # Version 1 has a number beyond all memory where there is no limit.
        return limit >> 20 if limit < psutil.virtual_memory().total else None
    return None


def _folder(name: str, folder: Path, in_image: bool) -> Finding:
    existing = next((path for path in (folder, *folder.parents) if _there(path)), Path("/"))
    if not os.access(existing, os.W_OK):
        # In a container, what a service does not write is mounted read-only, and Dagster's folder holds but its
        # configuration, which is the image's.
        if in_image and (name == "dagster_home" or os.statvfs(existing).f_flag & os.ST_RDONLY):
            return Finding(name, True, f"{folder}, read-only here")
        owner = existing.stat()
        what = f"is not writable (owner {owner.st_uid}:{owner.st_gid})" if existing == folder else "cannot be made"
        return Finding(name, False, f"{folder} {what}", *_give(folder, existing, in_image))
    free = shutil.disk_usage(existing).free // (1 << 20)
    return Finding(name, free >= _MIN_DISK_MB, f"{folder}, {free} MB free", f"Free {_MIN_DISK_MB} MB there.")


def _there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # somebody else's folder, which may not be searched
        return False


def _give(folder: Path, existing: Path, in_image: bool) -> tuple[str, str]:
    """What gives a folder to this user, and the command for it; never one for a folder above it."""
    if in_image:
        return "Its volume on the host must belong to this user: see below.", ""
    user, place = f"{os.geteuid()}:{os.getegid()}", shlex.quote(str(folder))
    if existing != folder:
        return "Make it:", f"sudo install -d -o {os.geteuid()} -g {os.getegid()} {place}"
    if folder == Path("/"):
        return "Set another folder.", ""
    return "Make it belong to this user:", f"sudo chown -R {user} {place}"


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
