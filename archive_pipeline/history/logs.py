"""The captured logs of runs (what the UI shows as stdout and stderr), where they are files."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import dagster as dg
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from archive_pipeline.durable import storage_error

_SUFFIXES = {".err", ".out", ".complete", ".partial"}


def log_folder(instance: dg.DagsterInstance) -> Path | None:
    """Where logs are files, one folder a run; None if they are not, or not here."""
    manager = instance.compute_log_manager
    if not isinstance(manager, LocalComputeLogManager):
        return None
    folder = Path(manager.get_captured_local_path(["0"], "err")).parent
    return folder if folder.is_dir() else None


def remove_logs(instance: dg.DagsterInstance, run_id: str) -> int:
    """Remove the logs of one run.

    Returns:
        Bytes.

    Raises:
        StorageError: They cannot be removed.
    """
    folder = log_folder(instance)
    return _remove(folder / run_id) if folder is not None and (folder / run_id).is_dir() else 0


def sweep_logs(instance: dg.DagsterInstance, before: float) -> tuple[int, int]:
    """Remove the logs of runs that are gone or ended before a time, and those of ticks before it.

    Args:
        before: Seconds of the epoch.

    Returns:
        How many folders and files, and their bytes.

    Raises:
        StorageError: One cannot be removed.
    """
    folder = log_folder(instance)
    if folder is None:
        return 0, 0
    # The folders first: a run that begins in between has its record before its logs.
    children = sorted(child for child in folder.iterdir() if child.is_dir())
    known = set(instance.get_run_ids())
    ended = dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=datetime.fromtimestamp(before, UTC))
    old = set(instance.get_run_ids(filters=ended))
    removed = size = 0
    for child in children:
        if _is_run(child.name):
            if child.name in old or child.name not in known:
                size += _remove(child)
                removed += 1
            continue
        for file in child.rglob("*"):
            if file.suffix in _SUFFIXES and file.is_file() and file.stat().st_mtime < before:
                size += file.stat().st_size
                removed += 1
                file.unlink(missing_ok=True)
    return removed, size


def _is_run(name: str) -> bool:
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _remove(folder: Path) -> int:
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    return size
