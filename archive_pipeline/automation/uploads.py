"""The sensor on the upload folder: it opens nothing, and its memory is in the register of uploads."""

import hashlib
from collections.abc import Sequence

import dagster as dg

from archive_pipeline.automation.jobs import documents_job
from archive_pipeline.errors import NotReadable
from archive_pipeline.uploads.watch import Look, Taken
from assets.partitions import DOCUMENTS
from assets.ranges import range_tags, spans
from assets.uploads import uploads_materialization
from assets.versions import source_observation
from resources.archive import ArchiveResource


@dg.sensor(
    job=documents_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes what is uploaded as soon as it is quiet, and asks for runs.",
)
def upload_sensor(context: dg.SensorEvaluationContext, archive: ArchiveResource) -> dg.SensorResult | dg.SkipReason:
    """Look at the upload folder once."""
    try:
        found = archive.watcher().look(context.cursor)
    except NotReadable as error:
        return dg.SkipReason(f"The upload folder cannot be read: {error}")
    events: list[dg.AssetObservation | dg.AssetMaterialization] = [_observation(taken) for taken in found.taken]
    if found.taken or found.refused or found.gone or found.renamed:
        events.append(uploads_materialization(archive.register, archive.results_url, found.notes_problem))
    known = set(context.instance.get_dynamic_partitions(str(DOCUMENTS.name))) if found.taken else set()
    new = [str(taken.key) for taken in found.taken if taken.key not in known]
    requests = _requests(context.instance, found.taken, new, archive.batch)
    return dg.SensorResult(
        run_requests=requests,
        skip_reason=None if requests else dg.SkipReason(_nothing(found)),
        dynamic_partitions_requests=[DOCUMENTS.build_add_request(new)] if new else [],
        asset_events=events,
        cursor=found.token,
    )


def _observation(taken: Taken) -> dg.AssetObservation:
    path = str(taken.path).encode("utf-8", "backslashreplace").decode()
    metadata: dict[str, str | int] = {"path": path, "files": taken.files, "bytes": taken.size}
    return source_observation(taken.key, taken.fingerprint, metadata)


def _requests(
    instance: dg.DagsterInstance, taken: Sequence[Taken], new: Sequence[str], batch: int
) -> list[dg.RunRequest]:
    """A run for each group of neighbours: new documents are registered one after another, so they are neighbours."""
    versions = {str(each.key): each.fingerprint for each in taken}
    changed = versions.keys() - set(new)
    order = [*(instance.get_dynamic_partitions(str(DOCUMENTS.name)) if changed else []), *new]
    return [
        dg.RunRequest(run_key=_run_key([versions[key] for key in keys], keys), tags=range_tags(keys))
        for keys in spans(order, versions.keys(), batch)
    ]


def _run_key(versions: Sequence[str], keys: Sequence[str]) -> str:
    """Dagster remembers it for ever: it must be another one when the same documents have changed."""
    return f"upload:{keys[0]}:{hashlib.sha256('|'.join([*keys, *versions]).encode()).hexdigest()[:24]}"


def _nothing(found: Look) -> str:
    if found.waiting:
        return f"Nothing to take yet; {found.waiting} uploads are not quiet."
    return "Nothing new."
