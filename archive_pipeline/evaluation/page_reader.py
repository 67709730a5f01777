"""One page image, one page worker: what the worker is asked, and what its answers must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from archive_pipeline.durable import file_digest
from archive_pipeline.errors import ChildError, NotReadable, PageFailed, StorageError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Box, Page
from archive_pipeline.processing.line_pictures import MAX_BYTES
from archive_pipeline.processing.model_server import server_for
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.page_job import render_options
from archive_pipeline.processing.pool import Worker
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.sealed import open_result

_JPEG = b"\xff\xd8\xff"


@dataclass(frozen=True)
class Seen:
    """An image that can be read.

    Attributes:
        path: Of a file of a stranger: a worker opens it.
        image: Its record, if it is the image of a page already.
        info: What it is, if the image of the page has to be made from it.
    """

    path: Path
    image: PageImage | None = None
    info: SourceInfo | None = None


@dataclass(frozen=True)
class Reading:
    """What a worker read.

    Attributes:
        layout: The lines that it found or was given.
        page: With their text.
        size: Width and height of the page image, in pixels.
    """

    layout: Page
    page: Page
    size: tuple[int, int]


class PageReader:
    """Has pages read by one worker."""

    def __init__(self, worker: Worker, options: ProcessingOptions) -> None:
        self.worker = worker
        self._all = options
        self._options = asdict(render_options(options))

    def truth(self, path: Path) -> Page:
        """What a PAGE or ALTO file says.

        Raises:
            ArchiveError: It cannot be read.
        """
        with _checked():
            return Page.model_validate(self._call({"op": "truth", "name": path.name}, path)["page"])

    def file(self, path: Path) -> Seen:
        """An image file of a stranger.

        Raises:
            PageFailed: It is not an image of one page.
        """
        with _checked():
            request = {"op": "inspect", "name": path.name, "options": self._options}
            info = SourceInfo.model_validate(self._call(request, path))
        if info.kind != "image" or info.pages != 1:
            raise PageFailed("it is not an image of one page")
        return Seen(path, info=info)

    def page_image(self, path: Path, sha256: str, size: tuple[int, int]) -> Seen:
        """The image of a page as it was stored.

        Raises:
            NotReadable: It is gone, or not the one that was stored.
        """
        try:
            found = file_digest(path)
        except StorageError as error:
            raise NotReadable(error.what) from None
        if found != sha256:
            raise NotReadable("its image is not the one that was transcribed", remedy="Import the ground truth again.")
        image = PageImage(number=1, file=path.name, sha256=sha256, width=size[0], height=size[1], method="image-file")
        return Seen(path, image=image)

    def read(
        self, seen: Seen, model: InstalledModel, layout: Page | None, segmentation: InstalledModel | None = None
    ) -> Reading:
        """Have a page read.

        Args:
            layout: The lines to read; None to have them found by ``segmentation``.

        Raises:
            ArchiveError: It could not be read.
        """
        render = None
        if seen.info is not None:
            render = {"info": seen.info.model_dump(mode="json"), "index": 0, "options": self._options}
        request = {
            "op": "page",
            "number": 1,
            "render": render,
            "image": seen.image.model_dump(mode="json") if seen.image else None,
            "segment": segmentation.model_dump(mode="json") if layout is None and segmentation else None,
            "recognize": model.model_dump(mode="json"),
            "layout": layout.model_dump(mode="json") if layout else None,
        }
        with _checked():
            answer = self._call(request, seen.path, [model, *([segmentation] if segmentation else [])])
            image = seen.image or PageImage.model_validate(answer["image"])
            found = layout or Page.model_validate(answer["layout"])
            return Reading(found, Page.model_validate(answer["transcription"]), (image.width, image.height))

    def lines(self, seen: Seen, segmentation: InstalledModel) -> Page:
        """The lines that a model finds on the image of a page, without text.

        Raises:
            ArchiveError: It could not be looked at.
        """
        request = {
            "op": "page",
            "number": 1,
            "render": None,
            "image": seen.image.model_dump(mode="json") if seen.image else None,
            "segment": segmentation.model_dump(mode="json"),
            "recognize": None,
            "layout": None,
        }
        with _checked():
            return Page.model_validate(self._call(request, seen.path, [segmentation])["layout"])

    def cut(self, seen: Seen, boxes: Sequence[Box]) -> list[bytes]:
        """JPEGs of parts of a page image, in the order of their boxes; empty where a box lies beyond it.

        Raises:
            ArchiveError: They cannot be made.
        """
        try:
            with seen.path.open("rb") as file:
                self.worker.call({"op": "lines", "boxes": [list(box) for box in boxes]}, [file])
            made = []
            for number in range(len(boxes)):
                with open_result(self.worker.scratch, f"line-{number}.jpg", max_bytes=MAX_BYTES) as picture:
                    made.append(picture.read(MAX_BYTES))
        except OSError as error:
            raise NotReadable(f"it cannot be opened: {error.strerror}", document=str(seen.path)) from None
        finally:
            self.worker.clear()
        if any(data and not data.startswith(_JPEG) for data in made):
            raise ChildError("a page worker made a picture of a line that is none")
        return made

    def _call(self, request: dict[str, Any], path: Path, models: Sequence[InstalledModel] = ()) -> dict[str, Any]:
        try:
            with path.open("rb") as file, server_for(models, self._all) as (server, connections):
                return self.worker.call(request | {"server": server}, [file, *connections])
        except OSError as error:
            raise NotReadable(f"it cannot be opened: {error.strerror}", document=str(path)) from None
        finally:
            self.worker.clear()


@contextmanager
def _checked() -> Iterator[None]:
    """What comes from a child is what it should be, or it is an error of the child."""
    try:
        yield
    except (ValidationError, KeyError) as error:
        raise ChildError(f"a page worker gave an answer that is none: {str(error)[:300]}") from None
