"""Jobs: what runs by itself or at one click."""

import dagster as dg

from archive_pipeline.processing.options import STAGES
from assets.partitions import DOCUMENTS

documents_job = dg.define_asset_job(
    "documents_job",
    selection=dg.AssetSelection.assets(*STAGES),
    partitions_def=DOCUMENTS,
    description="Take documents from their scan to searchable exports.",
)
