"""Making the report: read what the store says of itself, sum it up, write tables and page."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from archive_pipeline.checks.findings import Check, Examinations
from archive_pipeline.checks.summary import Summary, summarise
from archive_pipeline.document_states import DocumentStates
from archive_pipeline.durable import atomic_write
from archive_pipeline.report import documents as of_documents
from archive_pipeline.report.accuracy import Accuracy, accuracy
from archive_pipeline.report.disk import DiskUse, disk_use
from archive_pipeline.report.pages import PageFigures, read_pages
from archive_pipeline.report.places import Places
from archive_pipeline.report.rebuild import rebuild_states
from archive_pipeline.report.worklist import work_list
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import Upload, UploadRegister

FOLDER = "report"
DOCUMENTS_NAME, PAGES_NAME = "documents.parquet", "pages.parquet"
DAYS = 30
_NAMED = 20


@dataclass(frozen=True)
class Report:
    """What the archive holds.

    Attributes:
        made: When, in UTC.
        seconds: What it took.
        documents: A row a document; see :func:`archive_pipeline.report.documents.documents_table`.
        standings: Documents by how they stand.
        uploads: Uploads by state; empty where nobody has looked at the upload folder yet.
        refused: The uploads that were refused last.
        checks: The checks of all documents that were looked at.
        work: The pages where a person's hour helps most.
        days, pace: Throughput.
        rebuilt: Documents whose state was made again from their folder.
    """

    made: datetime
    seconds: float
    documents: pd.DataFrame
    standings: Mapping[str, int]
    pages: PageFigures
    uploads: Mapping[str, int]
    refused: Sequence[Upload]
    languages: pd.DataFrame
    hands: pd.DataFrame
    models: pd.DataFrame
    failures: pd.DataFrame
    accuracy: Accuracy
    checks: Mapping[Check, Summary]
    work: pd.DataFrame
    days: pd.DataFrame
    pace: pd.DataFrame
    disk: DiskUse
    places: Places = field(repr=False)
    rebuilt: int = 0


def make_report(
    store: Store,
    out: Path,
    *,
    places: Places,
    models: Path | None = None,
    training: Path | None = None,
    database: Path | None = None,
    now: datetime | None = None,
) -> Report:
    """Read the store, and write ``documents.parquet`` and ``pages.parquet``; the page is :mod:`.webpage`'s.

    Args:
        store: The store. Documents that have no state get one (:mod:`archive_pipeline.report.rebuild`).
        out: The folder of the report.
        places: Where reading views are.
        models: The model store.
        training: Ground truth and trainings.
        database: Dagster's folder, whose SQLite files count as database.
        now: For tests.

    Raises:
        StorageError, NoSpaceLeft: The store cannot be read, or the report not be written.
    """
    began, made = time.monotonic(), now or datetime.now(UTC)
    table = DocumentStates(store.root)
    rebuilt = rebuild_states(store, table)
    states, keys = table.all(), store.keys()
    documents = of_documents.documents_table(keys, states)
    with atomic_write(out / DOCUMENTS_NAME) as file:
        pq.write_table(pa.Table.from_pandas(documents, preserve_index=False), file, compression="zstd", version="2.6")
    pages = read_pages((store.document(key) for key in keys), states, out / PAGES_NAME)
    known = accuracy(pages.classes, pages.corrected)
    uploads = UploadRegister(store.root).all().values()
    refused = sorted((each for each in uploads if each.state == "refused"), key=lambda each: -each.since)
    done = documents[documents["standing"] == "done"]
    databases = [*store.root.glob("*.sqlite*"), *(sorted(database.rglob("*.db*")) if database else ())]
    return Report(
        made=made,
        documents=documents,
        standings={str(name): int(count) for name, count in documents["standing"].value_counts().items()},
        pages=pages,
        uploads=dict(Counter(each.state for each in uploads)),
        refused=refused[:_NAMED],
        languages=of_documents.counts(done, "language"),
        hands=of_documents.counts(done, "hand"),
        models=of_documents.counts(done, "recognition", "not known"),
        failures=of_documents.failures(documents),
        accuracy=known,
        checks=summarise(Examinations(store.root), _NAMED),
        work=work_list(_open_pages(pages), known.calibrations, store),
        days=of_documents.by_day(documents, DAYS, pd.Timestamp(made)),
        pace=of_documents.pace(documents),
        disk=disk_use(store.root / "documents", keys, models, databases, out, training),
        places=places,
        rebuilt=rebuilt,
        seconds=time.monotonic() - began,
    )


def _open_pages(pages: PageFigures) -> pd.DataFrame:
    """Without the pages that a person went through already."""
    done = {(page.document, page.page) for page in pages.corrected if page.whole}
    keep = [(row.document, row.page) not in done for row in pages.doubtful.itertuples()]
    return pages.doubtful[pd.Series(keep, index=pages.doubtful.index, dtype=bool)]
