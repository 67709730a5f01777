"""A page worker: the handler of a sealed child that renders, segments and reads one page after another.

It gets open files and JSON, and answers with JSON and files in its scratch folder; see
:mod:`archive_pipeline.sealed`. Models are loaded when first needed and kept.
"""

from __future__ import annotations

import resource
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from archive_pipeline.engines.base import Image, Recognizer, Segmenter, each_line
from archive_pipeline.engines.factory import make_recognizer, make_segmenter
from archive_pipeline.engines.serving import Server
from archive_pipeline.errors import UsageError
from archive_pipeline.ground_truth.files import read_open
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Page
from archive_pipeline.processing.model_server import ServerDoor
from archive_pipeline.processing.preview import draw_preview
from archive_pipeline.rendering.decoding import page_pixels
from archive_pipeline.rendering.model import PageImage, RenderOptions, SourceInfo
from archive_pipeline.rendering.pages import inspect, render_page
from archive_pipeline.spelling.lists import WordList
from archive_pipeline.spelling.proposals import Dictionaries, propose

_BLANK = "No text was found on this page."


def handle(request: dict[str, Any], files: list[BinaryIO], scratch: Path) -> dict[str, Any]:
    """Do what ``request["op"]`` says: ``inspect``, ``truth``, ``page`` or ``preview``."""
    operation = request["op"]
    if operation == "inspect":
        options = RenderOptions(**request["options"])
        info: dict[str, Any] = inspect(files[0], request["name"], options).model_dump(mode="json")
        return info
    if operation == "truth":
        found = read_open(files[0], request["name"])
        return {"image": found.image, "page": found.page.model_dump(mode="json")}
    if operation == "page":
        with _DOOR.opened(request.get("server"), files[1:]) as server:
            return _page(request, files[0], scratch, server)
    if operation == "preview":
        page = Page.model_validate(request["page"])
        (scratch / "preview.jpg").write_bytes(draw_preview(page_pixels(files[0]), page))
        return {"file": "preview.jpg"}
    raise UsageError(f"a page worker cannot '{operation}'")


_DOOR = ServerDoor()


# Documents may each name models of their own. Two are kept, so that a worker which is given pages of two documents in
# turn does not load at every page, and a night with a hundred models takes no more memory than one with two.
@lru_cache(maxsize=2)
def _segmenter(model: InstalledModel, server: Server | None) -> Segmenter:
    return make_segmenter(model, server)


@lru_cache(maxsize=2)
def _recognizer(model: InstalledModel, server: Server | None) -> Recognizer:
    return make_recognizer(model, server)


@lru_cache(maxsize=2)
def _dictionaries(lists: tuple[WordList, ...]) -> Dictionaries:
    return Dictionaries(lists)


def _page(request: dict[str, Any], file: BinaryIO, scratch: Path, server: Server | None) -> dict[str, Any]:
    """Take one page from its source or its page image through the stages that are asked for.

    ``file`` is the source where ``request["render"]`` says how to render it, else the page image.
    """
    seconds: dict[str, float] = {}
    answer: dict[str, Any] = {"seconds": seconds}
    clock = _Clock(seconds)
    if request["render"] is not None:
        image = render_page(
            file,
            SourceInfo.model_validate(request["render"]["info"]),
            request["render"]["index"],
            request["number"],
            RenderOptions(**request["render"]["options"]),
            scratch,
        )
        answer["image"] = image.model_dump(mode="json")
        clock.lap("rendering")
    else:
        image = PageImage.model_validate(request["image"])
    if request["segment"] is None and request["recognize"] is None:
        return answer
    if image.text is not None:
        page = image.text.model_copy(update={"image_digest": image.sha256})
        return answer | {"layout": _dump(page), "transcription": _dump(page)}
    if request["render"] is None:
        pixels = page_pixels(file)
    else:
        with (scratch / image.file).open("rb") as rendered:
            pixels = page_pixels(rendered)
    if request["segment"] is not None:
        model = InstalledModel.model_validate(request["segment"])
        segmenter = _segmenter(model, server if model.served else None)
        page = _segment(pixels, image, segmenter, request.get("direction") or "ltr")
        answer["layout"] = _dump(page)
        clock.lap("segmentation")
    else:
        page = Page.model_validate(request["layout"])
    if request["recognize"] is not None:
        model = InstalledModel.model_validate(request["recognize"])
        page = _recognize(pixels, page, _recognizer(model, server if model.served else None))
        clock.lap("recognition")
        if lists := tuple(map(WordList.from_json, request.get("spelling", ()))):
            page = propose(page, _dictionaries(lists))
            clock.lap("spelling")
        answer["transcription"] = _dump(page)
    answer["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return answer


def _segment(pixels: Image, image: PageImage, segmenter: Segmenter, direction: Direction) -> Page:
    regions = each_line(
        segmenter.segment(pixels, direction), lambda line: line.model_copy(update={"direction": direction})
    )
    return Page(
        number=image.number,
        width=image.width,
        height=image.height,
        dpi=image.dpi,
        image_digest=image.sha256,
        status="done" if regions else "blank",
        reason="" if regions else _BLANK,
        direction=direction,
        regions=regions,
        steps=(segmenter.step,),
    )


def _recognize(pixels: Image, page: Page, recognizer: Recognizer) -> Page:
    if page.status == "blank":
        return page
    regions = recognizer.recognize(pixels, page.regions)
    # An engine that looks at the whole page may find that what were taken for lines are none.
    blank = {} if regions else {"status": "blank", "reason": _BLANK}
    return page.model_copy(update={"regions": regions, "steps": (*page.steps, recognizer.step), **blank})


def _dump(page: Page) -> dict[str, Any]:
    return page.model_dump(mode="json")


class _Clock:
    """Notes the seconds from lap to lap."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self._seconds = seconds
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._seconds[name] = round(now - self._last, 3)
        self._last = now
