"""``archive-pipeline export``: the exports again, from stored pages."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import click

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.run import chosen_formats
from archive_pipeline.errors import ArchiveError, UsageError, printable
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import DocumentFolder, Store


@click.command()
@click.argument("keys", nargs=-1, required=True)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write to OUT/<key>/ and leave the document's own exports as they are.",
)
@click.option("--formats", callback=chosen_formats, help="Exports to make, such as pdf,alto,tei; see usage.md.")
def export(keys: tuple[str, ...], out: Path | None, formats: list[str] | None) -> None:
    """Make the exports of documents again, from what is stored: nothing is read anew.

    KEYS are those that `register` and `run` print. Without --out the document's own exports are replaced by the chosen
    formats, or by the default ones.
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
                folder = find_document(archive.store, name)
                result = export_stored(folder, options, out)
                if out is None:
                    instance.report_runless_asset_event(materialization(instance, archive, result))
                click.echo(f"{name} → {out / name if out else folder.exports}")
                for note in result.notes:
                    click.echo(f"{name}: {printable(note)}", err=True)
            except ArchiveError as error:
                failed.append(error)
                click.echo(f"Error: {error}", err=True)
    if failed:
        raise click.exceptions.Exit(failed[0].exit_code)


def find_document(store: Store, name: str) -> DocumentFolder:
    """The document of a key.

    Raises:
        UsageError: There is none; names those with a key like it.
    """
    keys = store.keys()
    if name in keys:
        return store.document(DocumentKey(name))
    near = get_close_matches(Path(name).name.lower(), keys, n=3)
    raise UsageError(
        f"there is no document {printable(repr(name))}",
        remedy=f"Did you mean {' or '.join(near)}?" if near else "`register` prints the keys of all uploads.",
    )
