"""``archive-pipeline store verify``."""

from __future__ import annotations

import json

import click

from archive_pipeline.errors import ArchiveError, DocumentBusy, printable
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store

_DAMAGED = 5


@click.command()
@click.argument("keys", nargs=-1)
@click.option("--sources", is_flag=True, help="Read the scans, too: takes as long as their disk does.")
@click.option("--repair", is_flag=True, help="Set aside what is damaged and can be made again by the next run.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(keys: tuple[str, ...], sources: bool, repair: bool, as_json: bool) -> None:
    """Fixity: is everything that is stored still what was stored? By default of all documents."""
    from archive_pipeline.processing.fixity import verify_document

    settings = read_settings()
    archive = Store(settings.store_dir)
    chosen = [DocumentKey(key) for key in keys] or archive.keys()
    found, busy = [], []
    for key in chosen:
        try:
            damages = verify_document(
                archive.document(key),
                sources=sources,
                repair=repair,
                max_file_mb=settings.max_file_mb,
                max_pages=settings.max_pages,
            )
        except DocumentBusy:
            busy.append(key)
            continue
        except ArchiveError as error:
            raise error.at(document=key) from None
        for damage in damages:
            found.append({"document": key, "kind": damage.kind, "path": str(damage.path), "what": damage.what})
            if not as_json:
                click.echo(f"{key}: {damage}")
    if as_json:
        click.echo(json.dumps({"documents": len(chosen), "busy": busy, "damaged": found}, ensure_ascii=False, indent=1))
    else:
        late = f"; {len(busy)} are being written and were passed over: {printable(', '.join(busy[:5]))}" if busy else ""
        click.echo(f"{len(chosen) - len(busy)} documents verified, {len(found)} files damaged{late}")
    if found:
        raise click.exceptions.Exit(_DAMAGED)
