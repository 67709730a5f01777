"""``archive-pipeline models fetch``."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from archive_pipeline.cli.models.shared import can_be_fetched, megabytes, sealed_look
from archive_pipeline.cli.models.transfer import shown
from archive_pipeline.errors import ArchiveError, UsageError, printable
from archive_pipeline.models.entry import ModelEntry, Zenodo
from archive_pipeline.models.fetch import Fetched, fetch_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network
from archive_pipeline.models.sources.doi import number_of, read_entry
from archive_pipeline.settings import read_settings


@click.command()
@click.argument("ids", metavar="ID…", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All models of the catalogue.")
@click.option("--yes", is_flag=True, help="Agree to notes on licences, and ask nothing.")
@click.option("--id", "own_id", default="", metavar="NAME", help="Id for a model that is fetched by its DOI.")
@click.option("--offline", is_flag=True, help="Never touch the network; also ARCHIVE_OFFLINE=1.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fetch(ids: tuple[str, ...], everything: bool, yes: bool, own_id: str, offline: bool, as_json: bool) -> None:
    """Fetch models: checked, and there as a whole or not at all.

    ID is an id of `models list`, or the DOI of a model of HTRMoPo: doi:10.5281/zenodo.N.
    """
    settings = read_settings()
    library = ModelLibrary(settings.models_dir)
    network = Network.from_settings(settings, offline=offline)
    wanted = [*ids, *(e.id for e in library.catalogue if everything and can_be_fetched(e) and e.id not in ids)]
    if not wanted:
        raise UsageError("no model was named", remedy="Give an id of models list, a DOI, or --all.")
    if own_id and (len(wanted) > 1 or number_of(wanted[0]) is None):
        raise UsageError("--id is for one model that is fetched by its DOI")
    rows, failed = [], []
    for name in wanted:
        try:
            done = _fetch(library, name, own_id, network, yes=yes, quiet=as_json)
            rows.append({"id": done.model.id} | fetched_row(done))
            if not as_json:
                click.echo(_sentence(library, done))
        except ArchiveError as error:
            failed.append(error)
            rows.append({"id": name, "error": error.to_dict()})
            click.echo(f"Error: {error}", err=True)
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
    if failed:
        raise click.exceptions.Exit(failed[0].exit_code)


def _fetch(library: ModelLibrary, name: str, own_id: str, network: Network, *, yes: bool, quiet: bool) -> Fetched:
    number = number_of(name)
    if number is None:
        entry, known = library.catalogue.find(name), True
    else:
        entry, known = _of_record(library, number, own_id, network)
    view = library if known else library.adding(entry)
    if can_be_fetched(entry):
        _announce(entry, yes=yes)
    with shown(quiet) as progress:
        return fetch_model(
            view,
            entry,
            network,
            check=sealed_look,
            progress=progress,
            waiting=lambda: click.echo(f"{entry.id}: another process is fetching it; waiting", err=True),
            keep=not known,
        )


def _of_record(library: ModelLibrary, number: str, own_id: str, network: Network) -> tuple[ModelEntry, bool]:
    """The entry of a record, and whether it is known already."""
    known = {entry.source.record: entry for entry in library.catalogue if isinstance(entry.source, Zenodo)}
    if number in known:
        return known[number], True
    entry = read_entry(number, own_id, network)
    # The number may be that of all versions: the newest one, to which it leads, may be known.
    same = known.get(entry.source.record) if isinstance(entry.source, Zenodo) else None
    return same or entry, same is not None


def _announce(entry: ModelEntry, *, yes: bool) -> None:
    """Say what will be fetched; where the licence has a note, go on only with consent."""
    size = f"{megabytes(entry.size)} MB" if entry.size else "size not known yet"
    click.echo(f"{entry.id}: {size}, licence {printable(entry.licence)}, from {printable(entry.source)}", err=True)
    if not entry.licence_note:
        return
    click.echo(f"{entry.id}: note on its licence: {printable(entry.licence_note)}", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"model {entry.id} was not fetched: nobody has agreed to the note on its licence",
            remedy="Read it, then add --yes.",
        )
    if not click.confirm("Do you agree, and fetch it?", err=True):
        raise UsageError(f"model {entry.id} was not fetched")


def fetched_row(done: Fetched) -> dict[str, Any]:
    """What became of a model, for machines."""
    return {
        "new": done.new,
        "pinned": done.pinned,
        "digest": done.model.digest,
        "bytes": sum(file.size for file in done.model.files),
        "folder": str(done.model.folder),
        "from": done.origin,
        "damaged_copy": str(done.aside) if done.aside else None,
    }


def _sentence(library: ModelLibrary, done: Fetched) -> str:
    model = done.model
    size = f"{sum(file.size for file in model.files) / 1e6:,.1f} MB"
    if not done.new:
        return f"{model.id}: here already, whole ({size})"
    said = f"{model.id}: here, {size}, from {printable(done.origin)}"
    if done.aside:
        said += f"\n{model.id}: the damaged copy lies in {done.aside}; models prune removes it"
    if done.pinned and library.root is not None:
        said += (
            f"\n{model.id}: nobody had told us its SHA-256. What came is pinned from now on: "
            f"{', '.join(f'{file.path.name} {file.sha256}' for file in model.files)} (pins/{model.id}.json)"
        )
    return said
