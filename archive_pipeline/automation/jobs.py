"""Jobs: what runs by itself or at one click."""

import dagster as dg

from archive_pipeline.processing.options import STAGES
from assets.partitions import DOCUMENTS

documents_job = dg.define_asset_job(
    "documents_job",
    # The step itself logs the evaluations of the checks: theirs cannot run behind one that yields nothing.
    selection=dg.AssetSelection.assets(*STAGES) - dg.AssetSelection.all_asset_checks(),
    partitions_def=DOCUMENTS,
    description="Take documents from their scan to searchable exports.",
)
