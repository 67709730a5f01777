"""A document through its stages, with everything kept that was done."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from archive_pipeline.durable import read_json
from archive_pipeline.errors import (
    ArchiveError,
    ChildNotStarted,
    DocumentFailed,
    Stopped,
    StorageError,
    printable,
)
from archive_pipeline.intake import outside
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.choice import Decision
from archive_pipeline.processing.deciding import Decider
from archive_pipeline.processing.document_settings import FileSettings
from archive_pipeline.processing.earlier_readings import keep_earlier
from archive_pipeline.processing.export_stage import export_document
from archive_pipeline.processing.inspection import Inspection, inspect_source
from archive_pipeline.processing.inspector import inspector
from archive_pipeline.processing.ledger import check_budget, failed_by, outcome_of, write_ledger, write_run_report
from archive_pipeline.processing.options import STAGES, ProcessingOptions, Stage
from archive_pipeline.processing.page_job import DocumentWork, PageJob, PageReport, do_page, plan_page
from archive_pipeline.processing.page_ranges import parse_pages
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.processing.results import NoProgress, PageOutcome, Progress, StageResult
from archive_pipeline.processing.settings_reader import store_choices
from archive_pipeline.processing.stage_results import make_preview, stage_version
from archive_pipeline.processing.standing import Attempt, StandingKeeper
from archive_pipeline.processing.stored_pages import (
    Failure,
    forget_pages_after,
    note_corrected_image,
    stored_image,
    write_model,
)
from archive_pipeline.spelling.lists import find_lists, of_language
from archive_pipeline.store import DocumentFolder, Store

_log = logging.getLogger(__name__)
_TEXT_STAGES: frozenset[Stage] = frozenset({"page_layouts", "page_transcriptions"})


class Processor:
    """Processes documents one after another, with page workers that are kept between them.

    Args:
        patience: Seconds to wait for another writer of a document.
    """

    def __init__(
        self, store: Store, options: ProcessingOptions, progress: Progress | None = None, *, patience: float = 0
    ) -> None:
        self._store = store
        self._patience = patience
        self._options = options
        self._progress = progress or NoProgress()
        self._decider = Decider(options)
        self._spelling = find_lists(options.spelling or ())
        self._standing = StandingKeeper(store, options)
        self._pool = WorkerPool(store.root / "work", options, read=[each.path for each in self._spelling])

    def process(self, key: DocumentKey, stages: Collection[Stage] = STAGES) -> Iterator[StageResult]:
        """Take a document through stages; a result comes as soon as a stage is finished for all its pages.

        Raises:
            DocumentRefused: The source cannot enter.
            DocumentBusy: Another process is writing this document.
            DocumentFailed: Too many pages failed.
            StorageError: Nothing can be stored.
        """
        folder = self._store.document(key)
        error: ArchiveError | None = Stopped("stopped before it was finished", document=key)
        began, attempt = time.monotonic(), Attempt()
        try:
            with folder.lock(self._patience):
                yield from self._process(folder, frozenset(stages), attempt)
            error = None
        except ArchiveError as problem:
            error = problem.at(document=key)
            raise
        finally:
            self._standing.ended(key, attempt, time.monotonic() - began, error)
            self._progress.document_finished(key, error)

    def inspect(self, key: DocumentKey) -> Inspection:
        """Look at a document's source without processing it.

        Raises:
            DocumentRefused, DocumentBusy, StorageError: As :meth:`process`.
        """
        folder = self._store.document(key)
        with folder.lock():
            look = inspector(self._pool, self._options)
            return inspect_source(self._source_path(folder), folder, self._options, look)

    def decide(self, key: DocumentKey) -> Decision:
        """What a document would be read with. For an unknown hand nothing is tried; what was found last counts.

        Raises:
            DocumentRefused, StorageError: As :meth:`process`.
        """
        folder = self._store.document(key)
        return self._decider.as_last_found(folder, self._source_path(folder))

    def _process(self, folder: DocumentFolder, stages: frozenset[Stage], attempt: Attempt) -> Iterator[StageResult]:
        began = time.monotonic()
        work, files = self._look(folder, attempt)
        places = work.inspection.pages
        forget_pages_after(folder, len(places))
        selected = frozenset(range(1, len(places) + 1))
        if self._options.pages is not None:
            selected = parse_pages(self._options.pages, len(places))
            if not selected:
                raise DocumentFailed(f"it has {len(places)} pages, none of them was asked for")
        self._progress.document_started(folder.key, len(selected))
        # Exports of pages that are not read would be of no use to anybody.
        page_stages = frozenset(STAGES[:3]) if "document_exports" in stages else stages
        outcomes = {
            number: outcome_of(folder, number, selected=False)
            for number in range(1, len(places) + 1)
            if number not in selected
        }
        reports: dict[int, PageReport] = {}
        try:
            self._do_pages(work, selected, page_stages, outcomes, reports)
        finally:
            write_ledger(folder, outcomes)
            write_run_report(folder, reports, time.monotonic() - began)
            attempt.done = len(reports)
        if work.choices and page_stages & _TEXT_STAGES:  # a run that is stopped has not read all with them
            store_choices(folder, work.choices, files)
        check_budget(outcomes, selected, self._options.max_failed_pages)
        seconds = time.monotonic() - began
        ordered = tuple(outcomes[number] for number in sorted(outcomes))
        preview = make_preview(self._pool, folder, ordered) if stages & _TEXT_STAGES else None
        notes = (*work.inspection.notes, *work.notes)
        for stage in STAGES[:3]:
            if stage in stages:
                picture = preview if stage != "page_images" else None
                version = stage_version(folder, stage, ordered)
                chosen = work.choices.told() if work.choices else {}
                yield StageResult(stage, folder.key, version, ordered, seconds, picture, notes, chosen)
        if "document_exports" in stages:
            result = export_document(work, selected, ordered, began)
            attempt.outcomes, attempt.finished = ordered, len(selected) == len(places)
            yield result

    def _source_path(self, folder: DocumentFolder) -> Path:
        source: dict[str, Any] | None = read_json(folder.source)
        if not source:
            raise StorageError("nobody has registered this document", remedy="Upload it, or run it by its path.")
        return Path(source["origin"])

    def _look(self, folder: DocumentFolder, attempt: Attempt) -> tuple[DocumentWork, dict[str, FileSettings]]:
        path, options = self._source_path(folder), self._options
        # Before it is read: what changes while it is read is another version.
        source, attempt.fingerprint = outside(
            path, options.uploads_dir, max_file_mb=options.max_file_mb, max_pages=options.max_pages
        )
        inspection: Inspection = inspect_source(path, folder, options, inspector(self._pool, options))
        attempt.sha256 = inspection.sha256
        self._standing.require_new(folder.key, inspection.sha256)
        decided = self._decider.decide(path)
        work = DocumentWork(
            folder,
            source,
            inspection,
            options,
            decided.segmentation,
            decided.recognition,
            choices=decided.choices,
            spelling=of_language(self._spelling, decided.choices.language),
            said=decided.wishes,
            notes=self._decider.notes(decided.choices),
        )
        work = self._decider.with_hand(work, decided, self._pool)
        _log.info("%s: %s", folder.key, work.choices.sentence() if work.choices else "")
        for note in work.notes:
            _log.info("%s: %s", folder.key, note, extra={"progress": (folder.key, note)})
        attempt.work = work
        return work, decided.files

    def _do_pages(
        self,
        work: DocumentWork,
        selected: frozenset[int],
        stages: frozenset[Stage],
        outcomes: dict[int, PageOutcome],
        reports: dict[int, PageReport],
    ) -> None:
        folder = work.folder

        def finished(outcome: PageOutcome) -> None:
            outcomes[outcome.number] = outcome
            self._progress.page_finished(folder.key, outcome)

        def jobs() -> Iterator[PageJob]:
            for number, place in enumerate(work.inspection.pages, start=1):
                if number not in selected:
                    continue
                job = plan_page(work, number, place, stages)
                if job.needed:
                    yield job
                else:
                    finished(outcome_of(folder, number, reused=True))

        def done(job: PageJob, result: PageReport | ArchiveError) -> None:
            if isinstance(result, StorageError | ChildNotStarted):
                raise result
            if isinstance(result, ArchiveError):
                self._page_failed(work, job, result)
                finished(outcome_of(folder, job.number))
                if self._options.on_page_error == "fail":
                    raise failed_by(result.code)(f"page {job.number} failed: {result.what}", remedy=result.remedy)
                return
            reports[job.number] = result
            finished(outcome_of(folder, job.number, seconds=result.total))

        def work_on(worker: Worker, job: PageJob) -> PageReport:
            _log.info("%s page %d: started", folder.key, job.number)
            return do_page(work, worker, job)

        self._pool.run(jobs(), work_on, done)

    def _page_failed(self, work: DocumentWork, job: PageJob, error: ArchiveError) -> None:
        folder = work.folder
        _log.warning("%s page %d: failed: %s", folder.key, job.number, printable(error.what))
        if not job.render and (image := stored_image(folder, job.number)) is not None:
            keep_earlier(folder, job.number, image, work.segmentation, work.recognition)
        # What was made of an earlier version of this page must not stand for it.
        if job.render:
            note_corrected_image(folder, job.number)
            folder.image_record(job.number).unlink(missing_ok=True)
        if job.segment:
            folder.layout(job.number).unlink(missing_ok=True)
        folder.transcription(job.number).unlink(missing_ok=True)
        write_model(folder.failure(job.number), Failure.of(error))

    def close(self) -> None:
        """End the page workers."""
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
