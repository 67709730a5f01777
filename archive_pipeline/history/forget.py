"""A document taken out of everything that Dagster remembers of it.

Dagster can delete runs and partition keys, and no more. So: runs that were for this document alone are deleted; of
runs that had others, too, its events are deleted, and its name is taken out of what is left (which failures there were,
which range was asked for); events without a run, ticks and finished backfills that name it are deleted. Every step may
be done twice, so what a kill leaves is done by the next call.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checks
from dagster._core.storage.event_log.schema import AssetEventTagsTable as EventTags
from dagster._core.storage.event_log.schema import AssetKeyTable as Assets
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.runs.schema import BackfillTagsTable as BackfillTags
from dagster._core.storage.runs.schema import BulkActionsTable as Backfills
from dagster._core.storage.runs.schema import RunsTable as Runs
from dagster._core.storage.runs.schema import RunTagsTable as RunTags
from dagster._core.storage.schedules.schema import InstigatorsTable as Instigators
from dagster._core.storage.schedules.schema import JobTable as Jobs
from dagster._core.storage.schedules.schema import JobTickTable as Ticks
from sqlalchemy import Column, ColumnElement, Table, delete, or_, select, update
from sqlalchemy.engine import Connection

from archive_pipeline.errors import DocumentBusy
from archive_pipeline.history import storages
from archive_pipeline.history.logs import remove_logs
from archive_pipeline.history.names import FORGOTTEN, Names
from archive_pipeline.history.runs import remove_run

_START, _END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_FREE_TEXT = {"message", "user_message", "text", "md_str", "stack", "description", "label"}
_SHAPES = ("PIPELINE_", "RUN_", "STEP_", "ENGINE_EVENT")
"""Kinds of events that say how a run went: they stay, without the name."""
_CHUNK = 500
"""SQLite takes only so many values in one statement."""


@dataclass
class Traces:
    """Where Dagster knows a document.

    Attributes:
        alone: Runs for this document only.
        shared: Runs that had other documents, too, or name it in what they report.
        unfinished: Those of both that are not finished.
        backfills: Ids of finished backfills that name it, and of others.
    """

    alone: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    backfills: list[str] = field(default_factory=list)
    open_backfills: list[str] = field(default_factory=list)


def find_traces(instance: dg.DagsterInstance, names: Names) -> Traces:
    """Which runs and backfills concern a document."""
    traces = Traces()
    with storages.events(instance) as connection:
        own = select(Events.c.run_id).where(Events.c.partition == names.key).distinct()
        about = {row[0] for row in connection.execute(own)}
        about |= {run_id for run_id, _ in _naming(connection, Events.c.run_id, Events.c.event, names)}
    about.discard(storages.RUNLESS)
    with storages.runs(instance) as connection:
        for run_id, _ in _naming(connection, Runs.c.run_id, Runs.c.run_body, names):
            about.add(run_id)
        backfills = [key for key, _ in _naming(connection, Backfills.c.key, Backfills.c.body, names)]
    for key in backfills:
        backfill = instance.get_backfill(key)
        ended = backfill is None or backfill.status in BULK_ACTION_TERMINAL_STATUSES
        (traces.backfills if ended else traces.open_backfills).append(key)
    for run_id in sorted(about):
        run = instance.get_run_by_id(run_id)
        if run is None:
            traces.shared.append(run_id)
            continue
        first, last = run.tags.get(_START), run.tags.get(_END)
        alone = run.tags.get(_PARTITION) == names.key or (first == last == names.key)
        (traces.alone if alone else traces.shared).append(run_id)
        if not run.is_finished:
            traces.unfinished.append(run_id)
    return traces


def require_finished(traces: Traces, names: Names) -> None:
    """Make sure that nothing is under way that has to do with a document.

    Raises:
        DocumentBusy: Something is.
    """
    under_way = [*traces.unfinished, *traces.open_backfills]
    if under_way:
        raise DocumentBusy(
            f"runs or backfills that are not finished have to do with it: {', '.join(under_way)}",
            document=names.key,
            remedy="Wait for them, or cancel them in Dagster's UI; then run this again.",
        )


def forget_document(instance: dg.DagsterInstance, partitions: str, names: Names, shared: Sequence[str] = ()) -> Traces:
    """Take a document out of Dagster.

    Args:
        partitions: Name of the set of partitions that its key belongs to.
        shared: Runs that an interrupted call had found to have had others, too.

    Returns:
        What was found.

    Raises:
        DocumentBusy: A run or a backfill that is not finished has to do with it.
        StorageError: Something cannot be removed.
    """
    traces = find_traces(instance, names)
    require_finished(traces, names)
    order = instance.get_dynamic_partitions(partitions)
    for run_id in traces.alone:
        remove_run(instance, run_id)
    together = sorted({*shared, *traces.shared})
    for run_id in together:
        remove_logs(instance, run_id)
    for run_id in (*together, storages.RUNLESS):
        if storages.shard(instance, run_id) is not None:
            with storages.shard_events(instance, run_id) as connection:
                _forget_events(connection, names, together)
    with storages.events(instance) as connection:
        _forget_events(connection, names, together)
        _forget_in_assets(connection, names)
    with storages.runs(instance) as connection:
        _forget_in_runs(connection, names, order)
        for chunk in _chunks(traces.backfills):
            connection.execute(delete(Backfills).where(Backfills.c.key.in_(chunk)))
            connection.execute(delete(BackfillTags).where(BackfillTags.c.backfill_id.in_(chunk)))
    with storages.ticks(instance) as connection:
        _forget_in_ticks(connection, names)
    # Last: as long as the key is there, an interrupted call can be found and gone on with.
    instance.delete_dynamic_partition(partitions, names.key)
    return traces


def _may_name(column: Column[str] | ColumnElement[str], names: Names) -> ColumnElement[bool]:
    """Rows that hold a name's letters; whether they are that name, :class:`Names` knows."""
    return or_(*(column.contains(each, autoescape=True) for each in names.stored))


