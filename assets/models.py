"""The models as assets: one for each entry of the catalogue, with a check that it loads and reads.

Materialising one fetches it if it is not here, and verifies every byte of it; then its check has it read a page of the
demo in a sealed process. A model that a server holds is an asset without a step: there is nothing to fetch.
"""

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from archive_pipeline.errors import ArchiveError, ModelNotFetched, printable
from archive_pipeline.models.check import check_model
from archive_pipeline.models.entry import ModelEntry, Served
from archive_pipeline.models.fetch import fetch_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.processing.trial import try_model
from assets.metadata import plain_markdown
from assets.partitions import MODELS_POOL
from resources.models import ModelsResource

GROUP = "models"
# Ids have no capitals, so that each of these stands for one character alone: no two ids become one name.
_IN_KEYS = str.maketrans({".": "D"})
_IN_NAMES = str.maketrans({".": "D", "_": "U", "-": "_"})
_log = logging.getLogger(__name__)


class ModelConfig(dg.Config):
    """What a person says before a model is fetched."""

    agree_to_licence: bool = False


def model_key(entry: ModelEntry) -> dg.AssetKey:
    """Key of the asset of a catalogue entry."""
    return dg.AssetKey(["models", entry.id.translate(_IN_KEYS)])


def _spec(entry: ModelEntry) -> dg.AssetSpec:
    note = f"\n\n**Licence: {plain_markdown(entry.licence_note)}**" if entry.licence_note else ""
    metadata: dict[str, Any] = {
        "id": entry.id,
        "engine": entry.engine,
        "task": entry.task,
        "languages": ", ".join(entry.languages) or "any",
        "scripts": ", ".join(entry.scripts) or "any",
        "licence": entry.licence,
        "citation": entry.citation,
        "source": str(entry.source),
        "sha256": entry.digest or "pinned on first fetch",
    }
    if entry.size:
        metadata["bytes"] = entry.size
    return dg.AssetSpec(
        model_key(entry),
        group_name=GROUP,
        description=f"{plain_markdown(entry.good_for)} ({entry.task}){note}",
        metadata=metadata,
        kinds={entry.engine},
    )


def _asset(entry: ModelEntry) -> dg.AssetsDefinition:
    @dg.multi_asset(name=f"model_{_name(entry)}", specs=[_spec(entry)], pool=MODELS_POOL)
    def model(config: ModelConfig, models: ModelsResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            library = models.library
            if entry.licence_note and not config.agree_to_licence and not _is_here(library, entry):
                raise dg.Failure(
                    f"{entry.id} was not fetched: {entry.licence_note} If you agree, set agree_to_licence to true in "
                    "the launchpad's config and materialise it again.",
                    allow_retries=False,
                )
            fetched = fetch_model(library, entry, models.network, check=check_model, progress=_told)
            fetched.model.verify()
        except ArchiveError as error:
            raise dg.Failure(str(error), allow_retries=False) from None
        return dg.MaterializeResult(
            data_version=dg.DataVersion(fetched.model.digest),
            metadata={
                "bytes": sum(file.size for file in fetched.model.files),
                "sha256": fetched.model.digest,
                "licence": entry.licence,
                "fetched just now": fetched.new,
                "pinned just now": fetched.pinned,
                "folder": dg.MetadataValue.path(str(fetched.model.folder)),
            },
        )

    return model


def _check(entry: ModelEntry) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=model_key(entry),
        name="loads_and_reads",
        description="It loads here, and does its task on a page of the demo, whose text is known.",
        pool=MODELS_POOL,
    )
    def loads_and_reads(models: ModelsResource) -> dg.AssetCheckResult:
        try:
            installed = models.library.installed(entry.id)
            with tempfile.TemporaryDirectory(prefix="trial-") as scratch:
                trial = try_model(installed, Path(scratch), scripts=entry.scripts)
        except ArchiveError as error:
            return dg.AssetCheckResult(passed=False, metadata={"why": str(error)})
        metadata: dict[str, float | str | int] = {"seconds": round(trial.seconds, 1)}
        if trial.problem:
            metadata["why"] = trial.problem
        if trial.cer is not None:
            metadata |= {"read": trial.read, "on the page": trial.expected, "CER %": round(100 * trial.cer, 1)}
        if trial.found is not None:
            metadata |= {"lines on the page": trial.lines, "lines found": trial.found}
        return dg.AssetCheckResult(passed=trial.ok, metadata=metadata)

    return loads_and_reads


def _is_here(library: ModelLibrary, entry: ModelEntry) -> bool:
    try:
        library.install_state(entry)
    except ArchiveError:
        return False
    return True


def _told(name: str, done: int, size: int | None) -> None:
    if done == size:
        _log.info("%s: %.1f MB are here", printable(name), done / 1e6)


def _name(entry: ModelEntry) -> str:
    return entry.id.translate(_IN_NAMES)


def model_assets(library: ModelLibrary) -> Sequence[dg.AssetsDefinition | dg.AssetSpec]:
    """An asset for each entry of the catalogue."""
    return [_spec(entry) if isinstance(entry.source, Served) else _asset(entry) for entry in library.catalogue]


def model_checks(library: ModelLibrary) -> Sequence[dg.AssetChecksDefinition]:
    """A check for each entry that has a step."""
    return [_check(entry) for entry in library.catalogue if not isinstance(entry.source, Served)]


@dg.op(description="Read every byte of the models that are here.", pool=MODELS_POOL)
def verify_models(context: dg.OpExecutionContext, models: ModelsResource) -> None:
    """Verify all models that are here; what was never fetched is no fault."""
    problems, whole = [], []
    library = models.library
    for entry in library.catalogue:
        if isinstance(entry.source, Served):
            continue
        try:
            library.install_state(entry).verify()
            whole.append(entry.id)
        except ModelNotFetched:
            continue
        except ArchiveError as error:
            problems.append(str(error))
    context.log.info(f"{len(whole)} models are whole: {', '.join(whole)}")
    if problems:
        raise dg.Failure(" ".join(problems), allow_retries=False)


@dg.job(description="Verify every model that is here. Fetching one is materialising its asset.")
def models_job() -> None:
    """One step for all."""
    verify_models()
