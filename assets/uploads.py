"""The upload folder as an asset: how many uploads there are in each state, and what was refused and why."""

from __future__ import annotations

from collections import Counter

import dagster as dg

from archive_pipeline.errors import printable
from archive_pipeline.uploads.register import Upload, UploadRegister
from archive_pipeline.uploads.watch import Look

UPLOADS = dg.AssetKey("uploads")
_MOST_ROWS = 200
_COLUMNS = dg.TableSchema(
    columns=[dg.TableColumn(name, "string") for name in ("upload", "reason", "what to do")],
)

uploads = dg.AssetSpec(
    UPLOADS,
    description="What lies in the upload folder. What was refused stands here with the reason, "
    "and is tried again when the file changes.",
    group_name="documents",
)


def uploads_materialization(register: UploadRegister, found: Look) -> dg.AssetMaterialization:
    """The event that shows the state of the upload folder."""
    everything = register.all().values()
    states = Counter(upload.state for upload in everything)
    refused = sorted((upload for upload in everything if upload.state == "refused"), key=lambda each: -each.since)
    metadata: dict[str, int | str | dg.TableMetadataValue] = {
        "documents": states["asked"] + states["taken"],
        "refused": states["refused"],
        "waiting until they are quiet": states["waiting"],
        "gone": states["gone"],
        "just taken": len(found.taken),
        "just renamed": len(found.renamed),
        "refused uploads": refused_table(refused),
    }
    if found.notes_problem:
        metadata["notes cannot be left"] = found.notes_problem
    return dg.AssetMaterialization(UPLOADS, metadata=metadata)


def refused_table(refused: list[Upload]) -> dg.TableMetadataValue:
    """The newest refusals."""
    records = [
        dg.TableRecord({"upload": printable(each.path), "reason": printable(each.reason), "what to do": each.remedy})
        for each in refused[:_MOST_ROWS]
    ]
    return dg.MetadataValue.table(records, _COLUMNS)
