"""Does a model load, and read? It is tried on a page of the demo, whose text is known, in a sealed page worker.

A digest says that a file is the one that was chosen; this says that it works here, with the libraries of this
installation. What a model is worth, ground truth tells, not this.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image as PillowImage
from pydantic import ValidationError
from rapidfuzz.distance import Levenshtein

from archive_pipeline.demo import texts
from archive_pipeline.demo.pages import DPI, typed_page
from archive_pipeline.durable import file_digest, write_bytes
from archive_pipeline.errors import ArchiveError, ChildError, ChildNotStarted, ServerFailed, StorageError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.pool import Worker
from archive_pipeline.processing.server_check import ask_server
from archive_pipeline.rendering.model import PageImage

MOST_ERRORS = 0.5
"""CER beyond which a model for Latin script does not read. A hand's model may well read typescript badly."""
FEWEST_LINES = 0.5
"""Share of the lines below which a segmenter does not find them."""

_LINES = 6
_SEED = 1914
_TIMEOUT = 120.0


@dataclass(frozen=True)
class Trial:
    """How a model did.

    Attributes:
        ok: It loaded and did its task, well enough where that can be judged.
        expected: The text on the page, in lines.
        read: What a recognition model read, in lines; empty for others.
        cer: Wrong characters of a recognition model for each one on the page, 0 to 1 and more; None for others.
        lines: Lines on the page.
        found: Those of them that a segmentation model found; None for others.
        seconds: Wall time, loading included.
        problem: Why it is not ok, in a sentence; else empty.
    """

    ok: bool
    expected: str = ""
    read: str = ""
    cer: float | None = None
    lines: int = 0
    found: int | None = None
    seconds: float = 0.0
    problem: str = ""


def try_model(model: InstalledModel, scratch: Path, *, scripts: Sequence[str] = (), server: str | None = None) -> Trial:
    """Have a model do its task on a page of the demo.

    Args:
        scratch: A folder for the time of this call, which the caller makes and clears away.
        scripts: What the catalogue says that the model reads (ISO 15924). The page is in Latin script: a model without
            it has to load and to run, and is not judged by what it makes of that.
        server: For a served model, where its server's interface begins, such as ``http://surya:8000/v1``; it is asked
            whether it answers and has the model, and nothing is read.

    Raises:
        ChildNotStarted, StorageError: The installation's fault, not the model's.
    """
    began = time.monotonic()
    try:
        trial = _ask(model, server) if model.served and not model.files else _do(model, scratch, scripts)
    except (ChildNotStarted, StorageError):
        raise
    except ArchiveError as error:
        trial = Trial(False, problem=str(error))
    return Trial(**{**vars(trial), "seconds": round(time.monotonic() - began, 3)})


def _do(model: InstalledModel, scratch: Path, scripts: Sequence[str]) -> Trial:
    pixels, truth = typed_page(1, [line for line in texts.LETTER[0] if line][:_LINES], _SEED, skew=0.3)
    picture = BytesIO()
    PillowImage.fromarray(pixels).save(picture, "PNG", dpi=(DPI, DPI))
    path = scratch / "trial.png"
    write_bytes(path, picture.getvalue())
    image = PageImage(
        number=1,
        file=path.name,
        sha256=file_digest(path),
        width=truth.width,
        height=truth.height,
        dpi=DPI,
        method="image-file",
        made_from="",
    )
    description = model.model_dump(mode="json")
    request = {
        "op": "page",
        "number": 1,
        "render": None,
        "image": image.model_dump(mode="json"),
        "segment": description if model.task == "segmentation" else None,
        "recognize": description if model.task == "recognition" else None,
        "layout": _unread(truth).model_dump(mode="json"),
    }
    options = ProcessingOptions(page_timeout=_TIMEOUT)
    folder = scratch / "worker"
    folder.mkdir(exist_ok=True)
    with path.open("rb") as file, closing(Worker(folder, options, [model.folder])) as worker:
        answer = worker.call(request, [file])
    try:
        page = Page.model_validate(answer.get("layout" if model.task == "segmentation" else "transcription"))
    except ValidationError as error:
        raise ChildError(f"a page worker gave an answer that is none: {str(error)[:300]}") from None
    return _judge_lines(truth, page) if model.task == "segmentation" else _judge_text(truth, page, scripts)


def _unread(truth: Page) -> Page:
    """The page with its lines, and nothing of what stands in them."""
    regions = tuple(
        region.model_copy(update={"lines": tuple(line.model_copy(update={"text": ""}) for line in region.lines)})
        for region in truth.regions
    )
    return truth.model_copy(update={"regions": regions})


def _judge_text(truth: Page, page: Page, scripts: Sequence[str]) -> Trial:
    expected, read = _text(truth.regions), _text(page.regions)
    cer = Levenshtein.distance(expected, read) / len(expected)
    latin = not scripts or "Latn" in scripts
    problem = ""
    if latin and not read.strip():
        problem = "it loads, but reads nothing on a page of clean typescript"
    elif latin and cer > MOST_ERRORS:
        problem = f"it loads, but gets {cer:.0%} of the characters of clean typescript wrong"
    return Trial(not problem, expected, read, round(cer, 4), sum(1 for _ in truth.lines()), problem=problem)


def _judge_lines(truth: Page, page: Page) -> Trial:
    there = list(truth.lines())
    given = list(page.lines())
    found = sum(any(_covers(line, other) for other in given) for line in there)
    problem = ""
    if found < FEWEST_LINES * len(there):
        problem = f"it loads, but finds {found} of {len(there)} lines of clean typescript"
    return Trial(not problem, _text(truth.regions), lines=len(there), found=found, problem=problem)


def _covers(line: Line, other: Line) -> bool:
    """Is the middle of a line in another one, and is that about as wide?"""
    left, top, right, bottom = line.box
    x0, y0, x1, y1 = other.box
    shared = min(right, x1) - max(left, x0)
    return y0 <= (top + bottom) / 2 <= y1 and shared > 0.7 * max(right - left, x1 - x0)


def _text(regions: Sequence[Region]) -> str:
    return "\n".join(
        line if isinstance(line, str) else line.text for region in regions for line in (region.lines or (region.text,))
    )


def _ask(model: InstalledModel, server: str | None) -> Trial:
    """Does the server answer, and has it the model?"""
    if server is None:
        return Trial(False, problem="it is read by a server, and none is set")
    try:
        ask_server(model, server)
    except ServerFailed as error:
        return Trial(False, problem=error.what)
    return Trial(True)
