"""Housekeeping and fixity, every night: what is old goes, and what is stored is looked at."""

import time
from collections import Counter

import dagster as dg

from archive_pipeline.errors import ArchiveError
from archive_pipeline.history.logs import sweep_logs
from archive_pipeline.history.runs import sweep_runs, sweep_shards
from archive_pipeline.keeping.forgetting import unfinished
from archive_pipeline.keeping.garbage import collect
from assets.fixity import FIXITY
from assets.partitions import DOCUMENTS_POOL
from resources.archive import ArchiveResource

_DAY = 86_400.0
# Between what a person starts (0) and what a night works off: short, or in nobody's way.
_PRIORITY = {"dagster/priority": "-1"}


@dg.op(
    description="Delete old runs that show nothing any more, old logs, and what kills have left in the store.",
    pool=DOCUMENTS_POOL,
)
def keep_house(context: dg.OpExecutionContext, archive: ArchiveResource) -> None:
    """Sweep once; whatever is swept twice does no harm."""
    before = time.time() - archive.keep_days * _DAY
    try:
        runs = sweep_runs(context.instance, before)
        logs, log_bytes = sweep_logs(context.instance, before)
        files, file_bytes = sweep_shards(context.instance)
        garbage = list(collect(archive.store, archive.uploads, remove=True, keep_days=archive.keep_days))
        begun = unfinished(archive.store)
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    kinds = Counter(each.kind for each in garbage)
    if begun:
        context.log.warning(
            f"These documents were to be forgotten, and something is left of them: {', '.join(begun)}. "
            "Run archive-pipeline store forget with their keys again."
        )
    context.add_output_metadata(
        {
            "runs deleted": runs.removed,
            "old runs kept for what they show": runs.kept,
            "logs removed": logs,
            "event files of deleted runs removed": files,
            "leftovers in the store": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none",
            "bytes freed": log_bytes + file_bytes + sum(each.size for each in garbage),
            "forgetting not finished": ", ".join(begun) or "none",
        }
    )


@dg.job(
    description="Delete old runs that show nothing any more, old logs, and what kills have left in the store.",
    tags=_PRIORITY,
)
def housekeeping_job() -> None:
    """One step."""
    keep_house()


fixity_job = dg.define_asset_job(
    "fixity_job",
    selection=dg.AssetSelection.assets(FIXITY),
    tags=_PRIORITY,
    description="Verify those documents whose turn it is.",
)

housekeeping_schedule = dg.ScheduleDefinition(
    name="housekeeping_schedule",
    job=housekeeping_job,
    cron_schedule="15 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night.",
)

fixity_schedule = dg.ScheduleDefinition(
    name="fixity_schedule",
    job=fixity_job,
    cron_schedule="30 4 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night a part of the documents, in turn.",
)
