"""``archive-pipeline register``: uploads become documents that can be chosen in Dagster's UI."""

from __future__ import annotations

from pathlib import Path

import click

from archive_pipeline.cli.dagster_run import announce
from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.run import register_paths
from archive_pipeline.errors import UsageError
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def register(paths: tuple[Path, ...]) -> None:
    """Register documents, by default all below the upload folder, without processing them."""
    settings = read_settings()
    if not paths and not settings.uploads_dir.is_dir():
        raise UsageError(f"{settings.uploads_dir} is no folder", remedy="Set UPLOADS_DIR, or name the documents.")
    keys, refused = register_paths(paths or sorted(settings.uploads_dir.iterdir()), Store(settings.store_dir), settings)
    with open_instance(settings.dagster_home) as instance:
        refused |= {str(key): error for key, error in announce(instance, settings, keys).items()}
    for key in keys:
        if key not in refused:
            click.echo(key)
    for error in refused.values():
        click.echo(f"Error: {error}", err=True)
    if refused:
        raise click.exceptions.Exit(next(iter(refused.values())).exit_code)
