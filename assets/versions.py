"""Data versions of documents, so that Dagster knows what is fresh and what is stale.

An asset event that a step logs itself (rather than returns) carries no version tags unless it brings them; without all
four, every asset is stale for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

CODE_VERSION = "1"
SOURCE = dg.AssetKey("source_document")

_DATA_VERSION = "dagster/data_version"
_CODE_VERSION = "dagster/code_version"


def source_observation(key: str, fingerprint: str, metadata: dict[str, str | int]) -> dg.AssetObservation:
    """The event that says which version of a source document lies in the archive."""
    return dg.AssetObservation(SOURCE, partition=key, tags={_DATA_VERSION: fingerprint}, metadata=metadata)


def observed_version(instance: dg.DagsterInstance, key: str) -> str | None:
    """The version of a source document that was reported last."""
    latest = _latest(instance, SOURCE, key)
    return latest[1] if latest else None


def version_tags(instance: dg.DagsterInstance, upstream: dg.AssetKey, key: str, data_version: str) -> dict[str, str]:
    """The tags of a materialization that was made from the newest version of its upstream asset."""
    tags = {_DATA_VERSION: data_version, _CODE_VERSION: CODE_VERSION}
    latest = _latest(instance, upstream, key)
    if latest is not None:
        name = upstream.to_user_string()
        tags[f"dagster/input_event_pointer/{name}"], tags[f"dagster/input_data_version/{name}"] = latest
    return tags


def confirm(context: dg.AssetExecutionContext, key: str, stages: Sequence[str]) -> None:
    """Say once more what was said last of a document that a run has passed over; no version changes by it.

    Of a run that fails Dagster takes every document of its range to have failed, unless the run says otherwise.
    """
    for stage in stages:
        wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(stage), asset_partitions=[key])
        for record in context.instance.fetch_materializations(wanted, limit=1).records:
            if (last := record.asset_materialization) is not None:
                context.log_event(last)


def _latest(instance: dg.DagsterInstance, asset: dg.AssetKey, key: str) -> tuple[str, str] | None:
    """Storage id and data version of the newest event of one partition."""
    wanted = dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[key])
    # The data version of an asset that is made elsewhere is read from its observations.
    fetch = instance.fetch_observations if asset == SOURCE else instance.fetch_materializations
    records = fetch(wanted, limit=1).records
    if not records:
        return None
    entry = records[0].event_log_entry
    event = entry.asset_observation if asset == SOURCE else entry.asset_materialization
    if event is None or not event.tags:
        return None
    return str(records[0].storage_id), event.tags.get(_DATA_VERSION, "")
