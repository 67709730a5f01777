"""The sensor on the upload folder: it opens nothing, and its memory is in the register of uploads."""

import hashlib
from collections.abc import Sequence

import dagster as dg

from archive_pipeline.automation.jobs import documents_job
from archive_pipeline.errors import NotReadable
from archive_pipeline.uploads.register import UploadRegister
from archive_pipeline.uploads.watch import Look, Taken
from assets.partitions import DOCUMENTS
from assets.ranges import RANGE_END, RANGE_START, range_tags, spans
from assets.uploads import uploads_materialization
from assets.versions import source_observation
from resources.archive import ArchiveResource

LOOK_TAG = "archive/look"
"""Of a run: the token of the look that asked for it."""


@dg.sensor(
    job=documents_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes what is uploaded as soon as it is quiet, and asks for runs.",
)
def upload_sensor(context: dg.SensorEvaluationContext, archive: ArchiveResource) -> dg.SensorResult | dg.SkipReason:
    """Look at the upload folder once."""
    try:
        found = archive.watcher().look(
            context.cursor,
            announce=lambda taken: context.instance.report_runless_asset_event(_observation(taken)),
            launched=_launched(context.instance, archive.register, context.cursor),
        )
    except NotReadable as error:
        return dg.SkipReason(f"The upload folder cannot be read: {error}")
    events = []
    if found.taken or found.refused or found.gone or found.renamed:
        events.append(uploads_materialization(archive.register, archive.results_url, found.notes_problem))
    # Asked for each: to list all takes longer where there are very many.
    new = [
        str(taken.key)
        for taken in found.taken
        if not context.instance.has_dynamic_partition(str(DOCUMENTS.name), str(taken.key))
    ]
    requests = _requests(context.instance, found, new, archive.batch)
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


def _launched(instance: dg.DagsterInstance, register: UploadRegister, heard: str | None) -> set[tuple[str, str]]:
    """Tokens of looks and keys of documents of which there are runs, though the look was not heard.

    The daemon may be killed after it has launched them; to ask again for others beside them would do them twice.
    """
    tokens = {upload.token for upload in register.in_state("asked") if upload.token != heard}
    order = instance.get_dynamic_partitions(str(DOCUMENTS.name)) if tokens else []
    place = {key: number for number, key in enumerate(order)}
    return {
        (token, key)
        for token in tokens
        for run in instance.get_runs(dg.RunsFilter(tags={LOOK_TAG: token}))
        # One that was made and never handed over is no launched one: Dagster starts it when it is asked for again.
        if run.status != dg.DagsterRunStatus.NOT_STARTED
        # A document may have been forgotten since, or a person have run it once more by itself.
        and (first := place.get(run.tags.get(RANGE_START, ""))) is not None
        for key in order[first : place.get(run.tags.get(RANGE_END, ""), first) + 1]
    }


def _requests(instance: dg.DagsterInstance, found: Look, new: Sequence[str], batch: int) -> list[dg.RunRequest]:
    """A run for each group of neighbours: new documents are registered one after another, so they are neighbours."""
    versions = {str(each.key): f"{each.fingerprint} {each.since}" for each in found.taken}
    changed = versions.keys() - set(new)
    order = [*(instance.get_dynamic_partitions(str(DOCUMENTS.name)) if changed else []), *new]
    return [
        dg.RunRequest(
            run_key=_run_key([versions[key] for key in keys], keys), tags={**range_tags(keys), LOOK_TAG: found.token}
        )
        for keys in spans(order, versions.keys(), batch)
    ]


def _run_key(versions: Sequence[str], keys: Sequence[str]) -> str:
    """Dagster remembers it for ever: it must be another one when the same documents have changed."""
    return f"upload:{keys[0]}:{hashlib.sha256('|'.join([*keys, *versions]).encode()).hexdigest()[:24]}"


def _nothing(found: Look) -> str:
    if found.waiting:
        return f"Nothing to take yet; {found.waiting} uploads are not quiet."
    return "Nothing new."
