"""The models as assets: one for each entry of the catalogue."""

from collections.abc import Sequence
from pathlib import Path

import dagster as dg

from archive_pipeline.errors import ArchiveError
from archive_pipeline.models.entry import ModelEntry
from archive_pipeline.models.library import ModelLibrary

GROUP = "models"


def model_key(entry: ModelEntry) -> dg.AssetKey:
    """Key of the asset of a catalogue entry."""
    return dg.AssetKey(["models", entry.id])


def _asset(entry: ModelEntry, models_dir: Path) -> dg.AssetsDefinition:
    @dg.asset(
        key=model_key(entry),
        group_name=GROUP,
        description=f"{entry.good_for} ({entry.task})",
        metadata={"licence": entry.licence, "source": str(entry.source), "citation": entry.citation},
    )
    def model() -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            installed = ModelLibrary(models_dir).installed(entry.id)
            installed.verify()
        except ArchiveError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            data_version=dg.DataVersion(installed.digest),
            metadata={"bytes": sum(file.size for file in installed.files), "sha256": installed.digest},
        )

    return model


def model_assets(models_dir: Path) -> Sequence[dg.AssetsDefinition]:
    """An asset for each entry; materialising it verifies the model's bytes."""
    return [_asset(entry, models_dir) for entry in ModelLibrary(models_dir).catalogue]


models_job = dg.define_asset_job(
    "models_job", selection=dg.AssetSelection.groups(GROUP), description="Verify every model of the catalogue."
)
