"""``archive-pipeline report``: what the archive holds, without Dagster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from archive_pipeline.errors import UsageError, printable
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help="Where to write; by default in the store."
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def report(out: Path | None, as_json: bool) -> None:
    """Sum up the archive: a page for the browser, and tables of its documents and pages."""
    from archive_pipeline.checks.examine import examine_changed
    from archive_pipeline.checks.findings import Examinations
    from archive_pipeline.report.figures import figures
    from archive_pipeline.report.make import FOLDER, make_report
    from archive_pipeline.report.places import Places
    from archive_pipeline.report.webpage import write_html

    settings = read_settings()
    store = Store(settings.store_dir)
    if not store.is_there:
        raise UsageError(
            f"there is no archive in {printable(store.root)} yet",
            remedy="Run or register a document first, or set ARCHIVE_HOME.",
        )
    examine_changed(store, Examinations(store.root))
    folder = store.root / FOLDER if out is None else Path.cwd() / out
    places = Places(store.root / "documents", settings.results_url, relative=out is None)
    made = make_report(
        store,
        folder,
        places=places,
        models=settings.models_dir,
        training=settings.training_dir,
        database=settings.dagster_home,
    )
    page = write_html(made, folder)
    found = figures(made)
    if as_json:
        click.echo(json.dumps(found | {"page": str(page)}, ensure_ascii=False, indent=1))
        return
    _print(found)
    click.echo(printable(page))


def _print(found: dict[str, Any]) -> None:
    click.echo(f"{found['documents']} documents, {found['pages']} pages")
    click.echo(", ".join(f"{count} {name}" for name, count in found["standings"].items()))
    for sentence in found["accuracy"]["said"]:
        click.echo(printable(sentence))
    for check, each in found["checks"].items():
        if each["documents"]:
            named = ", ".join(each["named"][:5]) + (" and more" if each["documents"] > 5 else "")
            click.echo(f"{check}: {each['documents']} documents need an eye: {named}")
