"""How a hand is learnt: four assets by hand, made by one step, from what people wrote to the model that reads it.

One step, as documents have (docs/adr/0003-one-step-per-run.md): what it has done when it fails is told. A training
starts when a person says so: it takes an hour and all cores.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from pydantic import Field

from archive_pipeline.errors import ArchiveError, UsageError, printable
from archive_pipeline.training.learning import Candidate, Figures
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training_sets.hands import HandTruth
from assets.metadata import shown_as_it_is
from assets.partitions import HANDS, MODELS_POOL
from resources.training import TrainingResource

GROUP = "training"
TRUTH, CANDIDATE, EVALUATION, PROMOTED = LEARNING = tuple(
    dg.AssetKey(name) for name in ("ground_truth", "candidate_model", "model_evaluation", "promoted_model")
)
DATA_VERSION = "dagster/data_version"
_DESCRIPTIONS = {
    TRUTH: "All that people wrote in one hand: the sets that were dropped, and the pages of the archive that they "
    "corrected.",
    CANDIDATE: "A model that was trained with it. It reads nothing before it is promoted.",
    EVALUATION: "How it reads pages of that hand that it was not trained with, beside the model in use.",
    PROMOTED: "The model that documents in that hand are read with. A candidate takes its place only if it is proved "
    "better.",
}
_UPSTREAM: dict[dg.AssetKey, dg.AssetKey] = {CANDIDATE: TRUTH, EVALUATION: CANDIDATE, PROMOTED: EVALUATION}


class LearningConfig(dg.Config):
    """How one training is to be, as a person sets it in the launchpad. What is left out is as in the settings."""

    minutes: float | None = Field(None, description="The training ends within these.")
    base: str | None = Field(None, description="Id of the recognition model to begin with, as in models/.")
    seed: int | None = Field(None, description="Of everything that is drawn; another one gives another candidate.")
    ngrams: int | None = Field(None, description="Characters by which the language of the hand is counted; 0 for none.")


@dg.multi_asset(
    name="learning",
    specs=[
        dg.AssetSpec(
            key,
            deps=[_UPSTREAM[key]] if key in _UPSTREAM else [],
            description=_DESCRIPTIONS[key],
            partitions_def=HANDS,
            group_name=GROUP,
        )
        for key in LEARNING
    ],
    can_subset=True,
    partitions_def=HANDS,
    pool=MODELS_POOL,
)
def learning(
    context: dg.AssetExecutionContext, config: LearningConfig, training: TrainingResource
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Learn one hand, as far as it is asked for."""
    key, wanted = context.partition_key, context.selected_asset_keys
    try:
        if TRUTH in wanted:
            found = training.of_hand(key)
            yield _result(TRUTH, found.digest, truth_metadata(found))
        else:
            # What was corrected since: a candidate must not pass for one of an earlier state.
            report_truth(context.instance, training, key)
        if len(wanted - {TRUTH}) == 0:
            return
        learner = training.learner(
            lambda at: _observe(context, key, at),
            base=config.base,
            minutes=config.minutes,
            seed=config.seed,
            ngrams=config.ngrams,
        )
        candidate: Candidate | None = None
        if CANDIDATE in wanted:
            candidate = learner.train(key, context.log.info)
            yield _result(CANDIDATE, candidate.digest, _candidate_metadata(candidate))
        else:
            candidate = learner.newest(key)
        if candidate is None:
            raise UsageError(f"there is no candidate for {key}", remedy="Materialise candidate_model first.")
        if EVALUATION in wanted:
            evaluated = learner.evaluate(key, candidate, context.log.info)
            yield _result(EVALUATION, evaluated.digest, {"model": candidate.model, **_shown(evaluated.figures)})
        if PROMOTED in wanted:
            decided = learner.promote(key, candidate, context.log.info)
            told = {
                "model": decided.model,
                "promoted": decided.promoted,
                "candidate": candidate.model,
                "reason": printable(decided.reason),
            }
            # The version is that of the model in use: one that is kept makes nothing stale.
            yield _result(PROMOTED, decided.model, {**told, **_shown(decided.figures)})
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None


def _observe(context: dg.AssetExecutionContext, key: str, at: Progress) -> None:
    """Each evaluation of a training is an observation, whose figures the UI draws as curves while it goes on."""
    figures: dict[str, Any] = {"step": at.step, "loss": float(at.loss), "minutes": round(at.seconds / 60, 1)}
    if at.cer is not None:
        figures["CER on the way, %"] = float(at.cer)
    context.log_event(dg.AssetObservation(CANDIDATE, partition=key, metadata=figures))


def report_truth(instance: dg.DagsterInstance, training: TrainingResource, key: str) -> None:
    """Make a hand known, and tell Dagster how much there is of it, if it does not know that yet.

    Raises:
        ArchiveError: Ground truth cannot be read.
    """
    if key not in training.hands():
        return  # a set was replaced by one in another hand
    instance.add_dynamic_partitions(str(HANDS.name), [key])
    found = training.of_hand(key)
    wanted = dg.AssetRecordsFilter(asset_key=TRUTH, asset_partitions=[key])
    records = instance.fetch_materializations(wanted, limit=1).records
    last = records[0].asset_materialization if records else None
    if last is None or (last.tags or {}).get(DATA_VERSION) != found.digest:
        event = dg.AssetMaterialization(
            TRUTH, partition=key, metadata=truth_metadata(found), tags={DATA_VERSION: found.digest}
        )
        instance.report_runless_asset_event(event)


def truth_metadata(found: HandTruth) -> dict[str, Any]:
    """What the UI shows of a hand."""
    return {
        "hand": printable(found.hand),
        "pages": found.pages,
        "lines": found.lines,
        "characters": found.characters,
        "pages corrected in the archive": found.from_corrections,
        "sets": ", ".join(found.sets) or "none",
        "licences": ", ".join(printable(each or "nobody said") for each in found.licences) or "of the archive itself",
    }


def _result(key: dg.AssetKey, version: str, metadata: dict[str, Any]) -> dg.MaterializeResult:  # type: ignore[type-arg]
    return dg.MaterializeResult(asset_key=key, data_version=dg.DataVersion(version), metadata=metadata)


def _candidate_metadata(candidate: Candidate) -> dict[str, Any]:
    card = {"model card": dg.MetadataValue.md(shown_as_it_is(candidate.card))} if candidate.card else {}
    return {"model": candidate.model, "sha256": candidate.digest, **_shown(candidate.figures)} | card


def _shown(figures: Figures) -> dict[str, Any]:
    return {name: printable(value) if isinstance(value, str) else value for name, value in figures.items()}
