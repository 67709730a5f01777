"""Having a segmentation model look for the lines of pages whose lines are known, in sealed page workers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.page_reader import PageReader
from archive_pipeline.evaluation.reading import read_pages
from archive_pipeline.evaluation.segmentation import SegmentationScore, over_pages, segmentation_metrics
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.training_sets.lines import TrainingPage


def score_segmentation(
    pages: Sequence[TrainingPage],
    model: InstalledModel,
    options: ProcessingOptions,
    told: Callable[[str], None] = lambda _: None,
) -> SegmentationScore:
    """How well a model finds the lines of pages.

    Args:
        told: Called with the id of each page that is finished.

    Raises:
        UsageError: No page could be looked at.
        ModelError: The model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be looked at here.
    """
    by_id = {page.id: page for page in pages}

    def look(reader: PageReader, name: str) -> SegmentationScore:
        page = by_id[name]
        seen = reader.page_image(page.image, page.image_sha256, (page.page.width, page.page.height))
        return segmentation_metrics(page.page, reader.lines(seen, model))

    found = read_pages(sorted(by_id), look, options, lambda name: name, told)
    if not found.scores:
        reasons = "; ".join(str(error) for error in list(found.left_out.values())[:3])
        raise UsageError(f"no page could be looked at{': ' if reasons else ''}{reasons}")
    return over_pages(list(found.scores.values()))
