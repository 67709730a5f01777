"""``archive-pipeline store forget``: a document taken out of the archive for good."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click
import dagster as dg

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.errors import UsageError, printable
from archive_pipeline.history.forget import Traces, find_traces, forget_document, require_finished
from archive_pipeline.history.names import Names
from archive_pipeline.history.storages import compact
from archive_pipeline.keeping import forgetting
from archive_pipeline.keeping.forgetting import Forgotten
from archive_pipeline.settings import Settings, read_settings
from archive_pipeline.store import Store
from assets.partitions import DOCUMENTS

_PARTITIONS = str(DOCUMENTS.name)
_BEYOND = (
    "backups of the store, the uploads and the database",
    "copies that were made of its exports",
    "models that were trained with its pages, and ground truth that was imported with its images",
    "logs of containers (docker logs; of runs until a day after their end)",
)
"""What this command cannot reach."""


@click.command()
@click.argument("keys", nargs=-1, required=True, metavar="KEY…")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--source", is_flag=True, help="Also remove the scan from the upload folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; needs --yes.")
def forget(keys: tuple[str, ...], yes: bool, source: bool, as_json: bool) -> None:
    """Take documents out of the archive for good: images, text, people's corrections, exports, and what Dagster knows.

    A document is named by its key, or by its path below the upload folder where no document has that key. A scan that
    still lies in the upload folder would come back: remove it first, or give --source. If the command is
    interrupted, the same one goes on.
    """
    if as_json and not yes:
        raise UsageError("--json asks nobody", remedy="Add --yes.")
    settings = read_settings()
    store = Store(settings.store_dir)
    with open_instance(settings.dagster_home) as instance:
        partitions = set(instance.get_dynamic_partitions(_PARTITIONS))
        chosen = [
            forgetting.look_up(store, settings.uploads_dir, key, known_elsewhere=key in partitions)
            for key in dict.fromkeys(forgetting.key_of(store, name, partitions) for name in keys)
        ]
        _refuse_what_would_come_back(chosen, source)
        found = {each.key: find_traces(instance, _names(each)) for each in chosen}
        for each in chosen:
            require_finished(found[each.key], _names(each))
        if not as_json:
            for each in chosen:
                _show(each, found[each.key], source)
        if not yes and not click.confirm("Forget this for good?"):
            raise click.Abort
        shared: set[str] = set()
        for each in chosen:
            runs = forgetting.begin(store, each, found[each.key].shared)
            _forget(instance, settings, store, each, runs)
            shared.update(runs)
        cleared = compact(instance, shared)
    for each in chosen:
        forgetting.end(store, each.key)
    _say_what_is_left(chosen, cleared, as_json)


def _names(document: Forgotten) -> Names:
    return Names(document.key, document.paths)


def _refuse_what_would_come_back(chosen: Sequence[Forgotten], source: bool) -> None:
    for each in chosen:
        if each.source_is_uploaded and not source:
            raise UsageError(
                f"its scan still lies in the upload folder ({printable(each.upload)}), from where it would come back",
                document=each.key,
                remedy="Remove the scan first, or add --source where this program may write the upload folder.",
            )


def _show(document: Forgotten, traces: Traces, source: bool) -> None:
    click.echo(f"{document.key}:")
    corrected = f", with people's corrections on {document.corrected} pages" if document.corrected else ""
    click.echo(f"  stored: {document.files} files, {document.size:,} bytes{corrected}")
    click.echo(
        f"  in Dagster: its partition; {len(traces.alone)} runs of its own; its part of {len(traces.shared)} others"
    )
    if document.same:
        click.echo(f"  the same bytes are also in: {', '.join(document.same)} (stays, unless you name it, too)")
    if document.source is not None and document.source.exists():
        fate = "goes, too" if source and document.source_is_uploaded else "stays: it is no upload"
        click.echo(f"  its scan {printable(document.source)} {fate}")


def _forget(
    instance: dg.DagsterInstance, settings: Settings, store: Store, document: Forgotten, runs: list[str]
) -> None:
    # Dagster first: it refuses as long as a run has to do with the document, before anything is gone.
    forget_document(instance, _PARTITIONS, _names(document), runs)
    # With the scan still there the upload sensor would take it again.
    forgetting.forget_source(document, settings.uploads_dir)
    forgetting.forget_stored(store, document.key)


def _say_what_is_left(chosen: Sequence[Forgotten], cleared: bool, as_json: bool) -> None:
    keys = [each.key for each in chosen]
    beyond = [*_BEYOND]
    if not cleared:
        beyond.append("deleted rows in PostgreSQL's files, until it clears up (VACUUM FULL does at once)")
    scans = [
        str(each.source)
        for each in chosen
        if each.source is not None and not each.source_is_uploaded and each.source.exists()
    ]
    if as_json:
        click.echo(json.dumps({"forgotten": keys, "scans": scans, "beyond": beyond}, ensure_ascii=False, indent=1))
        return
    click.echo(f"Forgotten: {', '.join(keys)}")
    click.echo("What this cannot reach, and is yours to see to:")
    for line in [*beyond, *(f"the scan {printable(scan)}" for scan in scans)]:
        click.echo(f"  - {line}")
