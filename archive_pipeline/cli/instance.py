"""Dagster's embedded instance: SQLite files in one folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import dagster as dg

from archive_pipeline.durable import storage_error, write_bytes

CONFIGURATION = Path(__file__).with_name("dagster.yaml")
OURS = frozenset(
    {
        "a55082e699d1078e195bb59d7e37214e0250ad97d06e17e36eb59430ac2ed778",
        "3923aa725ba3be0a61c2b3100be46652d6b18239cc0cb762bb85873fc7cd7a78",
        "3874b768249ee88c3206b00bbe13d46754c4f922c417828f2b76ab4c8d877918",
        "88ae9a0f2532b656e8a3cca24954c68ecd76d273dec7555c3488a4dadf18e9ac",
    }
)
"""SHA-256 of every configuration that a version of this program has written, this one's too: what still is one of them
nobody has changed, and it is brought up to date."""


def prepare_home(home: Path) -> None:
    """Make the folder of the embedded instance, with this version's configuration, and tell Dagster of it.

    A configuration that somebody has changed stays as it is.

    Raises:
        StorageError: The folder cannot be made, or its configuration not be read or written.
    """
    wanted = CONFIGURATION.read_bytes()
    try:
        home.mkdir(parents=True, exist_ok=True)
        configuration = home / "dagster.yaml"
        there = configuration.read_bytes() if configuration.exists() else None
    except OSError as error:
        raise storage_error(error, home) from error
    if there is None or (there != wanted and hashlib.sha256(there).hexdigest() in OURS):
        write_bytes(configuration, wanted)
    os.environ["DAGSTER_HOME"] = str(home)


def open_instance(home: Path) -> dg.DagsterInstance:
    """The embedded instance in a folder."""
    prepare_home(home)
    return dg.DagsterInstance.get()
