"""``archive-pipeline bench ground-truth``: hostile and broken ground truth, and what becomes of it."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.errors import printable


@click.command(name="ground-truth")
@click.option("--only", multiple=True, metavar="NAME", help="Try this one alone. May be given several times.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def ground_truth(only: tuple[str, ...], as_json: bool) -> None:
    """Import ZIPs that no honest program makes and transcriptions that are broken, and say what became of each.

    The exit code is 1 if one left something anywhere, a hostile ZIP was taken, or one failed in another way than with
    a reason for people.
    """
    from archive_pipeline.bench.ground_truth import can_execute, try_all

    with tempfile.TemporaryDirectory(prefix="bench-ground-truth-") as folder:
        executes = can_execute(Path(folder))
        tried = list(try_all(Path(folder), only or None))
    bad = [
        each for each in tried if each.left or each.outcome == "failed" or (each.kind, each.outcome) == ("zip", "taken")
    ]
    if as_json:
        click.echo(json.dumps({"tried": [asdict(each) for each in tried], "executes": executes}, indent=1))
    else:
        table = Table("", "input", "outcome", "what is said", "s", "left behind", box=None, pad_edge=False)
        for each in tried:
            said = f"{each.error}: {each.said}" if each.error else each.said
            left = ", ".join(map(printable, each.left)) or "nothing"
            table.add_row(each.kind, each.name, each.outcome, printable(said)[:110], f"{each.seconds:.1f}", left)
        console = Console()
        (console if console.is_terminal else Console(width=220)).print(table)
        for kind in ("zip", "file"):
            counts = Counter(each.outcome for each in tried if each.kind == kind)
            told = ", ".join(f"{counts[outcome]} {outcome}" for outcome in ("refused", "taken", "failed"))
            click.echo(f"{sum(counts.values())} {kind}s: {told}")
        click.echo(f"inputs that left something: {sum(bool(each.left) for each in tried)}")
        click.echo(
            f"a program in the folder for temporary files {'CAN be started' if executes else 'cannot be started'}"
        )
    if bad:
        raise click.exceptions.Exit(1)
