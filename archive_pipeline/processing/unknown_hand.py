"""A document in a hand that nobody named (``hand: auto``): the promoted models are tried on a few of its lines.

Each reads the lines that it would read; the one that is surest of its lines is taken, if it is surer than the general
model by a margin. Confidence is a weak measure: models are calibrated differently, and one that was trained with few
pages is sure of itself too soon. So the margin is wide, what was tried is kept in the document's folder
(``hand.json``), and the document does not become ground truth of the hand that was found: only a person can say that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, read_json
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import ArchiveError, ChildError, ChildNotStarted, StorageError, UsageError, printable
from archive_pipeline.models.hands import Promoted, hand_records
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.page import Line, Page
from archive_pipeline.processing.choice import Decision, Found
from archive_pipeline.processing.page_job import DocumentWork, do_page, plan_page
from archive_pipeline.processing.pool import Worker, WorkerPool
from archive_pipeline.processing.stored_pages import stored_image, write_model
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder

MARGIN = 0.05
"""By how much surer of its lines than the general model a hand's model must be."""
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


class Tried(BaseModel):
    """How a model did.

    Attributes:
        hand: Empty for the general model.
        lines: How many it read.
        confidence: Mean over the lines, 0 to 1; None where it read none.
    """

    model_config = ConfigDict(frozen=True)

    hand: str
    model: str
    lines: int
    confidence: float | None


class HandTrial(BaseModel):
    """``hand.json``: what was tried on a document, and what was found.

    Attributes:
        key: Digest of what it was made from; another one, and it is tried again.
        hand: Whose model reads the document; empty for the general one.
        margin: How much surer that model is than the next best one; None if there is none, or nothing was read.
    """

    model_config = ConfigDict(frozen=True)

    schema_version: Literal[1] = 1
    key: str
    hand: str
    margin: float | None
    tried: tuple[Tried, ...]

    @property
    def found(self) -> Found:
        """What was found, with a sentence that says why."""
        general = next(each for each in self.tried if not each.hand)
        best = next((each for each in self.tried if each.hand == self.hand), general)
        hands = [each for each in self.tried if each.hand and each.confidence is not None]
        if not hands:
            return Found("", "no hand's model could be tried")
        sure, than = (f"{each.confidence or 0:.1%}" for each in (best, general))
        if self.hand:
            return Found(
                self.hand,
                f"{best.lines} lines tried with {len(hands)} hands: {self.hand} fits best, {sure} sure against {than} "
                "of the general model",
            )
        lines = f"{general.lines} lines tried with {len(hands)} hands"
        return Found("", f"{lines}: none is surer than the general model by {MARGIN:.0%}")


def promoted_now(library: ModelLibrary) -> tuple[tuple[str, Promoted], ...]:
    """All hands that have a promoted model.

    Raises:
        ModelError: What is noted of one is damaged.
    """
    if library.root is None:
        return ()
    return tuple((each.name, each.promoted) for each in hand_records(library.root) if each.promoted is not None)


def promoted_digest(promoted: Sequence[tuple[str, Promoted]]) -> str:
    """Changes when another model is promoted for any hand."""
    return digest_of("hands", [(hand, each.model_dump(mode="json")) for hand, each in promoted])


def stored_trial(folder: DocumentFolder) -> HandTrial | None:
    """What was tried on a document last; None if that was never, or is of another version."""
    data = read_json(folder.hand_trial)
    try:
        return HandTrial.model_validate(data) if data else None
    except ValidationError:
        return None


def trial_key(work: DocumentWork, promoted: Sequence[tuple[str, Promoted]]) -> str:
    """What a trial on a document is made from."""
    general = signature(work.segmentation), signature(work.recognition)
    return digest_of("hand trial", MARGIN, LINES, PAGES, work.inspection.sha256, general, promoted_digest(promoted))


def find_hand(
    work: DocumentWork,
    pool: WorkerPool,
    promoted: Sequence[tuple[str, Promoted]],
    decide_as: Callable[[str], Decision],
) -> HandTrial:
    """Whose promoted model fits a document best; the same again is not tried again.

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
    images = list(_images(work, pool)) if len(candidates) > 1 else []
    tried = tuple(_read(work, pool, images, each) for each in candidates)
    trial = _judge(key, tried)
    write_model(work.folder.hand_trial, trial)
    _log.info("%s: %s", work.folder.key, printable(trial.found.why))
    return trial


def _judge(key: str, tried: tuple[Tried, ...]) -> HandTrial:
    general, *hands = tried
    read = sorted((each for each in hands if each.confidence is not None), key=lambda each: -(each.confidence or 0))
    best = read[0] if read and (read[0].confidence or 0) - (general.confidence or 0) >= MARGIN else general
    others = [each.confidence for each in tried if each is not best and each.confidence is not None]
    margin = round(best.confidence - max(others), 4) if others and best.confidence is not None else None
    return HandTrial(key=key, hand=best.hand, margin=margin, tried=tried)


def _images(work: DocumentWork, pool: WorkerPool) -> Iterator[PageImage]:
    """Images of the first pages, rendered as any run renders them; those that cannot be are the run's concern."""
    for number, place in enumerate(work.inspection.pages[:_LOOK], start=1):
        job = plan_page(work, number, place, frozenset({"page_images"}))
        if job.render:
            try:
                pool.call(lambda worker, job=job: do_page(work, worker, job))  # type: ignore[misc]
            except (StorageError, ChildNotStarted):
                raise
            except ArchiveError as error:
                _log.warning("%s page %d: no lines to try: %s", work.folder.key, number, error)
                continue
        image = stored_image(work.folder, number)
        if image is not None and image.text is None:
            yield image


def _read(work: DocumentWork, pool: WorkerPool, images: Sequence[PageImage], candidate: Candidate) -> Tried:
    """Have a candidate read some lines of the first pages that have any."""
    sure: list[float] = []
    pages = 0
    for image in images:
        if pages == PAGES:
            break
        lines_a_page = -(-(LINES - len(sure)) // (PAGES - pages))
        try:
            found = pool.call(lambda worker, i=image, n=lines_a_page: _sure(work, worker, i, n, candidate))  # type: ignore[misc]
        except (StorageError, ChildNotStarted):
            raise
        except ArchiveError as error:
            _log.warning(
                "%s page %d: not tried with %s: %s", work.folder.key, image.number, candidate.recognition.id, error
            )
            continue
        pages += bool(found)
        sure += found
    mean = round(fmean(sure), 4) if sure else None
    return Tried(hand=candidate.hand, model=candidate.recognition.id, lines=len(sure), confidence=mean)


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
