"""Having pages read by two recognition models, on the same lines, in sealed page workers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archive_pipeline.errors import (
    ArchiveError,
    BadTranscription,
    ChildError,
    ChildNotStarted,
    ModelError,
    NotReadable,
    PageFailed,
    StorageError,
)
from archive_pipeline.evaluation.scoring import PageScore, score_lines, score_page, scored_lines
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.model_server import server_for
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import render_options
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.rendering.model import PageImage, SourceInfo

TruePage = tuple[Path, Path]
"""A page image and its ground truth."""


@dataclass
class ReadPages:
    """What two models read.

    Attributes:
        scores: Of both, by page.
        left_out: Pages that count for neither, with the reason.
    """

    scores: dict[TruePage, tuple[PageScore, PageScore]] = field(default_factory=dict)
    left_out: dict[TruePage, ArchiveError] = field(default_factory=dict)


def read_with_both(
    pages: Sequence[TruePage],
    models: tuple[InstalledModel, InstalledModel],
    options: ProcessingOptions,
    segmentation: InstalledModel | None = None,
    told: Callable[[TruePage], None] = lambda _: None,
) -> ReadPages:
    """Have every page read by both models.

    A page that cannot be read by one of them counts for neither, so that both are judged by the same pages.

    Args:
        segmentation: Finds the lines that both are given; None for the lines of the ground truth.
        told: Called with each page that is finished, in the calling thread.

    Raises:
        ModelError: A model cannot be loaded.
        ChildNotStarted, StorageError: Nothing can be read here.
    """
    read = ReadPages()

    def done(page: TruePage, result: tuple[PageScore, PageScore] | ArchiveError) -> None:
        if isinstance(result, ModelError | ChildNotStarted | StorageError):
            raise result
        if isinstance(result, ArchiveError):
            read.left_out[page] = result.at(document=str(page[0]))
        else:
            read.scores[page] = result
        told(page)

    def work(worker: Worker, page: TruePage) -> tuple[PageScore, PageScore]:
        return _PageReader(worker, page, options).read(models, segmentation)

    with tempfile.TemporaryDirectory(prefix="compare-") as folder, WorkerPool(Path(folder), options) as pool:
        pool.run(pages, work, done)
    # As they were given: pages are finished in any order, and draws must not depend on it.
    read.scores = {page: read.scores[page] for page in pages if page in read.scores}
    return read


class _PageReader:
    """One page with one worker."""

    def __init__(self, worker: Worker, page: TruePage, options: ProcessingOptions) -> None:
        self._worker = worker
        self._image, self._truth = page
        self._all = options
        self._options = asdict(render_options(options))

    def read(
        self, models: tuple[InstalledModel, InstalledModel], segmentation: InstalledModel | None
    ) -> tuple[PageScore, PageScore]:
        """Scores of both models."""
        try:
            truth = Page.model_validate(self._call({"op": "truth", "name": self._truth.name}, self._truth)["page"])
            request = {"op": "inspect", "name": self._image.name, "options": self._options}
            info = SourceInfo.model_validate(self._call(request, self._image))
            if info.kind != "image" or info.pages != 1:
                raise PageFailed("it is not an image of one page")
            layout = _to_read(truth) if segmentation is None else None
            pages = []
            for model in models:
                answer = self._recognised(info, layout, segmentation, model)
                image = PageImage.model_validate(answer["image"])
                if layout is None:
                    layout = Page.model_validate(answer["layout"])
                elif (image.width, image.height) != (layout.width, layout.height):
                    raise BadTranscription(
                        f"its ground truth is of an image of {layout.width} x {layout.height} pixels, "
                        f"this one has {image.width} x {image.height}",
                        remedy="Put the image there that was transcribed, or use --lines engine.",
                    )
                pages.append(Page.model_validate(answer["transcription"]))
        except (ValidationError, KeyError) as error:
            raise ChildError(f"a page worker gave an answer that is none: {str(error)[:300]}") from None
        return _scores(truth, (pages[0], pages[1]), given=segmentation is None)

    def _recognised(
        self, info: SourceInfo, layout: Page | None, segmentation: InstalledModel | None, model: InstalledModel
    ) -> dict[str, Any]:
        request = {
            "op": "page",
            "number": 1,
            "render": {"info": info.model_dump(mode="json"), "index": 0, "options": self._options},
            "image": None,
            "segment": segmentation.model_dump(mode="json") if layout is None and segmentation else None,
            "recognize": model.model_dump(mode="json"),
            "layout": layout.model_dump(mode="json") if layout else None,
        }
        return self._call(request, self._image, [model, *([segmentation] if segmentation else [])])

    def _call(self, request: dict[str, Any], path: Path, models: Sequence[InstalledModel] = ()) -> dict[str, Any]:
        try:
            with path.open("rb") as file, server_for(models, self._all) as (server, connections):
                return self._worker.call(request | {"server": server}, [file, *connections])
        except OSError as error:
            raise NotReadable(f"it cannot be opened: {error.strerror}", document=str(path)) from None
        finally:
            self._worker.clear()


def _name(*place: int) -> str:
    """A name that no engine makes: one that names the lines it finds itself must not be taken for having kept these."""
    return "-".join(["gt", *map(str, place)])


def _to_read(truth: Page) -> Page:
    """The scored lines of the ground truth without their text, under names of ours: a file's own may be there twice.

    Raises:
        BadTranscription: A line has no place.
    """
    regions = []
    for number, region in enumerate(truth.regions, start=1):
        lines = []
        for position, line in enumerate(region.lines, start=1):
            if not scored_lines([line.best_text]):
                continue
            if not line.boundary and not line.baseline:
                raise BadTranscription(
                    f"line {line.id} has neither outline nor baseline", remedy="Use --lines engine for such files."
                )
            name = _name(number, position)
            lines.append(Line(id=name, boundary=line.boundary, baseline=line.baseline, direction=line.direction))
        if lines:
            regions.append(region.model_copy(update={"id": _name(number), "lines": tuple(lines), "text": ""}))
    return Page(number=1, width=truth.width, height=truth.height, direction=truth.direction, regions=tuple(regions))


def _scores(truth: Page, read: tuple[Page, Page], *, given: bool) -> tuple[PageScore, PageScore]:
    """Line by line where both models were given the true lines and kept them, else as the lines fit best.

    A model that reads whole pages finds lines or blocks of its own: then both are scored by the page's whole text, each
    in its order.
    """
    true = {
        _name(number, position): line
        for number, region in enumerate(truth.regions, start=1)
        for position, line in enumerate(region.lines, start=1)
        if scored_lines([line.best_text])
    }
    texts = [line.best_text for line in true.values()]
    places = {name: line.boundary for name, line in true.items()}
    kept = given and all({line.id: line.boundary for line in page.lines()} == places for page in read)
    if kept:
        found = [{line.id: line.text for line in page.lines()} for page in read]
        first, second = (score_lines((line.best_text, lines[name]) for name, line in true.items()) for lines in found)
    elif given or any(region.text for page in read for region in page.regions if not region.lines):
        whole = " ".join(texts)
        first, second = (score_lines([(whole, page.text)] if whole else []) for page in read)
    else:
        first, second = (score_page(texts, page.text.splitlines()) for page in read)
    return first, second
