"""``archive-pipeline models verify``."""

from __future__ import annotations

import json

import click

from archive_pipeline.cli.models.shared import known_by, state_of
from archive_pipeline.errors import ModelError, ModelNotFetched
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import read_settings

_SAID = {"ready": "whole", "at a server": "at a server, whose files are not ours to read"}


@click.command()
@click.argument("ids", metavar="[ID…]", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(ids: tuple[str, ...], as_json: bool) -> None:
    """Read every byte of the models that are here, or of those that are named, and say what is not as it must be."""
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    entries = [library.catalogue.find(model_id) for model_id in ids] or list(library.catalogue)
    rows = []
    for entry in entries:
        state, remedy = state_of(library, entry, served=settings.surya_url is not None)
        if state not in ("ready", "damaged") and not ids:
            continue
        rows.append({"id": entry.id, "state": state, "digest_known_by": known_by(library, entry), "remedy": remedy})
        if not as_json:
            click.echo(f"{entry.id}: {_SAID.get(state, state)}")
            if remedy:
                click.echo(f"Error: {remedy}", err=True)
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    bad = {row["state"] for row in rows} - {"ready", "at a server"}
    if bad:
        raise click.exceptions.Exit((ModelError if "damaged" in bad else ModelNotFetched).exit_code)
