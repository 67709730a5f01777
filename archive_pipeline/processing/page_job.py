"""One page through its stages: what has to be done, having it done by a worker, and publishing what came back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import atomic_write, file_digest
from archive_pipeline.errors import ChildError, PageFailed, printable
from archive_pipeline.intake import Source, open_file
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Page
from archive_pipeline.processing.choice import Choices
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.earlier_readings import keep_earlier
from archive_pipeline.processing.inspection import Inspection, PagePlace
from archive_pipeline.processing.model_server import server_for
from archive_pipeline.processing.options import ProcessingOptions, Stage
from archive_pipeline.processing.pool import Worker
from archive_pipeline.processing.stored_pages import (
    StoredPage,
    image_key,
    layout_key,
    note_corrected_image,
    stored_image,
    stored_page,
    transcription_key,
    write_model,
)
from archive_pipeline.rendering.model import PageImage, RenderOptions
from archive_pipeline.sealed import open_result
from archive_pipeline.spelling.lists import WordList
from archive_pipeline.store import DocumentFolder


@dataclass(frozen=True)
class KnownDocument:
    """A document whose source has been looked at.

    Attributes:
        choices: What it is read with; None if nothing is known of that.
    """

    folder: DocumentFolder
    source: Source
    inspection: Inspection
    options: ProcessingOptions
    choices: Choices | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class DocumentWork(KnownDocument):
    """What is the same for all pages of a document in one run; ``said`` and ``tried`` as in its state.

    Attributes:
        notes: Sentences on what was decided, for people.
    """

    segmentation: InstalledModel
    recognition: InstalledModel
    spelling: tuple[WordList, ...] = ()
    said: tuple[Wishes, ...] = ()
    tried: str = ""
    notes: tuple[str, ...] = ()

    @property
    def direction(self) -> Direction | None:
        """In which the text runs, if anybody said so."""
        return self.choices.direction if self.choices else None


@dataclass(frozen=True)
class PageJob:
    """A page that is not finished: from which stage on it has to be done."""

    number: int
    place: PagePlace
    render: bool
    segment: bool
    recognize: bool

    @property
    def needed(self) -> bool:
        return self.render or self.segment or self.recognize


class PageReport(BaseModel):
    """Timings of one page, for ``run.json``."""

    model_config = ConfigDict(frozen=True)

    seconds: dict[str, float]
    total: float = 0.0
    peak_memory_mb: float


def render_options(options: ProcessingOptions) -> RenderOptions:
    return RenderOptions(options.dpi, options.max_pixels, options.max_pages, options.born_digital)


def plan_page(work: DocumentWork, number: int, place: PagePlace, stages: Collection[Stage]) -> PageJob:
    """Find out which stages of a page are missing or were made from something else.

    A stage that is not asked for is done all the same where a later one needs it.
    """
    reuse = work.options.reuse
    wanted = image_key(work.inspection.files[place.file].sha256, place.index, work.options)
    image = stored_image(work.folder, number, wanted) if reuse else None
    wants_text = "page_transcriptions" in stages
    wants_lines = wants_text or "page_layouts" in stages
    if image is None:
        return PageJob(number, place, True, wants_lines, wants_text)
    if not image.source:
        # Of a version that did not note it: what the image was made from says that this is its scan.
        known = image.model_copy(update={"source": _source_of(work, place)})
        write_model(work.folder.image_record(number), known)
    from_layout = layout_key(image, work.segmentation, work.direction)
    if stored_page(work.folder.layout(number), from_layout) is None:
        return PageJob(number, place, False, wants_lines, wants_text)
    read = stored_page(
        work.folder.transcription(number), transcription_key(from_layout, work.recognition, work.spelling)
    )
    return PageJob(number, place, False, False, wants_text and read is None)


def do_page(work: DocumentWork, worker: Worker, job: PageJob) -> PageReport:
    """Have a worker do a page, check what it says, and publish it, stage by stage.

    Raises:
        ArchiveError: The page could not be done, or not be stored.
    """
    began = time.monotonic()
    before = None if job.render else stored_image(work.folder, job.number)
    layout = None if job.segment else stored_page(work.folder.layout(job.number))
    request: dict[str, Any] = {
        "op": "page",
        "number": job.number,
        "render": _render_request(work, job) if job.render else None,
        "image": before.model_dump(mode="json") if before else None,
        "segment": work.segmentation.model_dump(mode="json") if job.segment else None,
        "recognize": work.recognition.model_dump(mode="json") if job.recognize else None,
        "direction": work.direction,
        "layout": layout.page.model_dump(mode="json") if layout else None,
        "spelling": [each.to_json() for each in work.spelling],
    }
    if before is None:
        file = open_file(work.source, _position(work, job.place.file))
    else:
        file = (work.folder.images / before.file).open("rb")
    models = [work.segmentation] * job.segment + [work.recognition] * job.recognize
    with file, server_for(models, work.options) as (server, connections):
        if before is None:
            _require_same(work, job.place.file, os.fstat(file.fileno()))
        answer = worker.call(request | {"server": server}, [file, *connections])
    try:
        report = PageReport.model_validate(
            {"seconds": answer.get("seconds"), "peak_memory_mb": answer.get("peak_memory_mb", 0)}
        )
        _publish(work, worker, job, before, answer)
    except ValidationError as error:
        raise ChildError(f"a page worker gave an answer that is none: {str(error)[:300]}") from None
    finally:
        worker.clear()
    return report.model_copy(update={"total": round(time.monotonic() - began, 3)})


def require_unchanged(work: KnownDocument) -> None:
    """Make sure that the source is still what was inspected, for a PDF made of two versions would be of neither.

    Raises:
        PageFailed: It is not.
    """
    for number in range(len(work.inspection.files)):
        with open_file(work.source, _position(work, number)) as file:
            _require_same(work, number, os.fstat(file.fileno()))


def _require_same(work: KnownDocument, number: int, status: os.stat_result) -> None:
    known = work.inspection.files[number]
    if (status.st_size, status.st_mtime_ns) != (known.size, known.mtime_ns):
        raise PageFailed("the source was changed while it was being read", remedy="Run it again.")


def _render_request(work: DocumentWork, job: PageJob) -> dict[str, Any]:
    info = work.inspection.files[job.place.file].info
    return {
        "info": info.model_dump(mode="json"),
        "index": job.place.index,
        "options": asdict(render_options(work.options)),
    }


def _position(work: KnownDocument, number: int) -> int:
    """Index in the source of a file of the inspection, which leaves out files that cannot be used."""
    name = work.inspection.files[number].name
    for index, path in enumerate(work.source.files):
        if path.name == name:
            return index
    raise PageFailed(f"the source was changed: {printable(name)} is not there any more", remedy="Run it again.")


def _publish(
    work: DocumentWork, worker: Worker, job: PageJob, before: PageImage | None, answer: dict[str, Any]
) -> None:
    try:
        image = PageImage.model_validate(answer["image"]) if before is None else before
        layout = Page.model_validate(answer["layout"]) if job.segment else None
        transcription = Page.model_validate(answer["transcription"]) if job.recognize else None
    except KeyError as error:
        raise ChildError(f"a page worker gave an answer without {error}") from None
    if {page.number for page in (image, layout, transcription) if page} != {job.number}:
        raise ChildError("a page worker answered for another page")
    if before is None:
        image = _publish_image(work, worker, job, image)
    from_layout = layout_key(image, work.segmentation, work.direction)
    if layout is not None:
        write_model(work.folder.layout(job.number), StoredPage(made_from=from_layout, page=layout))
    if transcription is not None:
        keep_earlier(work.folder, job.number, image, work.segmentation, work.recognition)
        made_from = transcription_key(from_layout, work.recognition, work.spelling)
        write_model(work.folder.transcription(job.number), StoredPage(made_from=made_from, page=transcription))
    work.folder.failure(job.number).unlink(missing_ok=True)


def _source_of(work: DocumentWork, place: PagePlace) -> str:
    """Which page of which file, by its bytes."""
    return f"{work.inspection.files[place.file].sha256}:{place.index}"


def _publish_image(work: DocumentWork, worker: Worker, job: PageJob, image: PageImage) -> PageImage:
    """Copy the page image out of the scratch folder; its record comes last and says that it is whole."""
    suffix = image.file.rpartition(".")[2]
    if suffix not in {"jpg", "png"}:
        raise ChildError("a page worker made an image of an unknown kind")
    name = f"{job.number:04d}.{suffix}"
    note_corrected_image(work.folder, job.number, but=image.sha256)
    with (
        open_result(worker.scratch, image.file, max_bytes=4 * work.options.max_pixels + (1 << 20)) as made,
        atomic_write(work.folder.images / name) as target,
    ):
        shutil.copyfileobj(made, target, 1 << 20)
    for other in work.folder.images.glob(f"{job.number:04d}.*"):
        if other.suffix in {".jpg", ".png"} and other.name != name:
            other.unlink()
    made_from = image_key(work.inspection.files[job.place.file].sha256, job.place.index, work.options)
    sha256 = file_digest(work.folder.images / name)
    told = {"file": name, "sha256": sha256, "source": _source_of(work, job.place), "made_from": made_from}
    record = image.model_copy(update=told)
    if sha256 != image.sha256:
        raise ChildError("a page worker gave a wrong digest for its page image")
    write_model(work.folder.image_record(job.number), record)
    return record
