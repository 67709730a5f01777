"""What is told of a finished stage beside its pages: a version for Dagster, and a picture for people."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from archive_pipeline.durable import digest_of
from archive_pipeline.errors import ArchiveError, printable
from archive_pipeline.processing.options import Stage
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.processing.results import PageOutcome
from archive_pipeline.processing.stored_pages import stored_image, stored_page
from archive_pipeline.sealed import open_result
from archive_pipeline.store import DocumentFolder

_log = logging.getLogger(__name__)
_MOST_BYTES = 1 << 21


def stage_version(folder: DocumentFolder, stage: Stage, outcomes: Sequence[PageOutcome]) -> str:
    """Digest of what a stage made of a document: equal output has an equal version."""
    made = []
    for outcome in outcomes:
        if stage == "page_images":
            image = stored_image(folder, outcome.number)
            made.append(image.sha256 if image else outcome.status)
        else:
            path = folder.layout if stage == "page_layouts" else folder.transcription
            stored = stored_page(path(outcome.number))
            made.append(stored.version if stored else outcome.status)
    return digest_of(stage, made)


def make_preview(pool: WorkerPool, folder: DocumentFolder, outcomes: Sequence[PageOutcome]) -> bytes | None:
    """A picture of the page with the most lines among the first ten, a JPEG; None if there is none."""
    best = max(outcomes[:10], key=lambda outcome: outcome.lines)
    image = stored_image(folder, best.number)
    stored = stored_page(folder.transcription(best.number)) or stored_page(folder.layout(best.number))
    if image is None or stored is None or not best.lines:
        return None

    def draw(worker: Worker) -> bytes:
        with (folder.images / image.file).open("rb") as file:
            answer = worker.call({"op": "preview", "page": stored.page.model_dump(mode="json")}, [file])
        try:
            with open_result(worker.scratch, str(answer.get("file")), max_bytes=_MOST_BYTES) as made:
                return made.read()
        finally:
            worker.clear()

    try:
        return pool.call(draw)
    except ArchiveError as error:
        # The document is done; a picture for the UI is not worth failing it.
        _log.warning("%s: no preview: %s", folder.key, printable(error.what))
        return None
