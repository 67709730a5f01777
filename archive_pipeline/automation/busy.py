"""Which documents somebody is working at, or has asked for: no night takes them, too."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from assets.ranges import RANGE_END, RANGE_START

PARTITION = "dagster/partition"
NIGHT = "archive/night"
SECONDS = "archive/seconds"
"""Tags of a night's runs: which night, and how long it is expected to take."""
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def unfinished_runs(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Runs that are in the queue or under way."""
    return instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))


def keys_of_runs(runs: Sequence[dg.DagsterRun], order: Sequence[str]) -> set[str]:
    """The documents of runs.

    Args:
        order: All partition keys in the order of registration.
    """
    places = {key: place for place, key in enumerate(order)}
    return {key for run in runs for key in _keys_of(run, order, places)}


def keys_of_backfills(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> set[str]:
    """The documents of backfills that a person has begun and that have not ended: not all of their runs are there."""
    waiting = instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED]))
    found: set[str] = set()
    for backfill in waiting:
        if backfill.is_asset_backfill:
            asked = backfill.get_asset_backfill_data(repository.asset_graph).target_subset.iterate_asset_partitions()
            found.update(each.partition_key for each in asked if each.partition_key is not None)
        else:
            found.update(backfill.partition_names or ())
    return found


def _keys_of(run: dg.DagsterRun, order: Sequence[str], places: Mapping[str, int]) -> Iterator[str]:
    only = _only(run.run_config)
    if only is not None:
        yield from only
    elif PARTITION in run.tags:
        yield run.tags[PARTITION]
    elif (first := places.get(run.tags.get(RANGE_START, ""))) is not None:
        # A range whose end is not there any more is taken to be its beginning.
        yield from order[first : places.get(run.tags.get(RANGE_END, ""), first) + 1]


def _only(config: Mapping[str, Any]) -> Collection[str] | None:
    """The documents that a night's run is for, of those in its range."""
    try:
        found = config["ops"]["documents"]["config"]["only"]
    except (KeyError, TypeError):
        return None
    return found if isinstance(found, list) else None
