"""The model library as Dagster's assets see it: a thin adapter over ``archive_pipeline.models``."""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.network import Network
from archive_pipeline.settings import Settings


class ModelsResource(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Where models lie and come from. The fields are the settings of the same names; see ``docs/settings.md``."""

    models_dir: str
    offline: bool
    model_repo_url: str
    model_repo_oai_url: str
    hub_url: str

    @classmethod
    def from_settings(cls, settings: Settings) -> ModelsResource:
        return cls(
            models_dir=str(settings.models_dir),
            offline=settings.offline,
            model_repo_url=settings.model_repo_url,
            model_repo_oai_url=settings.model_repo_oai_url,
            hub_url=settings.hub_url,
        )

    @property
    def library(self) -> ModelLibrary:
        """As it is now: a model may have been imported since the code location was loaded."""
        return ModelLibrary(Path(self.models_dir))

    @property
    def network(self) -> Network:
        return Network(
            offline=self.offline, zenodo=self.model_repo_url, zenodo_oai=self.model_repo_oai_url, hub=self.hub_url
        )
