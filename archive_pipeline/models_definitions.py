"""The code location ``models``: composition only. Its run containers may write models and reach the network."""

import dagster as dg

from assets.models import model_assets, models_job

defs = dg.Definitions(
    assets=model_assets(),
    jobs=[models_job],
    # The default starts a Python per step, and the imports cost seconds.
    executor=dg.in_process_executor,
)
