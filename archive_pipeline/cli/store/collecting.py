"""``archive-pipeline store gc``."""

from __future__ import annotations

import json
from collections import Counter

import click

from archive_pipeline.errors import printable
from archive_pipeline.keeping.forgetting import unfinished
from archive_pipeline.keeping.garbage import collect
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def gc(dry_run: bool, as_json: bool) -> None:
    """Remove what nothing refers to: what killed runs have left, images that no page has, and readings that
    another model replaced more than ARCHIVE_KEEP_DAYS ago.

    Never a scan, nor anything with a person's corrections. It may run beside runs: what they hold is passed over. Every
    night it runs by itself.
    """
    settings = read_settings()
    archive = Store(settings.store_dir)
    rows, sizes = [], Counter[str]()
    for each in collect(archive, settings.uploads_dir, remove=not dry_run, keep_days=settings.keep_days):
        rows.append({"kind": each.kind, "path": str(each.path), "bytes": each.size})
        sizes[each.kind] += each.size
        if not as_json:
            what = "would go" if dry_run else "removed"
            click.echo(f"{printable(each.path)} ({each.kind}, {each.size:,} bytes): {what}")
    begun = unfinished(archive)
    if as_json:
        click.echo(json.dumps({"garbage": rows, "forgetting_not_finished": begun}, ensure_ascii=False, indent=1))
        return
    click.echo(
        f"{len(rows)} leftovers, {sum(sizes.values()):,} bytes{', nothing was removed' * (dry_run and bool(rows))}"
    )
    if begun:
        click.echo(f"Not finished: archive-pipeline store forget {' '.join(begun)}")
