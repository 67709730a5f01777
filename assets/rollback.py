"""Going back to the model that read a hand before: one click, with what reads it now shown at once."""

from typing import Any

import dagster as dg
from pydantic import Field

from archive_pipeline.errors import ArchiveError, printable
from assets.learning import DATA_VERSION, PROMOTED
from assets.partitions import HANDS
from resources.training import TrainingResource


class RollbackConfig(dg.Config):
    """What a person may say to it."""

    reason: str = Field("", description="Why, in a sentence; it is kept with the hand's history.")


# In no pool: it takes a second, and must not wait for a training of an hour.
@dg.op(description="Have the model before, or the general one, read a hand again.")
def roll_back(context: dg.OpExecutionContext, config: RollbackConfig, training: TrainingResource) -> None:
    """Go back once."""
    key = context.partition_key
    try:
        done = training.roll_back(key, config.reason)
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    context.log.info(f"The hand {printable(done.hand)} is read by {done.model} from now on, not by {done.left}.")
    told: dict[str, Any] = {
        "model": done.model,
        "promoted": False,
        "candidate": done.left,
        "reason": f"Somebody went back on {done.left}. {printable(config.reason)}".rstrip(),
    }
    context.log_event(dg.AssetMaterialization(PROMOTED, partition=key, metadata=told, tags={DATA_VERSION: done.model}))


@dg.job(
    partitions_def=HANDS,
    # Before whatever else waits.
    tags={"dagster/priority": "10"},
    description="Go back to the model that read a hand before. Nothing is lost: the model stays, and so does the "
    "history. Its documents are read anew in the next night.",
)
def rollback_job() -> None:
    """One step."""
    roll_back()
