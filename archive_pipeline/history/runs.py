"""Old runs: which may go without an asset losing what it shows, and how one goes.

To delete a run deletes its events, the newest materialization of a document too, if that run made it: the document
would look as if it had never been done. So a run stays as long as it has the newest event of any partition of any
asset, be it that it was made, seen, or was to be made (which is how a failure is known), or the newest result of a
check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
from dagster import DagsterEventType
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable as Checks
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable as Events
from dagster._core.storage.tags import BACKFILL_ID_TAG
from sqlalchemy import func, select

from archive_pipeline.history import storages
from archive_pipeline.history.logs import remove_logs

_SHOWN = (
    DagsterEventType.ASSET_MATERIALIZATION,
    DagsterEventType.ASSET_OBSERVATION,
    DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
)


@dataclass(frozen=True)
class Swept:
    """What a sweep of old runs did.

    Attributes:
        removed: Runs.
        kept: Old runs that stay because an asset shows what they did, or a backfill is not finished.
    """

    removed: int
    kept: int


def runs_that_show(instance: dg.DagsterInstance) -> set[str]:
    """Ids of runs with the newest event of any partition of any asset, or the newest result of a check."""
    # One question to the database, answered from its index; never one per partition.
    newest = (
        select(func.max(Events.c.id))
        .where(Events.c.asset_key.is_not(None), Events.c.dagster_event_type.in_([kind.value for kind in _SHOWN]))
        .group_by(Events.c.asset_key, Events.c.dagster_event_type, Events.c.partition)
    )
    checked = select(func.max(Checks.c.id)).group_by(Checks.c.asset_key, Checks.c.check_name, Checks.c.partition)
    with storages.events(instance) as connection:
        shown = connection.execute(select(Events.c.run_id).where(Events.c.id.in_(newest)).distinct())
        found = {row[0] for row in shown}
        found |= {row[0] for row in connection.execute(select(Checks.c.run_id).where(Checks.c.id.in_(checked)))}
    return found


def sweep_runs(instance: dg.DagsterInstance, before: float) -> Swept:
    """Delete runs that ended before a time and show nothing any more, with their events and logs.

    A kill leaves a run without events, which the next sweep deletes.

    Args:
        before: Seconds of the epoch.
    """
    ended = dg.RunsFilter(statuses=list(FINISHED_STATUSES), updated_before=datetime.fromtimestamp(before, UTC))
    old = instance.get_run_ids(filters=ended)
    # Asked after the list was made: what shows something by now stays.
    stay = runs_that_show(instance) | _of_open_backfills(instance)
    for run_id in old:
        if run_id not in stay:
            remove_run(instance, run_id)
    removed = sum(run_id not in stay for run_id in old)
    return Swept(removed, len(old) - removed)


def remove_run(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete a run with its events and logs; its record last, so that a kill leaves what can be found again."""
    remove_logs(instance, run_id)
    instance.event_log_storage.delete_events(run_id)
    instance.delete_run(run_id)
    sweep_shards(instance, [run_id])


def sweep_shards(instance: dg.DagsterInstance, run_ids: list[str] | None = None) -> tuple[int, int]:
    """Remove the SQLite files of runs that are gone, by default of all such.

    Returns:
        How many, and their bytes.
    """
    if run_ids is None:
        # The files first: a run that begins in between has its record before its file.
        files = {path.stem: path for path in storages.shards(instance)}
        gone = files.keys() - set(instance.get_run_ids())
        paths = [files[run_id] for run_id in sorted(gone)]
    else:
        paths = [path for run_id in run_ids if (path := storages.shard(instance, run_id)) is not None]
    return len(paths), sum(storages.remove_shard(path) for path in paths)


def _of_open_backfills(instance: dg.DagsterInstance) -> set[str]:
    open_ = [each.backfill_id for each in instance.get_backfills() if each.status not in BULK_ACTION_TERMINAL_STATUSES]
    return {
        run_id for backfill in open_ for run_id in instance.get_run_ids(dg.RunsFilter(tags={BACKFILL_ID_TAG: backfill}))
    }
