"""The code location: composition only."""

import dagster as dg

from archive_pipeline.automation import (
    documents_job,
    fixity_job,
    fixity_schedule,
    housekeeping_job,
    housekeeping_schedule,
    night_schedule,
    report_job,
    report_schedule,
    upload_sensor,
)
from archive_pipeline.nights.hours import Hours
from archive_pipeline.settings import Settings, read_settings
from assets.checks import document_checks
from assets.documents import documents, source_document
from assets.fixity import fixity
from assets.report import corpus_report
from assets.uploads import uploads
from resources.archive import ArchiveResource
from resources.fixed import fixed


def build(settings: Settings) -> dg.Definitions:
    """All definitions for one installation."""
    hours = Hours.of(settings.night, settings.night_end, settings.timezone)
    return dg.Definitions(
        assets=[source_document, documents, uploads, fixity, corpus_report],
        asset_checks=[document_checks],
        jobs=[documents_job, fixity_job, housekeeping_job, report_job],
        schedules=[
            fixity_schedule,
            housekeeping_schedule,
            report_schedule(settings.timezone),
            *([night_schedule(hours)] if hours else []),
        ],
        sensors=[upload_sensor],
        resources={"archive": fixed(ArchiveResource.from_settings(settings))},
        # The default starts a Python per step, and the imports cost seconds.
        executor=dg.in_process_executor,
    )


defs = build(read_settings())
