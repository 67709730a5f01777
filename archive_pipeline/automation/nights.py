"""The nightly schedule: it looks every half hour of the night at what is to be done, and asks for as much as fits."""

import hashlib
import time
from collections.abc import Sequence

import dagster as dg

from archive_pipeline.automation.busy import (
    NIGHT,
    SECONDS,
    keys_of_backfills,
    keys_of_runs,
    unfinished_runs,
)
from archive_pipeline.automation.jobs import documents_job
from archive_pipeline.errors import ArchiveError
from archive_pipeline.nights.batches import Batch
from archive_pipeline.nights.hours import Hours, Night
from archive_pipeline.nights.tonight import Tonight, ask, plan_tonight
from assets.partitions import DOCUMENTS
from assets.ranges import range_tags
from resources.archive import ArchiveResource

PRIORITY = {"dagster/priority": "-10"}
"""Whatever a person or the upload sensor asks for goes first."""


def night_schedule(hours: Hours) -> dg.ScheduleDefinition:
    """The schedule for these hours."""

    @dg.schedule(
        name="night_schedule",
        job=documents_job,
        cron_schedule=hours.cron(),
        execution_timezone=hours.zone.key,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="By night, does what is missing, stale, or failed for a reason that may pass; of most value first.",
    )
    def night(
        context: dg.ScheduleEvaluationContext, archive: ArchiveResource
    ) -> Sequence[dg.RunRequest] | dg.SkipReason:
        return _look(context, archive, hours)

    return night


def request(batch: Batch, night: Night, hours: Hours) -> dg.RunRequest:
    """The run for a batch of a night."""
    mark = hashlib.sha256("|".join(batch.keys).encode()).hexdigest()[:24]
    return dg.RunRequest(
        run_key=f"night:{night.name}:{batch.keys[0]}:{mark}",
        run_config=config_of(batch, night, hours),
        tags=tags_of(batch, night),
    )


def config_of(batch: Batch, night: Night, hours: Hours) -> dict[str, object]:
    """The config of its run: which documents of the range, and until when."""
    options = {"only": list(batch.keys), "until": hours.iso(night.ends)}
    return {"ops": {"documents": {"config": options}}}


def tags_of(batch: Batch, night: Night) -> dict[str, str]:
    """The tags of its run."""
    return {**range_tags(batch.keys), **PRIORITY, NIGHT: night.name, SECONDS: str(round(batch.seconds))}


def _look(
    context: dg.ScheduleEvaluationContext, archive: ArchiveResource, hours: Hours
) -> Sequence[dg.RunRequest] | dg.SkipReason:
    # Not the hour that the tick is for: where the machine was off then, it comes late.
    now = time.time()
    night = hours.night_at(now)
    runs = unfinished_runs(context.instance)
    cancelled = _cancel_late(context.instance, runs, night)
    if night is None:
        return dg.SkipReason(f"The night has ended.{f' {cancelled} runs were not begun.' if cancelled else ''}")
    order = context.instance.get_dynamic_partitions(str(DOCUMENTS.name))
    busy = keys_of_runs(runs, order)
    if context.repository_def is not None:
        busy |= keys_of_backfills(context.instance, context.repository_def)
    try:
        tonight = plan_tonight(
            order, archive.store, archive.options(), archive.batch, busy=busy, since=night.began, now=now
        )
    except ArchiveError as error:
        return dg.SkipReason(f"Nothing can be planned: {error}")
    asked = sum(float(run.tags.get(SECONDS, 0)) for run in runs if run.tags.get(NIGHT) == night.name)
    found = list(ask(tonight.batches, night.ends - now, asked, night.seconds))
    said = sentence(tonight, found, hours.said(night.ends))
    context.log.info(said)
    return [request(batch, night, hours) for batch in found] if found else dg.SkipReason(said)


def _cancel_late(instance: dg.DagsterInstance, runs: Sequence[dg.DagsterRun], night: Night | None) -> int:
    """Take out of the queue what was asked for by a night that is over: the next one plans anew.

    What leaves the queue for a container in the same moment does nothing there: its config says until when it may.
    """
    cancelled = 0
    for run in runs:
        if NIGHT not in run.tags or (night is not None and run.tags[NIGHT] == night.name):
            continue
        # Not through the run coordinator: of a run that has just begun it would ask the launcher, which is not here.
        now = instance.get_run_by_id(run.run_id)
        if now is not None and now.status == dg.DagsterRunStatus.QUEUED:
            instance.report_run_canceling(
                now, message="The night that asked for it has ended; the next one plans anew."
            )
            instance.report_run_canceled(now)
            cancelled += 1
    return cancelled


def sentence(tonight: Tonight, found: Sequence[Batch], until: str) -> str:
    """What a look has found, on one line."""
    asked = sum(len(batch.keys) for batch in found)
    words = f"{len(tonight.plan)} of {tonight.documents} documents are worth a run"
    words += f", {tonight.busy} are under way or asked for" if tonight.busy else ""
    words += f", {len(tonight.given_up)} have ended their run three times" if tonight.given_up else ""
    words += f", {tonight.unseen} could not be looked at in time" if tonight.unseen else ""
    return f"{words}; {asked} are asked for now in {len(found)} runs. The night ends at {until}."
