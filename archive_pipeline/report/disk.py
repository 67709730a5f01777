"""What fills the disk, by kind. A large store is measured on a sample: to ask a hundred million files takes hours."""

from __future__ import annotations

import os
import random
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

KINDS = (
    "images",
    "layouts",
    "transcriptions",
    "exports",
    "corrections",
    "records",
    "models",
    "training",
    "database",
    "report",
)
_OF_DOCUMENTS = frozenset({"images", "layouts", "transcriptions", "exports", "corrections"})
SAMPLE = 2_000
"""Documents that are measured where there are more."""


@dataclass(frozen=True)
class DiskUse:
    """Bytes by kind.

    Attributes:
        measured: Documents that were measured.
        documents: All.
    """

    bytes: dict[str, int]
    measured: int
    documents: int

    @property
    def estimated(self) -> bool:
        return self.measured < self.documents


def disk_use(
    documents: Path,
    keys: Sequence[str],
    models: Path | None,
    databases: Sequence[Path],
    report: Path,
    training: Path | None = None,
) -> DiskUse:
    """Measure the store.

    A page image that exports have under a second name counts once, as an image.

    Args:
        documents: The folder of the documents.
        keys: The documents.
        models: The model store, if there is one.
        databases: Files and folders of databases.
        report: The folder of the report.
        training: Ground truth and trainings, if there are any.
    """
    # The same sample for the same documents, so that two days can be compared.
    chosen = random.Random(0).sample(sorted(keys), SAMPLE) if len(keys) > SAMPLE else list(keys)  # noqa: S311
    found: defaultdict[str, int] = defaultdict(int)
    for key in chosen:
        _document(documents / key, found)
    share = len(keys) / len(chosen) if chosen else 1.0
    totals = {kind: round(size * share) for kind, size in found.items()}
    totals["models"] = _below(models) if models else 0
    totals["training"] = _below(training) if training else 0
    totals["database"] = sum(map(_below, databases))
    totals["report"] = _below(report)
    return DiskUse({kind: totals.get(kind, 0) for kind in KINDS}, len(chosen), len(keys))


def _document(folder: Path, found: defaultdict[str, int]) -> None:
    seen: set[int] = set()
    for kind in ("images", "exports", "layouts", "transcriptions", "corrections"):
        for status in _files(folder / kind):
            if status.st_nlink == 1 or status.st_ino not in seen:
                seen.add(status.st_ino)
                found[kind] += status.st_size
    for status in _files(folder, without=_OF_DOCUMENTS):
        found["records"] += status.st_size


def _below(path: Path) -> int:
    try:
        status = path.lstat()
    except OSError:
        return 0
    if stat.S_ISREG(status.st_mode):
        return status.st_size
    return sum(each.st_size for each in _files(path))


def _files(folder: Path, without: frozenset[str] = frozenset()) -> Iterator[os.stat_result]:
    """The regular files below a folder; links are not followed, what vanishes meanwhile is left out."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in without:
                    yield from _files(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield entry.stat(follow_symlinks=False)
        except OSError:
            continue
