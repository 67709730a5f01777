"""The lines of a training, cut out of their pages in a sealed child and kept in memory."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from kraken.lib.functional_im_transforms import text_reorder

from archive_pipeline.engines.base import Image
from archive_pipeline.errors import ArchiveError, ChildError, NotReadable, TooLarge
from archive_pipeline.sealed import Limits as ChildLimits
from archive_pipeline.sealed import SealedChild, open_result
from archive_pipeline.training.recognition.cutting_child import ENTRY, STRIPS
from archive_pipeline.training_sets.lines import TrainingPage

_MB = 1 << 20
_WIDEST = 100_000  # pixels of a strip


@dataclass(frozen=True)
class CutLine:
    """A line as a network gets it.

    Attributes:
        id: As :attr:`archive_pipeline.training_sets.lines.TrainingLine.id`.
        text: In the order of display: networks read from left to right, whatever the script.
        strip: height x width x 3, RGB.
    """

    id: str
    text: str
    strip: Image


def cut_lines(
    pages: Sequence[TrainingPage],
    height: int,
    *,
    child_mb: int,
    seconds: float,
    most_mb: int,
) -> list[CutLine]:
    """All lines of some pages that can be cut out.

    Args:
        height: Of the strips, in pixels.
        child_mb, seconds: What the sealed child may use, for all and for each page.
        most_mb: What the strips may take in memory.

    Raises:
        TooLarge: They take more.
        ArchiveError: A page image cannot be read; names the page.
    """
    cut: list[CutLine] = []
    taken = 0
    with tempfile.TemporaryDirectory(prefix="lines-") as name:
        scratch = Path(name)
        with SealedChild(ENTRY, write=scratch, limits=ChildLimits(memory_mb=child_mb)) as child:
            for page in pages:
                try:
                    found = _lines_of(page, child, scratch, height, seconds)
                except ArchiveError as error:
                    raise error.at(document=page.id) from None
                taken += sum(line.strip.nbytes for line in found)
                if taken > most_mb * _MB:
                    raise TooLarge(
                        f"the lines to train with take more than {most_mb:,} MB of memory",
                        remedy="Train with fewer pages, or give the training more memory.",
                    )
                cut += found
    return cut


def display_order(text: str, direction: str) -> str:
    """A line's text as its letters stand, from left to right (Unicode's UAX 9)."""
    return str(text_reorder(text, base_dir="R" if direction == "rtl" else "L"))


def _lines_of(page: TrainingPage, child: SealedChild, scratch: Path, height: int, seconds: float) -> list[CutLine]:
    lines = list(page.lines())
    request = {"lines": [each.line.model_dump(mode="json") for each in lines], "height": height}
    try:
        with page.image.open("rb") as file:
            # What is noted of the model is this digest: no other image may be learnt under it.
            if hashlib.file_digest(file, "sha256").hexdigest() != page.image_sha256:
                raise NotReadable("its image is not the one that was stored", remedy="Import the ground truth again.")
            file.seek(0)
            answer = child.call(request, [file], timeout=seconds)
    except OSError as error:
        raise NotReadable(f"its image cannot be read: {error.strerror}") from None
    widths = answer.get("widths")
    if not isinstance(widths, list) or len(widths) != len(lines) or not all(map(_is_width, widths)):
        raise ChildError("the child that cuts lines gave an answer that is none")
    size = sum(widths) * height * 3
    with open_result(scratch, STRIPS, max_bytes=size) as result:
        data = result.read(size + 1)
    if len(data) != size:
        raise ChildError("the child that cuts lines wrote another file than it says")
    if not lines:
        return []
    strips = np.frombuffer(data, np.uint8)
    ends = np.cumsum([width * height * 3 for width in widths])
    return [
        CutLine(each.id, display_order(each.text, each.line.direction), part.reshape(height, width, 3))
        for each, width, part in zip(lines, widths, np.split(strips, ends[:-1]), strict=True)
        if width
    ]


def _is_width(value: object) -> bool:
    return type(value) is int and 0 <= value <= _WIDEST
