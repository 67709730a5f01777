"""``archive-pipeline bench week``: the simulation of a week, on processes of this machine or on containers."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.settings import usable_cpus

if TYPE_CHECKING:
    from archive_pipeline.bench.week.ledger import Ledger


@click.command()
@click.option("--documents", default=2000, show_default=True, help="Small documents that are uploaded.")
@click.option("--minutes", default=60.0, show_default=True, help="That the week takes.")
@click.option("--bad", default=50, show_default=True, help="Bad uploads among them.")
@click.option("--kills", default=40, show_default=True, help="How often something is killed.")
@click.option("--nights", default=2, show_default=True, help="Nights of the week.")
@click.option("--seed", default=0, show_default=True, help="Of all that is drawn.")
@click.option("--sample", default=20, show_default=True, help="Documents compared with an undisturbed run.")
@click.option("--batch", default=25, show_default=True, help="Documents of one run.")
@click.option("--formats", default="text,page", show_default=True, help="Exports to make; a PDF costs seconds.")
@click.option("--patience", default=60.0, show_default=True, help="Minutes afterwards until all must be settled.")
@click.option("--untimed", is_flag=True, help="Only print ticks and memory: other work runs on this machine.")
@click.option("--compose", "project", metavar="PROJECT", help="On the containers of this project, with its settings.")
@click.option("--keep", type=click.Path(path_type=Path), help="Keep everything in this new folder.")
def week(
    documents: int,
    minutes: float,
    bad: int,
    kills: int,
    nights: int,
    seed: int,
    sample: int,
    batch: int,
    formats: str,
    patience: float,
    untimed: bool,
    project: str | None,
    keep: Path | None,
) -> None:
    """A week of uploads, bad files and kills in an hour; at the end, whether anything was lost or done twice."""
    from archive_pipeline.bench.week.compose import compose
    from archive_pipeline.bench.week.embedded import configure, embedded
    from archive_pipeline.bench.week.simulation import Plan, simulate
    from archive_pipeline.cli.instance import prepare_home

    plan = Plan(documents, bad, kills, nights, minutes, patience, sample, seed, timed=not untimed)
    # Ends as by Ctrl-C, so that its services end with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if project is not None:
        _print(simulate(compose(project), plan, click.echo))
        return
    folder = Path(tempfile.mkdtemp(prefix="week-")) if keep is None else keep.absolute()
    settings = {
        "ARCHIVE_BATCH": str(batch),
        "ARCHIVE_FORMATS": formats,
        "ARCHIVE_WORKERS": os.environ.get("ARCHIVE_WORKERS", str(max(1, usable_cpus() // 2))),
    }
    try:
        prepare_home(folder / "dagster")
        configure(folder / "dagster")
        with embedded(folder, settings) as installation:
            ledger = simulate(installation, plan, click.echo)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    _print(ledger)


def _print(ledger: Ledger) -> None:
    table = Table("what", "figure", box=None)
    for what, figure in ledger.rows:
        table.add_row(what, figure)
    console = Console()
    (console if console.is_terminal else Console(width=160)).print(table)
    for each in ledger.broken:
        click.echo(f"BROKEN: {each}")
    if ledger.broken:
        raise click.exceptions.Exit(1)
