"""Pages of ground truth that nobody wrote, each with an image and a text of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from archive_pipeline.page import Line, Page, Region
from archive_pipeline.training_sets.frozen import FrozenPages, marks_of
from archive_pipeline.training_sets.lines import TrainingPage

BOX = ((0, 0), (99, 0), (99, 9), (0, 9))
NOTHING = FrozenPages(hand="Jean")


def text_of(number: int) -> str:
    return f"page {number} " + hashlib.sha256(str(number).encode()).hexdigest() * 2


def page(number: int, *, name: str | None = None, image: int | None = None, text: str | None = None) -> TrainingPage:
    """A page with an image and a text of its own, if nothing else is said."""
    name = name or f"set/{number:03d}.xml"
    line = Line(id="l", boundary=BOX, text=text_of(number) if text is None else text)
    return TrainingPage(
        id=name,
        group=name,
        image=Path("x.png"),
        image_sha256=hashlib.sha256(f"image {number if image is None else image}".encode()).hexdigest(),
        page=Page(number=1, width=100, height=100, regions=(Region(id="r", boundary=BOX, lines=(line,)),)),
        skip=frozenset(),
        licence=None,
        origin="set",
    )


def pages(count: int) -> list[TrainingPage]:
    return [page(number) for number in range(count)]


def ids(found: Sequence[TrainingPage]) -> list[str]:
    return [each.id for each in found]


def marks(found: Sequence[TrainingPage]) -> set[tuple[str, str]]:
    return {mark for each in found for mark in marks_of(each)}
