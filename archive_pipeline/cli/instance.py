"""Dagster's embedded instance: SQLite files in one folder."""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from archive_pipeline.durable import storage_error, write_bytes

_CONFIGURATION = b"""\
# Made once by archive-pipeline; change it as you like.
telemetry:
  enabled: false
# No window that asks for an e-mail address.
nux:
  enabled: false
concurrency:
  runs:
    # A run uses all cores; and only what waits in the queue can be overtaken by what is more urgent.
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  max_resume_run_attempts: 0
"""


def prepare_home(home: Path) -> None:
    """Make the folder of the embedded instance, with a configuration if it has none, and tell Dagster of it.

    Raises:
        StorageError: The folder cannot be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, home) from error
    configuration = home / "dagster.yaml"
    if not configuration.exists():
        write_bytes(configuration, _CONFIGURATION)
    os.environ["DAGSTER_HOME"] = str(home)


def open_instance(home: Path) -> dg.DagsterInstance:
    """The embedded instance in a folder."""
    prepare_home(home)
    return dg.DagsterInstance.get()
