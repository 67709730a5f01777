"""Whether an embedded installation can be started: its ports are free, and no other process has its folder."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import psutil

from archive_pipeline.errors import UsageError, printable

_SERVICES = ("dagster._daemon", "dagster_webserver", "dagster-daemon", "dagster-webserver")


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        UsageError: The port is another process's, or not to be had.
    """
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(
            f"port {port} of {host} cannot be had: {os.strerror(error.errno or 0)}", remedy="Choose another port."
        ) from None


def require_free(host: str, port: int) -> None:
    """Make sure that a port can be had.

    Raises:
        UsageError: It cannot.
    """
    listen(host, port).close()


def require_alone(home: Path) -> None:
    """Make sure that no daemon or web server of Dagster uses this instance: two daemons would do all things twice.

    What a killed ``ui`` leaves counts, too: its processes go on without it.

    Raises:
        UsageError: One does; names it.
    """
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if not any(service in part for part in command[:4] for service in _SERVICES):
                continue
            if process.environ().get("DAGSTER_HOME") != str(home):
                continue
        except psutil.Error:  # gone meanwhile, or somebody else's, who cannot write here either
            continue
        raise UsageError(
            f"Dagster runs already in {printable(home)}: process {process.pid}",
            remedy=f"Use the UI that is there, or stop it first: kill {process.pid}.",
        )
