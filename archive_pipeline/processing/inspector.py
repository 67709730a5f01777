"""Looking into a file of a source, by a page worker: it is a sealed child, and already there."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from archive_pipeline.errors import ArchiveError, ChildError, ChildNotStarted, DamagedFile, PageTimeout, printable
from archive_pipeline.intake import Source, open_file
from archive_pipeline.processing.inspection import Inspect
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import render_options
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.rendering.model import SourceInfo


def inspector(pool: WorkerPool, options: ProcessingOptions) -> Inspect:
    """What looks into one file of a source.

    It raises DocumentRefused where the file cannot enter, ChildNotStarted where the installation cannot look.
    """

    def inspect(source: Source, number: int) -> SourceInfo:
        request = {
            "op": "inspect",
            "name": printable(source.files[number].name),
            "options": vars(render_options(options)),
        }

        def work(worker: Worker) -> dict[str, Any]:
            with open_file(source, number) as file:
                return worker.call(request, [file])

        try:
            return SourceInfo.model_validate(pool.call(work))
        except ChildNotStarted:
            raise
        except (ChildError, PageTimeout, ValidationError) as error:
            what = error.what if isinstance(error, ArchiveError) else "its page count makes no sense"
            raise DamagedFile(f"it could not be opened: {what}") from None

    return inspect
