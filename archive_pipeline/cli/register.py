"""``archive-pipeline register``: uploads become documents that can be chosen in Dagster's UI."""

from __future__ import annotations

from pathlib import Path

import click

from archive_pipeline.cli.dagster_run import announce
from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.run import register_paths
from archive_pipeline.errors import NotReadable, UsageError, printable
from archive_pipeline.intake import documents_below
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def register(paths: tuple[Path, ...]) -> None:
    """Register documents, by default all below the upload folder, without processing them."""
    settings = read_settings()
    keys, refused = register_paths(paths or _uploaded(settings.uploads_dir), Store(settings.store_dir), settings)
    with open_instance(settings.dagster_home) as instance:
        refused |= {str(key): error for key, error in announce(instance, settings, keys).items()}
    for key in keys:
        if key not in refused:
            click.echo(key)
    for error in refused.values():
        click.echo(f"Error: {error}", err=True)
    if refused:
        raise click.exceptions.Exit(next(iter(refused.values())).exit_code)


def _uploaded(folder: Path) -> list[Path]:
    """The documents in the upload folder; what is no document by its name is left alone."""
    try:
        return list(documents_below(folder))
    except NotReadable as error:
        raise UsageError(
            f"{printable(folder)}: {error.what}", remedy="Set UPLOADS_DIR to a folder to read, or name the documents."
        ) from None
