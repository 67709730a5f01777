"""The daily report: it follows the night, so that people find it when they come in."""

import dagster as dg

from archive_pipeline.nights.hours import machine_zone
from assets.checks import document_checks
from assets.report import corpus_report

report_job = dg.define_asset_job(
    "report_job",
    selection=dg.AssetSelection.assets(corpus_report) | dg.AssetSelection.checks(document_checks),
    description="Look at what has changed in the archive, and sum it up.",
)


def report_schedule(zone: str | None) -> dg.ScheduleDefinition:
    """Every morning at half past six.

    Args:
        zone: By which clock, such as ``Europe/Paris``; None for that of this machine.
    """
    return dg.ScheduleDefinition(
        name="report_schedule",
        job=report_job,
        cron_schedule="30 6 * * *",
        execution_timezone=zone or machine_zone(),
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every morning after the night.",
    )
