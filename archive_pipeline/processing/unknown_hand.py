"""A document in a hand that nobody named (``hand: auto``): the promoted models are tried on a few of its lines.

Each reads the lines that it would read; the one that is surest of its lines is taken, if it is surer than the general
model by a margin. Confidence is a weak measure: models are calibrated differently, and one that was trained with few
pages is sure of itself too soon. So the margin is wide, what was tried is kept in the document's folder
(``hand.json``), and the document does not become ground truth of the hand that was found: only a person can say that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import Any

from pydantic import ValidationError

from archive_pipeline.durable import digest_of
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import ArchiveError, ChildError, ChildNotStarted, StorageError, UsageError, printable
from archive_pipeline.models.hands import Promoted
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.choice import Decision
from archive_pipeline.processing.hand_trial import MARGIN, HandTrial, Tried, judge, promoted_digest, stored_trial
from archive_pipeline.processing.page_job import DocumentWork, do_page, plan_page
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.processing.stored_pages import stored_image, write_model
from archive_pipeline.rendering.model import PageImage

LINES = 20
PAGES = 3
_LOOK = 6
"""Pages that are looked at for lines: the first ones may be blank."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Candidate:
    """A hand with the models that read it."""

    hand: str
    recognition: InstalledModel
    segmentation: InstalledModel


def trial_key(work: DocumentWork, promoted: Sequence[tuple[str, Promoted]]) -> str:
    """What a trial on a document is made from."""
    general = signature(work.segmentation), signature(work.recognition)
    return digest_of("hand trial", 2, MARGIN, LINES, PAGES, work.inspection.sha256, general, promoted_digest(promoted))


def find_hand(
    work: DocumentWork,
    pool: WorkerPool,
    promoted: Sequence[tuple[str, Promoted]],
    decide_as: Callable[[str], Decision],
) -> HandTrial:
    """Whose promoted model fits a document best; the same again is not tried again.

    A trial in which no page could be rendered, or a model failed on every page, is not kept: it is tried again in the
    next run.

    Args:
        work: The document, with the models that would read it if nothing was known of its hand.
        decide_as: What the document is read with if it is in a hand.

    Raises:
        StorageError, ChildNotStarted: The installation's fault.
    """
    key = trial_key(work, promoted)
    before = stored_trial(work.folder)
    if before is not None and before.key == key:
        return before
    if work.recognition.served or work.segmentation.served:
        # No worker of a trial has a connection to a server.
        general = _not_tried(Candidate("", work.recognition, work.segmentation))
        return _told(work, judge(key, general, ()))
    candidates = [Candidate("", work.recognition, work.segmentation)]
    for hand, _ in promoted:
        try:
            decision = decide_as(hand)
            decision.recognition.verify()
            decision.segmentation.verify()
            if decision.segmentation.served:
                raise UsageError("its lines are found by a server")
        except ArchiveError as error:
            _log.warning("%s: the hand %s cannot be tried: %s", work.folder.key, printable(hand), error)
            continue
        candidates.append(Candidate(hand, decision.recognition, decision.segmentation))
    images, failed = _images(work, pool) if len(candidates) > 1 else ([], 0)
    if failed and not images:
        tried = tuple(_not_tried(each) for each in candidates)
    else:
        tried = tuple(_read(work, pool, images, each) for each in candidates)
    trial = judge(key, tried[0], tried[1:])
    if not any(each.failed for each in tried):
        write_model(work.folder.hand_trial, trial)
    return _told(work, trial)


def _told(work: DocumentWork, trial: HandTrial) -> HandTrial:
    _log.info("%s: %s", work.folder.key, printable(trial.found.why))
    return trial


def _not_tried(candidate: Candidate) -> Tried:
    return Tried(hand=candidate.hand, model=candidate.recognition.id, lines=0, confidence=None, failed=True)


def _images(work: DocumentWork, pool: WorkerPool) -> tuple[list[PageImage], int]:
    """Images of the first pages without text of their own, rendered as any run renders them.

    Returns:
        The images, and how many pages could not be rendered: those are the run's concern.
    """
    images, failed = [], 0
    for number, place in enumerate(work.inspection.pages[:_LOOK], start=1):
        job = plan_page(work, number, place, frozenset({"page_images"}))
        if job.render:
            try:
                pool.call(partial(do_page, work, job=job))
            except (StorageError, ChildNotStarted):
                raise
            except ArchiveError as error:
                _log.warning("%s page %d: no lines to try: %s", work.folder.key, number, error)
                failed += 1
                continue
        image = stored_image(work.folder, number)
        if image is not None and image.text is None:
            images.append(image)
    return images, failed


def _read(work: DocumentWork, pool: WorkerPool, images: Sequence[PageImage], candidate: Candidate) -> Tried:
    """Have a candidate read some lines of the first pages that have any."""
    sure: list[float] = []
    pages = done = failed = 0
    for image in images:
        if pages == PAGES:
            break
        lines_a_page = -(-(LINES - len(sure)) // (PAGES - pages))
        try:
            found = pool.call(partial(_sure, work, image=image, most=lines_a_page, candidate=candidate))
        except (StorageError, ChildNotStarted):
            raise
        except ArchiveError as error:
            _log.warning(
                "%s page %d: not tried with %s: %s", work.folder.key, image.number, candidate.recognition.id, error
            )
            failed += 1
            continue
        done += 1
        pages += bool(found)
        sure += found
    mean = round(fmean(sure), 4) if sure else None
    return Tried(
        hand=candidate.hand,
        model=candidate.recognition.id,
        lines=len(sure),
        confidence=mean,
        failed=failed > 0 and done == 0,
    )


def _sure(work: DocumentWork, worker: Worker, image: PageImage, most: int, candidate: Candidate) -> list[float]:
    """Confidences of some lines of a page."""
    request: dict[str, Any] = {
        "op": "page",
        "number": image.number,
        "render": None,
        "image": image.model_dump(mode="json"),
        "direction": work.direction,
    }
    path = work.folder.images / image.file
    try:
        with path.open("rb") as file:
            segment = {"segment": candidate.segmentation.model_dump(mode="json"), "recognize": None, "layout": None}
            page = Page.model_validate(worker.call(request | segment, [file]).get("layout"))
        some = _some_lines(page, most)
        with path.open("rb") as file:
            read = {
                "segment": None,
                "recognize": candidate.recognition.model_dump(mode="json"),
                "layout": some.model_dump(mode="json"),
            }
            done = Page.model_validate(worker.call(request | read, [file]).get("transcription"))
    except ValidationError as error:
        raise ChildError(f"a page worker gave an answer that is none: {str(error)[:300]}") from None
    finally:
        worker.clear()
    # A line that it dares not read is one that it is not sure of.
    return [line.confidence or 0.0 for line in done.lines()]


def _some_lines(page: Page, most: int) -> Page:
    """The page with a few of its lines, spread over it; not those that are too short to tell a hand by."""
    lines = [line for line in page.lines() if _is_long(line)] or list(page.lines())
    step = max(len(lines) / most, 1.0) if most > 0 else float("inf")
    chosen = {lines[int(number * step)].id for number in range(min(most, len(lines)))}
    regions = tuple(
        region.model_copy(update={"lines": tuple(line for line in region.lines if line.id in chosen)})
        for region in page.regions
    )
    return page.model_copy(update={"regions": tuple(region for region in regions if region.lines)})


def _is_long(line: Line) -> bool:
    left, top, right, bottom = line.box
    return right - left >= 4 * (bottom - top)
