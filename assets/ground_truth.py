"""Ground truth as assets: what lies in its folder, and every set that was taken in, with what the doctor found.

Sets are known by their names, hands by theirs: a set has one hand, and a hand can have several sets and corrected pages
of the archive besides. So what is trained with is an asset of its own (:mod:`assets.learning`), by hand.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg
from pydantic import Field

from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.hand_names import hand_key
from archive_pipeline.training_sets.doctor.findings import Finding
from archive_pipeline.training_sets.importing import Imported
from archive_pipeline.training_sets.stored import TruthSet
from archive_pipeline.uploads.register import UploadRegister
from assets.learning import GROUP, report_truth
from assets.partitions import MODELS_POOL, TRAINING_SETS
from assets.uploads import refused_table
from resources.training import TrainingResource

FOLDER = dg.AssetKey("ground_truth_folder")
SET = dg.AssetKey("ground_truth_set")
_MOST_ROWS = 200
_FINDINGS = dg.TableSchema(
    columns=[
        dg.TableColumn(name, "string") for name in ("set", "file", "row", "line", "severity", "finding", "what to do")
    ]
)
_LEFT_OUT = dg.TableSchema(columns=[dg.TableColumn(name, "string") for name in ("file", "reason")])

ground_truth_folder = dg.AssetSpec(
    FOLDER,
    description="What lies in the folder for ground truth. What was refused stands here with the reason, "
    "and is tried again when it changes.",
    group_name=GROUP,
)


class SetConfig(dg.Config):
    """Options of one run."""

    replace: bool = Field(False, description="Let it take the place of a set of its name that was stored by command.")


@dg.multi_asset(
    name="ground_truth_set",
    specs=[
        dg.AssetSpec(
            SET,
            description="A set of transcriptions as it was dropped: looked over, and stored. The same again changes "
            "nothing.",
            partitions_def=TRAINING_SETS,
            group_name=GROUP,
        )
    ],
    check_specs=[
        dg.AssetCheckSpec(
            "doctor",
            asset=SET,
            description="No set has an error, which keeps a line or page out of trainings, or a warning, which wants "
            "a look.",
        )
    ],
    partitions_def=TRAINING_SETS,
    pool=MODELS_POOL,
)
def ground_truth_set(
    context: dg.AssetExecutionContext, config: SetConfig, training: TrainingResource
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
    """Take one set in."""
    name = context.partition_key
    try:
        before = training.truths.load(name)
        done = training.take_in(name, replace=config.replace)
        yield dg.MaterializeResult(
            asset_key=SET, metadata=_metadata(done), data_version=dg.DataVersion(done.truth.digest)
        )
        yield _doctor(_all(training))
        for writer in dict.fromkeys(truth.writer for truth in (before, done.truth) if truth is not None):
            report_truth(context.instance, training, hand_key(writer))
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    finally:
        _tell_of_folder(context, training)


def _tell_of_folder(context: dg.AssetExecutionContext, training: TrainingResource) -> None:
    try:
        context.instance.report_runless_asset_event(folder_materialization(training.register))
    except ArchiveError as error:
        context.log.error(f"How the folder for ground truth stands cannot be told: {error}")


def folder_materialization(register: UploadRegister, notes_problem: str = "") -> dg.AssetMaterialization:
    """The event that shows how the folder for ground truth stands.

    Args:
        notes_problem: Why notes cannot be left beside what is refused.
    """
    states = register.counts()
    refused = sorted(register.in_state("refused"), key=lambda each: -each.since)
    metadata: dict[str, Any] = {
        "refused": states["refused"],
        "refused ground truth": refused_table(refused),
        "taken": states["asked"] + states["taken"],
        "waiting until it is quiet": states["waiting"],
        "gone": states["gone"],
    }
    if notes_problem:
        metadata["notes cannot be left"] = notes_problem
    return dg.AssetMaterialization(FOLDER, metadata=metadata)


def _all(training: TrainingResource) -> list[TruthSet]:
    truths = training.truths
    return [truth for name in truths.names() if (truth := truths.load(name)) is not None]


def _metadata(done: Imported) -> dict[str, Any]:
    truth, hand = done.truth, done.truth.hand
    unfit = sum(len(page.skip) for page in truth.pages)
    found: dict[str, Any] = {
        "hand": printable(truth.writer),
        "pages": len(truth.pages),
        "lines": truth.lines,
        "characters": truth.characters,
        "lines unfit to train with": unfit,
        "licence": printable(hand.licence or "nobody said"),
        "changed": done.changed,
        "came as": printable(truth.origin),
    }
    for name in ("script", "language", "period"):
        if value := getattr(hand, name):
            found[name] = printable(value)
    if truth.findings:
        found["findings"] = _findings([(truth.name, each) for each in truth.findings])
    if truth.left_out:
        rows = [
            dg.TableRecord({"file": printable(file), "reason": printable(reason)})
            for file, reason in list(truth.left_out.items())[:_MOST_ROWS]
        ]
        found["pages left out"] = dg.MetadataValue.table(rows, _LEFT_OUT)
    return found


def _findings(found: Sequence[tuple[str, Finding]]) -> dg.TableMetadataValue:
    worst = sorted(found, key=lambda each: each[1].severity != "error")
    rows = [
        dg.TableRecord(
            {
                "set": name,
                "file": printable(each.file),
                "row": str(each.row or ""),
                "line": printable(each.line),
                "severity": each.severity,
                "finding": f"{each.code}: {printable(each.what)}"[:300],
                "what to do": each.remedy,
            }
        )
        for name, each in worst[:_MOST_ROWS]
    ]
    return dg.MetadataValue.table(rows, _FINDINGS)


def _doctor(sets: Sequence[TruthSet]) -> dg.AssetCheckResult:
    """Of all sets: an evaluation of one alone would hide what is wrong with the one before."""
    found = [(truth.name, each) for truth in sets for each in truth.findings]
    errors = {name for name, each in found if each.severity == "error"}
    if not found:
        return dg.AssetCheckResult(asset_key=SET, check_name="doctor", passed=True, description=f"{len(sets)} sets.")
    names = dict.fromkeys(name for name, _ in found)
    told = ", ".join(list(names)[:5]) + (" and more" if len(names) > 5 else "")
    return dg.AssetCheckResult(
        asset_key=SET,
        check_name="doctor",
        passed=False,
        severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
        description=f"{len(found)} findings in {len(names)} of {len(sets)} sets: {told}.",
        metadata={
            "errors": sum(each.severity == "error" for _, each in found),
            "warnings": sum(each.severity == "warning" for _, each in found),
            "findings": _findings(found),
        },
    )
