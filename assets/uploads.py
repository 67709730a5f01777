"""The upload folder as an asset: how many uploads there are in each state, and what was refused and why."""

from __future__ import annotations

from collections import Counter

import dagster as dg

from archive_pipeline.errors import printable
from archive_pipeline.uploads.register import Upload, UploadRegister

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


def uploads_materialization(
    register: UploadRegister, results: str | None = None, notes_problem: str = ""
) -> dg.AssetMaterialization:
    """The event that shows the state of the upload folder.

    Args:
        results: Web address of the list of documents, if there is one.
        notes_problem: Why notes cannot be left beside refused files.
    """
    everything = register.all().values()
    states = Counter(upload.state for upload in everything)
    refused = sorted((upload for upload in everything if upload.state == "refused"), key=lambda each: -each.since)
    metadata: dict[str, int | str | dg.TableMetadataValue | dg.UrlMetadataValue] = {
        "refused": states["refused"],
        "refused uploads": refused_table(refused),
        "documents": states["asked"] + states["taken"],
        "waiting until they are quiet": states["waiting"],
        "gone": states["gone"],
    }
    if results:
        metadata["results"] = dg.MetadataValue.url(results)
    if notes_problem:
        metadata["notes cannot be left"] = notes_problem
    return dg.AssetMaterialization(UPLOADS, metadata=metadata)


def refused_table(refused: list[Upload]) -> dg.TableMetadataValue:
    """The newest refusals."""
    records = [
        dg.TableRecord({"upload": printable(each.path), "reason": printable(each.reason), "what to do": each.remedy})
        for each in refused[:_MOST_ROWS]
    ]
    return dg.MetadataValue.table(records, _COLUMNS)
