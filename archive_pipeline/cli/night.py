"""``archive-pipeline night``: what the nights would do, or do it now."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import click
import dagster as dg
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.errors import UsageError
from archive_pipeline.nights.batches import Batch, within
from archive_pipeline.nights.hours import Hours, Night
from archive_pipeline.nights.plan import REASONS, Planned
from archive_pipeline.nights.tonight import Tonight, ask, plan_tonight
from archive_pipeline.settings import Settings, read_settings
from assets.partitions import DOCUMENTS
from resources.archive import ArchiveResource

_FIRST = 20
_HOUR = 3600.0


@click.command()
@click.option("--dry-run", is_flag=True, help="Print the plan with its cost, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def night(dry_run: bool, as_json: bool) -> None:
    """Do now what a night would do, until ARCHIVE_NIGHT_END.

    Where Dagster runs (in containers, or archive-pipeline ui), it does so by itself, and --dry-run is what is wanted.
    """
    settings = read_settings()
    hours = Hours.of(settings.night, settings.night_end, settings.timezone)
    if hours is None:
        raise UsageError("there are no nights: ARCHIVE_NIGHT is off", remedy="Set it to an hour, such as 22:00.")
    with open_instance(settings.dagster_home) as instance:
        if dry_run:
            _print_plan(instance, settings, hours, as_json)
        else:
            _work(instance, settings, hours, as_json)


def _plan(instance: dg.DagsterInstance, settings: Settings, now: float, busy: Collection[str] = ()) -> Tonight:
    from archive_pipeline.automation.busy import keys_of_backfills, keys_of_runs, unfinished_runs
    from archive_pipeline.definitions import build

    archive = ArchiveResource.from_settings(settings)
    order = instance.get_dynamic_partitions(str(DOCUMENTS.name))
    others = keys_of_runs(unfinished_runs(instance), order)
    others |= keys_of_backfills(instance, build(settings).get_repository_def())
    return plan_tonight(order, archive.store, archive.options(), archive.batch, busy={*others, *busy}, since=now)


def _print_plan(instance: dg.DagsterInstance, settings: Settings, hours: Hours, as_json: bool) -> None:
    now = time.time()
    coming = hours.next_night(now)
    began = time.perf_counter()
    tonight = _plan(instance, settings, now)
    told = _told(tonight, coming, hours, max(now, coming.began)) | {
        "planned_in_seconds": round(time.perf_counter() - began, 2)
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False, indent=1))
        return
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    click.echo(f"The night of {coming.name}: {hours.said(coming.began)} to {hours.said(coming.ends)}, {hours.zone.key}")
    click.echo(f"{tonight.documents} documents, {len(tonight.plan)} of them worth a run")
    if tonight.busy:
        click.echo(f"{tonight.busy} are under way, asked for, or not quiet yet, and are left to those who asked")
    if tonight.given_up:
        named = ", ".join(tonight.given_up[:_FIRST])
        click.echo(f"{len(tonight.given_up)} have ended their run three times, and wait for a person: {named}")
    if tonight.unseen:
        click.echo(f"{tonight.unseen} could not be looked at in time, and are taken to be as they were")
    if not tonight.plan:
        return
    table = Table("why", "documents", "pages", "hours", box=None, pad_edge=False)
    for row in told["reasons"]:
        table.add_row(row["means"], str(row["documents"]), f"{row['pages']:.0f}", f"{row['hours']:.1f}")
    console.print(table)
    fits = told["fits"]
    click.echo(f"In this night: {fits['documents']} documents in {fits['runs']} runs, {fits['hours']:.1f} hours")
    table = Table("first", "why", "pages", "minutes", box=None, pad_edge=False)
    for row in told["first"]:
        table.add_row(Text(row["document"]), row["why"], f"{row['pages']:.0f}", f"{row['seconds'] / 60:.1f}")
    console.print(table)


def _told(tonight: Tonight, coming: Night, hours: Hours, start: float) -> dict[str, Any]:
    """The plan for machines."""
    fits = list(within(tonight.batches, coming.ends - start, coming.seconds / 2))
    counts = Counter(each.why for each in tonight.plan)
    return {
        "night": {"begins": hours.iso(coming.began), "ends": hours.iso(coming.ends), "timezone": hours.zone.key},
        "documents": tonight.documents,
        "left_to_others": tonight.busy,
        "given_up": list(tonight.given_up),
        "not_looked_at": tonight.unseen,
        "reasons": [
            {
                "why": why,
                "means": means,
                "documents": counts[why],
                "pages": sum(each.pages for each in tonight.plan if each.why == why),
                "hours": round(sum(each.seconds for each in tonight.plan if each.why == why) / _HOUR, 3),
            }
            for why, means in REASONS.items()
            if counts[why]
        ],
        "fits": {
            "documents": sum(len(batch.keys) for batch in fits),
            "runs": len(fits),
            "hours": round(sum(batch.seconds for batch in fits) / _HOUR, 3),
        },
        "first": [
            {"document": each.key, "why": each.why, "pages": each.pages, "seconds": round(each.seconds, 1)}
            for each, _ in zip(_in_turn(tonight), range(_FIRST), strict=False)
        ],
    }


def _in_turn(tonight: Tonight) -> Iterator[Planned]:
    """Documents in the order in which they are done."""
    planned = {each.key: each for each in tonight.plan}
    return (planned[key] for batch in tonight.batches for key in batch.keys)


def _work(instance: dg.DagsterInstance, settings: Settings, hours: Hours, quiet: bool) -> None:
    from archive_pipeline.cli.progress import shown
    from archive_pipeline.cli.tables import document_rows, print_documents
    from archive_pipeline.keys import DocumentKey

    began = time.time()
    name = datetime.fromtimestamp(began, hours.zone).date().isoformat()
    now = Night(name, began, hours.next_night(began).ends)
    done: list[str] = []
    with shown(quiet) as record:
        while found := list(_next(instance, settings, now, done)):
            for batch in found:
                done += batch.keys
                _run(instance, settings, batch, now, hours)
    keys = [DocumentKey(key) for key in done if key in record.outcomes or record.error_of(DocumentKey(key))]
    rows = document_rows(keys, record, {}, {})
    if quiet:
        click.echo(json.dumps({"documents": rows}, ensure_ascii=False, indent=1))
    else:
        print_documents(rows)
    left = f"; until {hours.said(now.ends)} there was no time for more" if time.time() >= now.ends else ""
    click.echo(f"{len(keys)} documents were worth a run{left}", err=quiet)
    errors = [error for key in keys if (error := record.error_of(key)) is not None]
    if errors:
        raise click.exceptions.Exit(errors[0].exit_code)


def _next(instance: dg.DagsterInstance, settings: Settings, now: Night, done: Collection[str]) -> Iterator[Batch]:
    rest = now.ends - time.time()
    if rest > 0:
        yield from ask(_plan(instance, settings, now.began, done).batches, rest, 0.0, now.seconds)


def _run(instance: dg.DagsterInstance, settings: Settings, batch: Batch, now: Night, hours: Hours) -> None:
    from archive_pipeline.automation.nights import config_of, tags_of
    from archive_pipeline.definitions import build

    build(settings).resolve_job_def("documents_job").execute_in_process(
        instance=instance,
        tags=tags_of(batch, now),
        run_config={
            **config_of(batch, now, hours),
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
        raise_on_error=False,
    )
