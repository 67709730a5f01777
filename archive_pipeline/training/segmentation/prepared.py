"""Pages as the network takes them: opened and scaled in a sealed child, their shapes in pixels of the scaled page."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archive_pipeline.durable import digest_of
from archive_pipeline.errors import (
    ArchiveError,
    BadGroundTruth,
    ChildError,
    ChildNotStarted,
    NotReadable,
    StorageError,
)
from archive_pipeline.page import Page
from archive_pipeline.sealed import Limits, SealedChild, open_result
from archive_pipeline.training.segmentation.child import ENTRY
from archive_pipeline.training.segmentation.shapes import Classes, Shapes, shapes_of
from archive_pipeline.training_sets.lines import TrainingPage

_SECONDS = 120.0
_WIDEST = 4  # scaled pages in heights; the engine's own bound is below


@dataclass(frozen=True)
class PreparedPage:
    """A page to train with or to validate by.

    Attributes:
        id: As :attr:`TrainingPage.id`.
        pixels: ``(height, width, channels)``.
        shapes: In pixels of it.
    """

    id: str
    pixels: NDArray[np.uint8]
    shapes: Shapes


def page_digest(page: TrainingPage) -> str:
    """What of a page a training of segmentation depends on: its image, and where its lines and regions are."""
    return digest_of(
        "segmentation page",
        page.image_sha256,
        [(region.type, region.boundary, [line.baseline for line in region.lines]) for region in page.page.regions],
    )


def prepare(
    pages: Sequence[TrainingPage],
    classes: Classes,
    height: int,
    channels: int,
    *,
    memory_mb: int = 4096,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[list[PreparedPage], dict[str, ArchiveError]]:
    """Open, scale and describe pages.

    Args:
        height: Pixels to which they are scaled.
        channels: 1 for grey, 3 for RGB.
        memory_mb: Of the sealed child.
        told: Called with the id of each page before it is opened.

    Returns:
        Those that can be used, in their order; and why the others cannot, by their id.

    Raises:
        ChildNotStarted, StorageError: The installation's fault.
    """
    made: list[PreparedPage] = []
    left_out: dict[str, ArchiveError] = {}
    with tempfile.TemporaryDirectory(prefix="prepare-") as folder, _Child(Path(folder), memory_mb) as child:
        for page in pages:
            told(page.id)
            try:
                shapes = shapes_of(page.page, classes)
                pixels, scale = child.scaled(page, height, channels)
            except (ChildNotStarted, StorageError):
                raise
            except ArchiveError as error:
                left_out[page.id] = error.at(document=page.id)
                continue
            made.append(PreparedPage(page.id, pixels, shapes.moved(scale)))
    return made, left_out


class _Child:
    """The sealed child; after a death or a time-out the next page gets another."""

    def __init__(self, scratch: Path, memory_mb: int) -> None:
        self._scratch = scratch
        self._limits = Limits(memory_mb=memory_mb, file_mb=256)
        self._child: SealedChild | None = None

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.close()

    def scaled(self, page: TrainingPage, height: int, channels: int) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        """The pixels of a page, and the map from its own pixels to them."""
        if self._child is None or not self._child.alive:
            self.__exit__()
            self._child = SealedChild(ENTRY, write=self._scratch, limits=self._limits)
        try:
            file = page.image.open("rb")
        except OSError as error:
            raise NotReadable(f"its image cannot be opened: {error.strerror}") from None
        with file:
            if hashlib.file_digest(file, "sha256").hexdigest() != page.image_sha256:
                raise NotReadable("its image is not the one that was stored", remedy="Import the ground truth again.")
            file.seek(0)
            answer = self._child.call({"height": height, "channels": channels}, [file], timeout=_SECONDS)
        return self._taken(answer, page.page, height, channels)

    def _taken(
        self, answer: dict[str, Any], page: Page, height: int, channels: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
        width, source, padded = answer.get("width"), answer.get("source"), answer.get("padded")
        if not isinstance(width, int) or not isinstance(padded, int) or not isinstance(source, list):
            raise ChildError("the child that scales pages gave an answer that is none")
        if source != [page.width, page.height]:
            raise BadGroundTruth(
                f"its lines are of an image of {page.width} x {page.height} pixels, this one is another",
                remedy="Import the ground truth again, with the image that was transcribed.",
            )
        if not 8 <= width <= _WIDEST * height or padded < page.height:
            raise BadGroundTruth(f"a page of {page.width} x {page.height} pixels is none that can be trained with")
        size = height * width * channels
        with open_result(self._scratch, str(answer.get("file")), max_bytes=size) as result:
            data = result.read(size + 1)
        if len(data) != size:
            raise ChildError("the child that scales pages wrote a file of another size than it said")
        scale = np.array([[width / page.width, 0.0, 0.0], [0.0, height / padded, 0.0]])
        return np.frombuffer(data, np.uint8).reshape(height, width, channels), scale
