"""How a fetch is shown: bars on a terminal, plain lines elsewhere, always on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from archive_pipeline.errors import printable
from archive_pipeline.models import download

_SECONDS = 10
"""Between two plain lines about one file."""


@contextmanager
def shown(quiet: bool = False) -> Iterator[download.Progress]:
    """Give what is to be told of a transfer, and show it while the block runs."""
    console = Console(stderr=True)
    if quiet:
        yield download.no_progress
    elif console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=console) as bars:
            yield _bars(bars)
    else:
        yield _lines()


def _bars(bars: Progress) -> download.Progress:
    tasks: dict[str, TaskID] = {}

    def tell(name: str, done: int, size: int | None) -> None:
        if name not in tasks:
            tasks[name] = bars.add_task(printable(name), total=size)
        bars.update(tasks[name], completed=done)

    return tell


def _lines() -> download.Progress:
    last: dict[str, float] = {}

    def tell(name: str, done: int, size: int | None) -> None:
        now = time.monotonic()
        if done == size or now - last.get(name, -_SECONDS) >= _SECONDS:
            last[name] = now
            of = f" of {size / 1e6:,.1f}" if size else ""
            click.echo(f"{printable(name)}: {done / 1e6:,.1f}{of} MB", err=True)

    return tell
