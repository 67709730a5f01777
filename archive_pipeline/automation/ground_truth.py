"""The sensors of ground truth: one on its folder, which opens nothing, and one that makes hands known."""

import hashlib

import dagster as dg

from archive_pipeline.errors import ArchiveError, NotReadable
from archive_pipeline.training_sets.inbox import InboxLook, Offered
from archive_pipeline.uploads.register import UploadRegister
from assets.ground_truth import SET, folder_materialization
from assets.learning import LEARNING
from assets.partitions import HANDS, TRAINING_SETS
from resources.training import TrainingResource

LOOK_TAG = "archive/look"
PARTITION = "dagster/partition"

ground_truth_job = dg.define_asset_job(
    "ground_truth_job",
    selection=dg.AssetSelection.assets(SET),
    partitions_def=TRAINING_SETS,
    description="Take in a set of ground truth that was dropped.",
)

learning_job = dg.define_asset_job(
    "learning_job",
    selection=dg.AssetSelection.assets(*LEARNING),
    partitions_def=HANDS,
    # Whatever else waits in the queue goes first.
    tags={"dagster/priority": "-20"},
    description="Train a model for a hand, evaluate it, and promote it if it is proved better.",
)


@dg.sensor(
    job=ground_truth_job,
    minimum_interval_seconds=15,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Takes ground truth that is dropped as soon as it is quiet, and asks for runs.",
)
def ground_truth_sensor(
    context: dg.SensorEvaluationContext, training: TrainingResource
) -> dg.SensorResult | dg.SkipReason:
    """Look at the folder for ground truth once."""
    register = training.register
    try:
        found = training.inbox.look(context.cursor, _launched(context.instance, register, context.cursor))
    except NotReadable as error:
        return dg.SkipReason(f"The folder for ground truth cannot be read: {error}")
    news = found.offered or found.refused or found.gone
    names = [offered.name for offered in found.offered]
    return dg.SensorResult(
        run_requests=[_request(offered, found) for offered in found.offered],
        skip_reason=None if names else dg.SkipReason(_nothing(found)),
        dynamic_partitions_requests=[TRAINING_SETS.build_add_request(names)] if names else [],
        asset_events=[folder_materialization(register, found.notes_problem)] if news else [],
        cursor=found.token,
    )


@dg.sensor(
    job=learning_job,
    minimum_interval_seconds=600,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Makes known the hands in which people corrected pages, and sets that were stored by command. Starts "
    "nothing.",
)
def hands_sensor(context: dg.SensorEvaluationContext, training: TrainingResource) -> dg.SensorResult | dg.SkipReason:
    """Look through what people wrote once."""
    try:
        truths = training.truths
        sets = [name for name in truths.names() if truths.load(name) is not None]
        there = {TRAINING_SETS: sets, HANDS: sorted(training.hands())}
    except ArchiveError as error:
        return dg.SkipReason(f"The hands cannot be looked through: {error}")
    requests = []
    for partitions, keys in there.items():
        known = set(context.instance.get_dynamic_partitions(str(partitions.name)))
        if new := [key for key in keys if key not in known]:
            requests.append(partitions.build_add_request(new))
    return dg.SensorResult(
        skip_reason=dg.SkipReason("Nothing new." if not requests else "New hands or sets were made known."),
        dynamic_partitions_requests=requests,
    )


def _launched(instance: dg.DagsterInstance, register: UploadRegister, heard: str | None) -> set[tuple[str, str]]:
    """Tokens of looks and names of sets of which there are runs, though the look was not heard."""
    tokens = {upload.token for upload in register.in_state("asked") if upload.token != heard}
    return {
        (token, run.tags.get(PARTITION, ""))
        for token in tokens
        for run in instance.get_runs(dg.RunsFilter(tags={LOOK_TAG: token}))
        # One that was made and never handed over is no launched one: Dagster starts it when it is asked for again.
        if run.status != dg.DagsterRunStatus.NOT_STARTED
    }


def _request(offered: Offered, found: InboxLook) -> dg.RunRequest:
    # Dagster remembers it for ever: it must be another one whenever the set is to be taken in again.
    mark = hashlib.sha256(f"{offered.path}|{offered.version}|{offered.since}".encode("utf-8", "surrogateescape"))
    return dg.RunRequest(
        run_key=f"ground-truth:{offered.name}:{mark.hexdigest()[:24]}",
        # As a tag: with a key, Dagster wants it to be a partition already.
        tags={PARTITION: offered.name, LOOK_TAG: found.token},
    )


def _nothing(found: InboxLook) -> str:
    if found.waiting:
        return f"Nothing to take yet; {found.waiting} sets are not quiet."
    return "Nothing new."
