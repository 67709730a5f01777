"""What is weaker than the baseline, seen from inside a process.

A warning, never an end: an installation that works goes on working, and says what to do.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc/self")
_TMP = "/tmp"  # noqa: S108 - looked at, not used
_OURS = ("/app/", "/data/")
# The engine's own place of a named volume; only such a name may stand in a command that runs as root.
_VOLUME = re.compile(r"/(?:.*/)?volumes/([A-Za-z0-9][A-Za-z0-9_.-]*)/_data")


@dataclass(frozen=True)
class Weakness:
    """One thing that is not as the baseline has it.

    Attributes:
        cis: Item of the CIS Docker Benchmark (1.7), or nothing where it has none.
        command: What follows the remedy, to be copied, where one command mends it.
    """

    what: str
    cis: str
    remedy: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.what}{f' (CIS {self.cis})' if self.cis else ''}. {self.remedy} {self.command}".strip()


@dataclass(frozen=True)
class Mount:
    """One line of ``/proc/self/mountinfo``."""

    root: str
    target: str
    options: frozenset[str]

    @property
    def volume(self) -> str | None:
        """Name of the named volume, if it is one.

        NFS, tmpfs, a volume on a device and the bind of a mount point all have ``/`` as their root, so the root of
        anything else says nothing of where it lies on the host.
        """
        match = _VOLUME.fullmatch(self.root)
        return match[1] if match else None


def mounts(proc: Path = PROC) -> list[Mount]:
    """The mounts that this process sees; of two at one place, the last holds."""
    found = {}
    for line in (proc / "mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        fields = line.split(" ")
        found[fields[4]] = Mount(fields[3], fields[4], frozenset(fields[5].split(",")))
    return list(found.values())


def weaknesses(proc: Path = PROC) -> Iterator[Weakness]:
    """Look at this process and its mounts.

    Args:
        proc: Its folder below ``/proc``.
    """
    flags = "Start it with the project's own compose.yaml, which extends hardening.yaml"
    status = dict(
        line.split(":\t", 1) for line in (proc / "status").read_text(encoding="utf-8").splitlines() if ":\t" in line
    )
    if status["Uid"].split()[1] == "0":
        yield Weakness("running as root", "4.1", f"{flags}: user 1000:1000.")
    if int(status["CapEff"], 16) or int(status["CapBnd"], 16):
        yield Weakness("capabilities are left", "5.4", f"{flags}: cap_drop ALL.")
    if status.get("NoNewPrivs") != "1":
        yield Weakness("new privileges can be gained", "5.26", f"{flags}: no-new-privileges.")
    if status.get("Seccomp") != "2":
        yield Weakness(
            "no seccomp filter is on", "5.22", "Take away seccomp=unconfined, or use an engine with seccomp."
        )
    table = {mount.target: mount for mount in mounts(proc)}
    if "ro" not in table["/"].options:
        yield Weakness("the root file system is writable", "5.13", f"{flags}: read_only.")
    tmp = table.get(_TMP)
    if tmp is None or not {"noexec", "nosuid", "nodev"} <= tmp.options:
        yield Weakness(f"{_TMP} is no tmpfs with noexec, nosuid, nodev", "5.13", f"{flags}: tmpfs.")
    yield from unwritable(list(table.values()))


def unwritable(found: Sequence[Mount], uid: int | None = None) -> Iterator[Weakness]:
    """Mounts for our data that should be writable and are not, each with what mends it."""
    user = os.geteuid() if uid is None else uid
    for mount in found:
        if not mount.target.startswith(_OURS) or "rw" not in mount.options:
            continue
        if mount.target in (os.environ.get("UPLOADS_DIR"), os.environ.get("GROUND_TRUTH_DIR")):
            continue  # other people's: notes are left where they can be, and the UI says where they cannot
        if os.access(mount.target, os.W_OK | os.X_OK) and _own(Path(mount.target), user):
            continue
        what = f"{mount.target} cannot be written by uid {user}"
        if mount.volume:
            image = os.environ.get("ARCHIVE_IMAGE")
            image = image or f"archive-pipeline:{importlib.metadata.version('archive-pipeline')}"
            chown = f"docker run --rm --user 0 --entrypoint chown -v {mount.volume}:/volume {shlex.quote(image)}"
            yield Weakness(what, "", "On the host:", f"{chown} -R 1000:1000 /volume")
        else:
            yield Weakness(
                what, "", "On the host, what is mounted there must belong to 1000:1000, with all that it holds."
            )


def _own(folder: Path, user: int) -> bool:
    """Whether what lies directly in a folder can be written, too: a volume that root has filled looks right itself."""
    try:
        with os.scandir(folder) as entries:
            return all(_belongs(entry, user) for entry in entries) if user else True
    except OSError:
        return False


def _belongs(entry: os.DirEntry[str], user: int) -> bool:
    try:
        return entry.stat(follow_symlinks=False).st_uid == user
    except FileNotFoundError:
        return True  # gone meanwhile: other processes write here, too
    except OSError:
        return False
