"""The models as assets: one for each entry of the catalogue."""

from collections.abc import Sequence

import dagster as dg

from archive_pipeline.errors import ArchiveError
from archive_pipeline.models.catalogue import ModelEntry, catalogue

GROUP = "models"


def model_key(entry: ModelEntry) -> dg.AssetKey:
    """Key of the asset of a catalogue entry."""
    return dg.AssetKey(["models", entry.id])


def _asset(entry: ModelEntry) -> dg.AssetsDefinition:
    @dg.asset(
        key=model_key(entry),
        group_name=GROUP,
        description=f"{entry.good_for} ({entry.task}, {entry.script})",
        metadata={"licence": entry.licence, "source": entry.source, "sha256": entry.sha256, "bytes": entry.size},
    )
    def model() -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            size = len(entry.read())
        except ArchiveError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            data_version=dg.DataVersion(entry.sha256), metadata={"bytes": size, "sha256": entry.sha256}
        )

    return model


def model_assets() -> Sequence[dg.AssetsDefinition]:
    """An asset for each entry; materialising it verifies the model's bytes."""
    return [_asset(entry) for entry in catalogue().values()]


models_job = dg.define_asset_job(
    "models_job", selection=dg.AssetSelection.groups(GROUP), description="Verify every model of the catalogue."
)