def _naming(connection: Connection, key: Column[str], text: Column[str], names: Names) -> Iterator[tuple[str, str]]:
    for row in connection.execute(select(key, text).where(_may_name(text, names))).fetchall():
        if names.are_in(row[1]):
            yield row[0], row[1]


def _forget_events(connection: Connection, names: Names, runs: Sequence[str]) -> None:
    _forget_rows(connection, names)
    # What its own runs say of it may have the bare name of its file, which elsewhere may be another document's.
    if names.in_its_runs is not None:
        for chunk in _chunks(runs):
            _forget_rows(connection, names.in_its_runs, Events.c.run_id.in_(chunk))


def _forget_rows(connection: Connection, names: Names, where: ColumnElement[bool] | None = None) -> None:
    own = connection.execute(select(Events.c.id).where(Events.c.partition == names.key))
    gone = [row[0] for row in own]
    query = select(Events.c.id, Events.c.dagster_event_type, Events.c.event).where(_may_name(Events.c.event, names))
    if where is not None:
        query = query.where(where)
    for number, kind, event in connection.execute(query).fetchall():
        if not names.are_in(event):
            continue
        if (kind or "").startswith(_SHAPES):
            rest = names.taken_out_of(json.loads(event), _FREE_TEXT)
            connection.execute(update(Events).where(Events.c.id == number).values(event=json.dumps(rest)))
        else:
            gone.append(number)
    for chunk in _chunks(gone):
        # Tags first: they are found by their events.
        connection.execute(delete(EventTags).where(EventTags.c.event_id.in_(chunk)))
        connection.execute(delete(Events).where(Events.c.id.in_(chunk)))


def _forget_in_assets(connection: Connection, names: Names) -> None:
    """What is kept beside the events: the newest one of each asset, the states of its partitions, results of checks."""
    for row in connection.execute(select(Assets.c.asset_key, Assets.c.last_materialization)).fetchall():
        asset, last = row
        values: dict[str, str | None] = {"cached_status_data": None}  # worked out again when it is asked for
        if last is not None and names.are_in(last):
            newest = connection.execute(
                select(Events.c.event, Events.c.run_id)
                .where(Events.c.asset_key == asset, Events.c.dagster_event_type == "ASSET_MATERIALIZATION")
                .order_by(Events.c.id.desc())
                .limit(1)
            ).fetchone()
            values["last_materialization"] = newest[0] if newest else None
            values["last_run_id"] = newest[1] if newest else None
        connection.execute(update(Assets).where(Assets.c.asset_key == asset).values(**values))
    connection.execute(delete(Checks).where(Checks.c.partition == names.key))
    found = connection.execute(
        select(Checks.c.id, Checks.c.evaluation_event).where(_may_name(Checks.c.evaluation_event, names))
    )
    for chunk in _chunks([row[0] for row in found.fetchall() if names.are_in(row[1])]):
        connection.execute(delete(Checks).where(Checks.c.id.in_(chunk)))


def _forget_in_runs(connection: Connection, names: Names, order: Sequence[str]) -> None:
    place = order.index(names.key) if names.key in order else None
    # A range that began or ended with it begins or ends with its neighbour now.
    begin, end = (
        order[place + step] if place is not None and 0 <= place + step < len(order) else FORGOTTEN for step in (1, -1)
    )
    instead = {_START: begin, "start": begin, _END: end, "end": end}
    for run_id, body in _naming(connection, Runs.c.run_id, Runs.c.run_body, names):
        rest = names.taken_out_of(_moved(json.loads(body), names.key, instead), {"tags"})
        connection.execute(update(Runs).where(Runs.c.run_id == run_id).values(run_body=json.dumps(rest)))
        for tag, value in rest.get("tags", {}).items():
            changed = update(RunTags).where(RunTags.c.run_id == run_id, RunTags.c.key == tag, RunTags.c.value != value)
            connection.execute(changed.values(value=value))


def _moved(data: Any, key: str, instead: Mapping[str, str]) -> Any:
    """JSON with other ends for ranges that began or ended with a key, and without the key in lists."""
    if isinstance(data, dict):
        return {
            name: instead[name] if each == key and name in instead else _moved(each, key, instead)
            for name, each in data.items()
        }
    if isinstance(data, list):
        return [_moved(each, key, instead) for each in data if each != key]
    return data


def _forget_in_ticks(connection: Connection, names: Names) -> None:
    found = connection.execute(select(Ticks.c.id, Ticks.c.tick_body).where(_may_name(Ticks.c.tick_body, names)))
    for chunk in _chunks([row[0] for row in found.fetchall() if names.are_in(row[1])]):
        connection.execute(delete(Ticks).where(Ticks.c.id.in_(chunk)))
    tables: list[tuple[Table, Column[str]]] = [
        (Instigators, Instigators.c.instigator_body),
        (Jobs, Jobs.c.job_body),
    ]
    for table, column in tables:
        for number, body in connection.execute(select(table.c.id, column).where(_may_name(column, names))).fetchall():
            rest = names.taken_out_of(json.loads(body), {"last_run_key", "cursor"})
            connection.execute(update(table).where(table.c.id == number).values({column: json.dumps(rest)}))


def _chunks(values: Sequence[object]) -> Iterator[list[object]]:
    for begin in range(0, len(values), _CHUNK):
        yield list(values[begin : begin + _CHUNK])
