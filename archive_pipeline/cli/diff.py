"""``archive-pipeline diff``: what another model made of a document."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archive_pipeline.errors import printable
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.argument("key")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write a page for a browser."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(key: str, html: Path | None, as_json: bool) -> None:
    """Print line by line what changed when another model read a document.

    Words only of the reading before stand in [- -], those only of the reading now in {+ +}. The reading before is kept
    for as many days as ARCHIVE_KEEP_DAYS says.
    """
    from archive_pipeline.changes.document import document_changes
    from archive_pipeline.changes.text import changes_text
    from archive_pipeline.changes.webpage import changes_page
    from archive_pipeline.cli.export import find_document
    from archive_pipeline.durable import write_bytes

    changes = document_changes(find_document(Store(read_settings().store_dir), key))
    if html is not None:
        write_bytes(html, changes_page(changes).encode())
    if as_json:
        click.echo(json.dumps(changes.to_dict(), ensure_ascii=False, indent=1))
    elif html is not None:
        click.echo(f"{key} → {printable(html)}")
    else:
        click.echo("\n".join(changes_text(changes)))
