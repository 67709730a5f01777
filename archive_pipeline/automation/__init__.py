"""What runs by itself, and what runs at one click."""

from archive_pipeline.automation.ground_truth import (
    ground_truth_job,
    ground_truth_sensor,
    hands_sensor,
    learning_job,
)
from archive_pipeline.automation.jobs import documents_job
from archive_pipeline.automation.keeping import (
    fixity_job,
    fixity_schedule,
    housekeeping_job,
    housekeeping_schedule,
)
from archive_pipeline.automation.nights import night_schedule
from archive_pipeline.automation.report import report_job, report_schedule
from archive_pipeline.automation.uploads import upload_sensor

__all__ = [
    "documents_job",
    "fixity_job",
    "fixity_schedule",
    "ground_truth_job",
    "ground_truth_sensor",
    "hands_sensor",
    "housekeeping_job",
    "housekeeping_schedule",
    "learning_job",
    "night_schedule",
    "report_job",
    "report_schedule",
    "upload_sensor",
]
