"""A document's way from scan to exports: four assets, made by one step.

Chained partitioned assets in one run lose the whole batch when one document fails in a stage. So one subsettable step
loops over documents, logs a materialization for every document and stage that is done, and raises one failure that
names the documents which are not. See docs/adr/0003-one-step-per-run.md.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg
from pydantic import Field

from archive_pipeline.durable import read_json
from archive_pipeline.errors import ArchiveError, ChildNotStarted, DocumentFailed, DocumentRefused, StorageError
from archive_pipeline.intake import outside
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.options import STAGES, Stage
from archive_pipeline.processing.processor import Processor
from archive_pipeline.processing.results import StageResult
from assets.checks import look_at
from assets.metadata import exports_metadata, plain_markdown, stage_metadata
from assets.partitions import DOCUMENTS, DOCUMENTS_POOL
from assets.turns import Turns
from assets.uploads import uploads_materialization
from assets.versions import CODE_VERSION, SOURCE, confirm, observed_version, source_observation, version_tags
from resources.archive import ArchiveResource

_log = logging.getLogger(__name__)
_PATIENCE = 90.0
"""Seconds that a run which nobody watches waits for a document: another one may still be finishing its pages."""
_MOST_TOLD = 10

UPSTREAM: dict[Stage, dg.AssetKey] = {
    "page_images": SOURCE,
    "page_layouts": dg.AssetKey("page_images"),
    "page_transcriptions": dg.AssetKey("page_layouts"),
    "document_exports": dg.AssetKey("page_transcriptions"),
}
_DESCRIPTIONS: dict[Stage, str] = {
    "page_images": "What the scanner made: one upright image a page, at its own resolution.",
    "page_layouts": "Regions and lines of each page, in reading order.",
    "page_transcriptions": "The text of each line, with words and confidences.",
    "document_exports": "What people take away: searchable PDF, reading view, PAGE, ALTO, hOCR, METS, IIIF, text.",
}

source_document = dg.AssetSpec(
    SOURCE,
    description="A scan as it was uploaded: a PDF, an image, or a folder of page images.",
    partitions_def=DOCUMENTS,
    group_name="documents",
)


class DocumentsConfig(dg.Config):
    """Options for one run; what is left out is as the document's own files or the settings say."""

    engine: str | None = Field(None, description="How lines are found: ppocr (print, type), kraken (hands) or surya.")
    segmentation_model: str | None = Field(None, description="Id of the model that finds lines, as in models/.")
    recognition_model: str | None = Field(None, description="Id of the model that reads lines, as in models/.")
    language: str | None = Field(None, description="Of the text, such as de, fr-CA or lat.")
    direction: str | None = Field(None, description="In which the text runs: ltr, rtl or ttb.")
    born_digital: str | None = Field(None, description="Pages of a PDF that have text: keep it, or redo them.")
    duplicates: str | None = Field(None, description="A document that has the bytes of another: refuse or make it.")
    pages: str | None = Field(None, description="Only these, such as 1-3,7.")
    spelling: list[str] | None = Field(None, description="Languages whose word lists propose other spellings.")
    formats: list[str] | None = Field(None, description="Exports to make, such as [pdf, alto, tei].")
    reuse: bool = Field(True, description="Take what was made from the same before; false has all done anew.")
    only: list[str] | None = Field(
        None, description="Of the documents of the range these alone, unless they are current."
    )
    until: str | None = Field(None, description="Begin no document after that, such as 2026-11-27T06:00:00+01:00.")

    def changes(self) -> dict[str, object]:
        given = self.model_dump(exclude={"only", "until"})
        return {name: value for name, value in given.items() if value is not None}


