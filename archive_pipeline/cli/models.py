"""``archive-pipeline models``: the models that can be used."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.errors import ModelError
from archive_pipeline.models.catalogue import catalogue


@click.group()
def models() -> None:
    """The models that can be used."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """All models, with what they are good for, and whether their files are whole."""
    rows = []
    for entry in catalogue().values():
        try:
            entry.read()
            state = "ready"
        except ModelError as error:
            state = str(error)
        rows.append(entry.model_dump() | {"state": state})
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table("id", "task", "engine", "script", "good for", "licence", "MB", "state", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            row["id"],
            row["task"],
            row["engine"],
            row["script"],
            row["good_for"],
            row["licence"],
            f"{row['size'] / 1e6:.1f}",
            row["state"],
        )
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    console.print(table)
