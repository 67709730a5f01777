"""``archive-pipeline corrections``: pages that people correct with other tools."""

from __future__ import annotations

import json
from pathlib import Path

import click

from archive_pipeline.cli.export import find_document
from archive_pipeline.errors import printable
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store

_CONFLICT = 3


@click.group()
def corrections() -> None:
    """Send pages to be corrected in eScriptorium or Transkribus, and take them back."""


@corrections.command()
@click.argument("selections", nargs=-1, required=True, metavar="KEY[:PAGES]…")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The ZIP to write.")
def export(selections: tuple[str, ...], out: Path) -> None:
    """Write a ZIP of page images with PAGE files, such as of letter.pdf:1-3,7.

    eScriptorium: Import, METS, from this ZIP. Transkribus: unpack it and upload the folder of a document. Leave the
    names of the files as they are: by them the pages find back.
    """
    from archive_pipeline.corrections.sending import Selection, send

    store = Store(read_settings().store_dir)
    chosen = []
    for each in selections:
        key, _, pages = each.partition(":")
        chosen.append(Selection(find_document(store, key), pages or None))
    sent = send(chosen, out)
    for name, reason in sent.left_out.items():
        click.echo(f"left out: {name}: {printable(reason)}", err=True)
    click.echo(f"{printable(out)}: {len(sent.pages)} pages")


@corrections.command(name="import")
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--reviewed", is_flag=True, help="All pages were gone through: lines that were left as they were are right."
)
@click.option("--take", is_flag=True, help="In a conflict, what comes back wins; what was stored is kept beside it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_(path: Path, reviewed: bool, take: bool, as_json: bool) -> None:
    """Store corrected pages: a ZIP or folder that eScriptorium or Transkribus exported as PAGE or ALTO.

    Lines that were changed count. Of a page that is marked as done in Transkribus, and with --reviewed, all lines do.
    Corrections that are stored are never lost; where two people disagree, it says so and keeps what is stored. The exit
    code is 3 if a page could not be stored, or not wholly.
    """
    from archive_pipeline.corrections.returning import take_back
    from archive_pipeline.rendering.model import RenderOptions
    from archive_pipeline.training_sets.reading import ReadOptions

    settings = read_settings()
    options = ReadOptions(
        render=RenderOptions(max_pixels=settings.max_pixels),
        memory_mb=settings.worker_memory_mb,
        seconds=settings.page_timeout,
    )
    pages = []
    for page in take_back(
        path, Store(settings.store_dir), options, reviewed=reviewed, take=take, work=settings.store_dir / "work"
    ):
        pages.append(page)
        if as_json:
            continue
        of = f" → {page.key}, page {page.page}" if page.key else ""
        numbers = {"changed": page.changed, "confirmed": page.confirmed, "left as the machine read them": page.left}
        counts = "".join(f", {number} {name}" for name, number in numbers.items() if number)
        click.echo(
            f"{printable(page.file)}{of}: {page.outcome}{counts}{f' ({printable(page.what)})' * bool(page.what)}"
        )
        for conflict in page.conflicts:
            click.echo(
                f"  line {printable(conflict.line)}: stored is '{printable(conflict.stored)}', "
                f"returned '{printable(conflict.returned)}'"
            )
        if page.unplaced:
            click.echo(
                f"  lines that the machine does not have, put on the page: {printable(', '.join(page.unplaced))}"
            )
        if page.missing:
            click.echo(f"  {page.missing} lines did not come back and stay as they are")
    if as_json:
        click.echo(json.dumps({"pages": [page.to_dict() for page in pages]}, ensure_ascii=False, indent=1))
    else:
        changed = sorted({str(page.key) for page in pages if page.outcome in ("corrected", "conflict")})
        if changed:
            click.echo(f"New exports with these corrections: archive-pipeline export {' '.join(changed)}")
        if any(page.conflicts for page in pages):
            click.echo("To let what came back win, import it again with --take.")
    if any(page.outcome not in ("corrected", "same", "unchanged") for page in pages):
        raise click.exceptions.Exit(_CONFLICT)
