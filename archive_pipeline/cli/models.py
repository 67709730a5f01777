"""``archive-pipeline models``: the models that can be used."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from archive_pipeline.cli.models_compare import compare_models
from archive_pipeline.errors import ModelError, ModelNotFetched
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import read_settings


@click.group()
def models() -> None:
    """The models that can be used."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_models(as_json: bool) -> None:
    """All models, with what they are good for, and whether they are here."""
    library = ModelLibrary(read_settings().models_dir)
    rows = [entry.model_dump(mode="json") | {"state": _state(library, entry)} for entry in library.catalogue]
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    table = Table("id", "task", "engine", "script", "good for", "licence", "MB", "state", box=None, pad_edge=False)
    for entry, row in zip(library.catalogue, rows, strict=True):
        table.add_row(
            entry.id,
            entry.task,
            entry.engine,
            ", ".join(entry.scripts) or "any",
            entry.good_for,
            entry.licence,
            f"{entry.size / 1e6:.1f}" if entry.size else "?",
            row["state"],
        )
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    console.print(table)


def _state(library: ModelLibrary, entry: ModelEntry) -> str:
    try:
        library.install_state(entry).verify()
    except ModelNotFetched:
        return "not here"
    except ModelError as error:
        return str(error)
    return "ready"


models.add_command(compare_models)
