"""``archive-pipeline demo``: try it without a scan of your own."""

from __future__ import annotations

from pathlib import Path

import click

from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.option("--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="For the exports.")
@click.option("--scans-only", is_flag=True, help="Write the scans and their ground truth, and do not process them.")
def demo(out: Path, scans_only: bool) -> None:
    """Make a small archive of invented papers, with ground truth, and run it."""
    from archive_pipeline.bench.demo_archive import score_demo
    from archive_pipeline.cli.run import process
    from archive_pipeline.cli.tables import document_rows, print_documents
    from archive_pipeline.demo.archive import make_demo
    from archive_pipeline.processing.delivery import deliver

    settings = read_settings()
    archive = make_demo(settings.home / "demo")
    click.echo(f"Scans in {settings.home / 'demo' / 'uploads'}, ground truth in {archive.ground_truth}")
    if scans_only:
        return
    store = Store(settings.store_dir)
    keys = [store.register(path, settings.uploads_dir) for path in archive.documents]
    record = process(settings, keys, {"reuse": True})
    delivered = {key: deliver(store.document(key), out) for key in keys if record.error_of(key) is None}
    print_documents(document_rows(keys, record, {}, delivered))
    result = score_demo(archive, [out / key for key in keys])
    click.echo(f"Read with {result.cer:.2f} % character errors ({result.characters} characters, {result.pages} pages).")
    if any(record.errors.values()):
        raise click.exceptions.Exit(4)
