"""The code location ``models``: composition only. Its run containers may write models and reach the network."""

import dagster as dg

from archive_pipeline.settings import Settings, read_settings
from assets.models import model_assets, models_job


def build(settings: Settings) -> dg.Definitions:
    """All definitions for one installation."""
    return dg.Definitions(
        assets=model_assets(settings.models_dir),
        jobs=[models_job],
        # The default starts a Python per step, and the imports cost seconds.
        executor=dg.in_process_executor,
    )


defs = build(read_settings())
