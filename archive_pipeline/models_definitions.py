"""The code location ``models``: composition only. Its run containers may write models and reach the network."""

import dagster as dg

from archive_pipeline.automation import ground_truth_job, ground_truth_sensor, hands_sensor, learning_job
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.settings import Settings, read_settings
from assets.ground_truth import ground_truth_folder, ground_truth_set
from assets.learning import learning
from assets.models import model_assets, model_checks, models_job
from assets.rollback import rollback_job
from resources.fixed import fixed
from resources.models import ModelsResource
from resources.training import TrainingResource


def build(settings: Settings) -> dg.Definitions:
    """All definitions for one installation."""
    library = ModelLibrary(settings.models_dir)
    return dg.Definitions(
        assets=[*model_assets(library), ground_truth_folder, ground_truth_set, learning],
        asset_checks=model_checks(library),
        jobs=[models_job, ground_truth_job, learning_job, rollback_job],
        sensors=[ground_truth_sensor, hands_sensor],
        resources={
            "models": ModelsResource.from_settings(settings),
            "training": fixed(TrainingResource.from_settings(settings)),
        },
        # The default starts a Python per step, and the imports cost seconds.
        executor=dg.in_process_executor,
    )


defs = build(read_settings())
