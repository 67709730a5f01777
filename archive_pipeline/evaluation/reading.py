"""Having pages read by recognition models, in sealed page workers; by two of them on the same lines."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from archive_pipeline.errors import (
    ArchiveError,
    BadTranscription,
    ChildNotStarted,
    ModelError,
    StorageError,
)
from archive_pipeline.evaluation.given_lines import are_kept, scored, to_read
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.scoring import PageScore, score_lines, score_page
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Page
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.pool import Worker, WorkerPool

TruePage = tuple[Path, Path]
"""A page image and its ground truth."""

Scored = TypeVar("Scored", bound=Hashable)
Result = TypeVar("Result")


@dataclass
class ReadPages(Generic[Scored, Result]):
    """What models read.

    Attributes:
        scores: What was made of each page, in the order in which pages were given.
        left_out: Pages that do not count, with the reason.
    """

    scores: dict[Scored, Result] = field(default_factory=dict)
    left_out: dict[Scored, ArchiveError] = field(default_factory=dict)


ReadWithBoth = ReadPages[TruePage, tuple[PageScore, PageScore]]


def read_pages(
    pages: Sequence[Scored],
    read: Callable[[PageReader, Scored], Result],
    options: ProcessingOptions,
    named: Callable[[Scored], str],
    told: Callable[[Scored], None] = lambda _: None,
) -> ReadPages[Scored, Result]:
    """Have every page read, as many at a time as there are workers.

    Args:
        read: Has one page read by one worker, and makes of it what is wanted.
        named: How a page is called in messages.
        told: Called with each page that is finished, in the calling thread.

    Raises:
        ModelError: A model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be read here.
    """
    found = ReadPages[Scored, Result]()

    def done(page: Scored, result: Result | ArchiveError) -> None:
        if isinstance(result, ModelError | ChildNotStarted | StorageError):
            raise result
        if isinstance(result, ArchiveError):
            found.left_out[page] = result.at(document=named(page))
        else:
            found.scores[page] = result
        told(page)

    def work(worker: Worker, page: Scored) -> Result:
        return read(PageReader(worker, options), page)

    with tempfile.TemporaryDirectory(prefix="compare-") as folder, WorkerPool(Path(folder), options) as pool:
        pool.run(pages, work, done)
    # As they were given: pages are finished in any order, and draws must not depend on it.
    found.scores = {page: found.scores[page] for page in pages if page in found.scores}
    return found


def read_with_both(
    pages: Sequence[TruePage],
    models: tuple[InstalledModel, InstalledModel],
    options: ProcessingOptions,
    segmentation: InstalledModel | None = None,
    told: Callable[[TruePage], None] = lambda _: None,
) -> ReadWithBoth:
    """Have every page read by both models.

    A page that cannot be read by one of them counts for neither, so that both are judged by the same pages.

    Args:
        segmentation: Finds the lines that both are given; None for the lines of the ground truth.
        told: Called with each page that is finished, in the calling thread.

    Raises:
        ModelError: A model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be read here.
    """

    def read(reader: PageReader, page: TruePage) -> tuple[PageScore, PageScore]:
        return _read_with_both(reader, page, models, segmentation)

    return read_pages(pages, read, options, lambda page: str(page[0]), told)


def _read_with_both(
    reader: PageReader,
    page: TruePage,
    models: tuple[InstalledModel, InstalledModel],
    segmentation: InstalledModel | None,
) -> tuple[PageScore, PageScore]:
    truth = reader.truth(page[1])
    seen = reader.file(page[0])
    layout = to_read(truth) if segmentation is None else None
    pages = []
    for model in models:
        reading = reader.read(seen, model, layout, segmentation)
        if layout is None:
            layout = reading.layout
        elif reading.size != (layout.width, layout.height):
            raise BadTranscription(
                f"its ground truth is of an image of {layout.width} x {layout.height} pixels, "
                f"this one has {reading.size[0]} x {reading.size[1]}",
                remedy="Put the image there that was transcribed, or use --lines engine.",
            )
        pages.append(reading.page)
    return _scores(truth, (pages[0], pages[1]), given=segmentation is None)


def _scores(truth: Page, read: tuple[Page, Page], *, given: bool) -> tuple[PageScore, PageScore]:
    """Line by line where both models were given the true lines and kept them, else as the lines fit best.

    A model that reads whole pages finds lines or blocks of its own: then both are scored by the page's whole text, each
    in its order.
    """
    true = scored(truth)
    texts = [line.best_text for line in true.values()]
    if given and all(are_kept(true, page) for page in read):
        found = [{line.id: line.text for line in page.lines()} for page in read]
        first, second = (score_lines((line.best_text, lines[name]) for name, line in true.items()) for lines in found)
    elif given or any(region.text for page in read for region in page.regions if not region.lines):
        whole = " ".join(texts)
        first, second = (score_lines([(whole, page.text)] if whole else []) for page in read)
    else:
        first, second = (score_page(texts, page.text.splitlines()) for page in read)
    return first, second
