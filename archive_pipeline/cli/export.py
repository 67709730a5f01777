"""``archive-pipeline export``: the exports again, from stored pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.outputs import deliver
from archive_pipeline.cli.run import chosen_formats
from archive_pipeline.errors import ArchiveError
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Copy the exports to OUT/<key>/.")
@click.option("--formats", callback=chosen_formats, help="Exports to make, such as pdf,alto,tei; see usage.md.")
def export(keys: tuple[str, ...], out: Path | None, formats: list[str] | None) -> None:
    """Make the exports of documents again, from what is stored: nothing is read anew.

    KEYS are those that `register` and `run` print. Exports in formats that are not chosen are removed.
    """
    from archive_pipeline.processing.export_stage import export_stored
    from archive_pipeline.processing.options import ProcessingOptions
    from assets.documents import materialization
    from resources.archive import ArchiveResource

    settings = read_settings(formats=formats)
    archive = ArchiveResource.from_settings(settings)
    options = replace(ProcessingOptions.from_settings(settings), reuse=False)
    failed: list[ArchiveError] = []
    with open_instance(settings.dagster_home) as instance:
        for name in keys:
            try:
                folder = archive.store.document(DocumentKey(name))
                result = export_stored(folder, options)
                instance.report_runless_asset_event(materialization(instance, archive, result))
                click.echo(f"{name} → {deliver(folder, out) if out else folder.exports}")
            except ArchiveError as error:
                failed.append(error)
                click.echo(f"Error: {error}", err=True)
    if failed:
        raise click.exceptions.Exit(failed[0].exit_code)
