"""The code location ``models``: composition only. Its run containers may write models and reach the network."""

import dagster as dg

from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import Settings, read_settings
from assets.models import model_assets, model_checks, models_job
from resources.models import ModelsResource


def build(settings: Settings) -> dg.Definitions:
    """All definitions for one installation."""
    library = ModelLibrary(settings.models_dir)
    return dg.Definitions(
        assets=model_assets(library),
        asset_checks=model_checks(library),
        jobs=[models_job],
        resources={"models": ModelsResource.from_settings(settings)},
        # The default starts a Python per step, and the imports cost seconds.
        executor=dg.in_process_executor,
    )


defs = build(read_settings())
