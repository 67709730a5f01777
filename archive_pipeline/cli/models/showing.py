"""``archive-pipeline models show``."""

from __future__ import annotations

import json
from contextlib import suppress

import click
from rich.table import Table
from rich.text import Text

from archive_pipeline.cli.models.listing import as_row
from archive_pipeline.cli.models.shared import console, files_of, known_by, state_of
from archive_pipeline.errors import ModelError, printable
from archive_pipeline.models.entry import Served
from archive_pipeline.models.kept import read_pin
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import read_settings


@click.command()
@click.argument("model_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(model_id: str, as_json: bool) -> None:
    """Everything about one model: licence, citation, source, files, digests."""
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    entry = library.catalogue.find(model_id)
    state, remedy = state_of(library, entry, served=settings.surya_url is not None)
    if as_json:
        click.echo(json.dumps(as_row(library, entry, state, remedy), indent=1, ensure_ascii=False))
        return
    files = files_of(library, entry)
    pin = None
    with suppress(ModelError):  # a damaged one is told of as the model's state
        pin = read_pin(settings.models_dir, entry.id) if entry.digest is None else None
    rows = {
        "id": entry.id,
        "state": state,
        "what to do": remedy,
        "task": f"{entry.task}, by {entry.engine}",
        "good for": entry.good_for,
        "scripts": ", ".join(entry.scripts) or "any",
        "languages": ", ".join(entry.languages) or "any",
        "licence": entry.licence,
        "note": entry.licence_note,
        "citation": entry.citation,
        "source": str(entry.source),
        "digest known by": known_by(library, entry),
        "pinned": f"{pin.when}, from {pin.origin}" if pin else "",
        "folder": ""
        if isinstance(entry.source, Served) or state != "ready"
        else str(library.install_state(entry).folder),
    }
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, value in rows.items():
        if value:
            table.add_row(name, Text(printable(value)))
    for file in files:
        size = f"{file.size:,} bytes" if file.size else "size not known"
        table.add_row("file", Text(f"{file.name}, {size}\nSHA-256 {file.sha256 or 'not known yet'}"))
    console().print(table)