@dg.multi_asset(
    name="documents",
    specs=[
        dg.AssetSpec(
            stage,
            deps=[UPSTREAM[stage]],
            description=_DESCRIPTIONS[stage],
            partitions_def=DOCUMENTS,
            group_name="documents",
            code_version=CODE_VERSION,
        )
        for stage in STAGES
    ],
    can_subset=True,
    partitions_def=DOCUMENTS,
    backfill_policy=dg.BackfillPolicy.multi_run(10),
    pool=DOCUMENTS_POOL,
)
def documents(
    context: dg.AssetExecutionContext, config: DocumentsConfig, archive: ArchiveResource
) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
    """Process the documents of this run, one after another."""
    stages: list[Stage] = [stage for stage in STAGES if dg.AssetKey(stage) in context.selected_asset_keys]
    failed: dict[str, ArchiveError] = {}
    refusals_changed = False
    keys = context.partition_keys
    begun: list[str] = []
    try:
        turns = Turns(archive, config.only, config.until)
        if turns.is_over:
            context.log.info(f"The night has ended before this run could begin: {len(keys)} documents are left.")
            return
        processor = archive.processor(config.changes(), patience=_PATIENCE if _is_alone(context.run) else 0)
    except ArchiveError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    with processor:
        try:
            for key in filter(turns.has, keys):
                begun.append(key)
                try:
                    _process(context, archive, processor, key, stages)
                    refusals_changed |= archive.register.accept(key, time.time())
                except (StorageError, ChildNotStarted):
                    raise
                except ArchiveError as error:
                    if turns.leaves(key, error):
                        continue
                    failed[key] = error
                    context.log.error(str(error))
                    if isinstance(error, DocumentRefused | DocumentFailed):
                        refusals_changed |= archive.register.refuse(key, error, time.time())
                finally:
                    turns.ended(key)
        except ArchiveError as error:
            # Not a document's fault, be it in the work or in noting how it went: the next one would fare no better.
            failed[begun[-1] if begun else keys[0]] = error
            context.log.error(str(error))
    _tell(context, archive, begun, refusals_changed=refusals_changed)
    if sentence := turns.sentence():
        context.log.info(sentence)
    if failed:
        # A night passes over documents that nobody has asked for. What a person or the sensor has asked for, and was
        # not reached, has failed with the run.
        passed_over = [key for key in keys if key not in begun or key in turns.elsewhere]
        for key in passed_over if config.only is not None else ():
            confirm(context, key, stages)
        named = "\n".join(f"- {plain_markdown(str(error))}" for error in failed.values())
        # The box that Dagster shows for it is what people read first.
        told = "".join(f"\n{error}" for error in list(failed.values())[:_MOST_TOLD])
        raise dg.Failure(
            f"{len(failed)} of {len(config.only or keys)} documents failed: {', '.join(failed)}{told}",
            metadata={"failed documents": dg.MetadataValue.md(named)},
            allow_retries=False,
        )
    # A generator that yields nothing: the events are logged above, and yielding them too would count them twice.
    yield from ()


def _tell(
    context: dg.AssetExecutionContext, archive: ArchiveResource, keys: Sequence[str], *, refusals_changed: bool
) -> None:
    """Log how the archive stands now. What cannot be looked at here, the sensor and the nightly report look at."""
    try:
        if refusals_changed:
            shown = uploads_materialization(archive.register, archive.results_url)
            context.instance.report_runless_asset_event(shown)
        for evaluation in look_at(archive, keys):
            context.log_event(evaluation)
    except ArchiveError as error:
        context.log.error(f"The checks were not made: {error}")


def _is_alone(run: dg.DagsterRun) -> bool:
    """Whether a run goes on for one that was killed, or was asked for by the upload sensor."""
    return run.parent_run_id is not None or "dagster/sensor_name" in run.tags


def _process(
    context: dg.AssetExecutionContext,
    archive: ArchiveResource,
    processor: Processor,
    partition: str,
    stages: list[Stage],
) -> None:
    key = DocumentKey(partition)
    report_source(context.instance, archive, key)
    for result in processor.process(key, stages):
        context.log_event(materialization(context.instance, archive, result))


def materialization(
    instance: dg.DagsterInstance, archive: ArchiveResource, result: StageResult
) -> dg.AssetMaterialization:
    """The event that says what a finished stage has made."""
    where = {}
    if result.stage == "document_exports":
        exports = archive.store.document(result.key).exports
        where = exports_metadata(exports, lambda path: archive.link(result.key, path))
    return dg.AssetMaterialization(
        result.stage,
        partition=result.key,
        metadata=where | stage_metadata(result),
        tags=version_tags(instance, UPSTREAM[result.stage], result.key, result.data_version),
    )


def report_source(instance: dg.DagsterInstance, archive: ArchiveResource, key: DocumentKey) -> None:
    """Tell Dagster which version of a source document is there, if it does not know that one yet.

    Raises:
        DocumentRefused: There is nothing that could be a document, or a settings file that cannot be obeyed.
        StorageError: Nobody has registered this document.
    """
    record = read_json(archive.store.document(key).source)
    if record is None:
        raise ArchiveError(
            "nobody has registered this document", document=key, remedy="Upload it, or run it by its path."
        )
    source, version = outside(
        archive.path_of(record),
        Path(archive.uploads_dir),
        max_file_mb=archive.max_file_mb,
        max_pages=archive.max_pages,
    )
    if observed_version(instance, key) != version:
        metadata: dict[str, str | int] = {
            "path": str(source.path).encode("utf-8", "backslashreplace").decode(),
            "files": len(source.files),
            "bytes": source.size,
        }
        instance.report_runless_asset_event(source_observation(key, version, metadata))
