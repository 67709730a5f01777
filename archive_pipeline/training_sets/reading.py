"""Reading a folder or ZIP of ground truth, page by page; what cannot be read is a page with the reason.

The parent only opens, hashes and copies; a sealed child parses (:mod:`archive_pipeline.training_sets.child`).
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, TypeVar

from filelock import FileLock
from pydantic import BaseModel, ValidationError

from archive_pipeline.durable import TEMPORARY_SUFFIX, storage_error
from archive_pipeline.errors import (
    ArchiveError,
    BadTranscription,
    ChildError,
    ChildNotStarted,
    NotReadable,
    StorageError,
)
from archive_pipeline.ground_truth.raw_lines import RawLine
from archive_pipeline.ground_truth.told_image import ToldImage
from archive_pipeline.ground_truth.xml import direction_of
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.pool import IN_USE
from archive_pipeline.rendering.model import PageImage, RenderOptions
from archive_pipeline.sealed import Limits
from archive_pipeline.training_sets.asking import TruthChild
from archive_pipeline.training_sets.hand import Hand
from archive_pipeline.training_sets.names import ImageNames, page_of_line
from archive_pipeline.training_sets.opening import Opened, named, open_material
from archive_pipeline.unzipping.limits import ZipLimits

Lookup = Callable[[ToldImage], tuple[Path, str] | None]
"""Finds an image in the document store: its path, and what it is of, for people."""

_PAGE_IMAGES = ("0001.jpg", "0001.png")  # as archive_pipeline.rendering.pages has it
_FATAL = (ChildNotStarted, StorageError)
_HAND_SECONDS = 60.0
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class ReadOptions:
    """How ground truth is read.

    Attributes:
        seconds: Time limit for one file.
        lookup: Where images are looked for that are not there.
    """

    zip: ZipLimits = field(default_factory=ZipLimits)
    render: RenderOptions = field(default_factory=RenderOptions)
    memory_mb: int = 4096
    seconds: float = 300.0
    lookup: Lookup | None = None


@dataclass(frozen=True)
class ReadPage:
    """One page (or line image) of ground truth as it was found.

    Attributes:
        file: Name of its transcription in the folder or ZIP.
        sha256: Of that file.
        page: None if it could not be read.
        raw: Its lines as they stand in the file.
        status: What a person said of it in Transkribus.
        told: What its transcription says of the image.
        image: Record of the page image; None if there is none, or if it could not be read.
        image_name: Where the image was found.
        found_by: ``named``, ``name`` or ``store``.
        group: The page, for what is split by page: lines of one group stay together.
        problem: Why it cannot be used.
        image_path: The upright image, until the next page is read.
    """

    file: str
    sha256: str = ""
    page: Page | None = None
    raw: tuple[RawLine, ...] = ()
    status: str = ""
    told: ToldImage = field(default_factory=ToldImage)
    image: PageImage | None = None
    image_name: str = ""
    found_by: str = ""
    group: str = ""
    problem: ArchiveError | None = None
    image_path: Path | None = None


class TruthReader:
    """Reads one folder or ZIP: ``opened`` has its names, ``hand`` what its ``hand.yaml`` says."""

    def __init__(self, opened: Opened, child: TruthChild, scratch: Path, options: ReadOptions) -> None:
        self.opened = opened
        self._child = child
        self._scratch = scratch
        self._options = options
        self._images = ImageNames(opened.material.images)
        self.hand = self._hand()

    def _hand(self) -> Hand:
        name = self.opened.material.hand
        if name is None:
            return Hand()
        with named(name), self.opened.open(name) as file:
            return _validated(Hand, self._child.call({"do": "hand"}, [file], timeout=_HAND_SECONDS))

    def pages(self) -> Iterator[ReadPage]:
        """Every transcription that is there, in natural order."""
        for file in self.opened.material.pages:
            yield self._page(file)
            self._clear()
        for file in self.opened.material.lines:
            yield self._line(file)
            self._clear()

    def _page(self, file: str) -> ReadPage:
        found: dict[str, Any] = {"file": file, "group": file}
        try:
            with named(file):
                found["sha256"] = self._digest(file)
                told = _validated(ToldImage, self._ask({"do": "told", "name": file}, file))
                found["told"] = told
                found |= self._image_of(file, told)
                dpi = found["image"].dpi if found.get("image") else 0
                answer = self._ask({"do": "page", "name": file, "dpi": dpi}, file)
                found["page"] = _validated(Page, answer.get("page"))
                found["raw"] = tuple(_validated(RawLine, each) for each in answer.get("raw") or ())
                found["status"] = str(answer.get("status") or "")[:40]
        except _FATAL:
            raise
        except ArchiveError as error:
            found["problem"] = error
        return ReadPage(**found)

    def _image_of(self, file: str, told: ToldImage) -> dict[str, Any]:
        place = self._images.of_page(file, told.name)
        if place is not None:
            name, found_by = place
            with self.opened.open(name) as opened:
                return self._rendered(opened, name, found_by)
        stored = self._options.lookup(told) if self._options.lookup else None
        if stored is not None:
            path, what = stored
            try:
                with path.open("rb") as opened:
                    return self._rendered(opened, path.name, "store") | {"image_name": what}
            except OSError as error:
                raise NotReadable(f"the image of {what} cannot be opened: {error.strerror}") from None
        return {}

    def _line(self, file: str) -> ReadPage:
        found: dict[str, Any] = {"file": file, "group": page_of_line(file)}
        try:
            with named(file):
                found["sha256"] = self._digest(file)
                text = str(self._ask({"do": "text", "name": file}, file).get("text", ""))
                found["raw"] = (RawLine(id="line", row=1, text=text),)
                name = self._images.of_line(file)
                if name is not None:
                    with self.opened.open(name) as opened:
                        found |= self._rendered(opened, name, "name")
                    found["page"] = page_of_one_line(text, found["image"])
        except _FATAL:
            raise
        except ArchiveError as error:
            found["problem"] = error
        return ReadPage(**found)

    def _rendered(self, file: BinaryIO, name: str, found_by: str) -> dict[str, Any]:
        request = {"do": "image", "name": PurePosixPath(name).name, "options": asdict(self._options.render)}
        with named(name):
            answer = self._child.call(request, [file], timeout=self._options.seconds)
            image = _validated(PageImage, answer)
        found: dict[str, Any] = {"image": image, "image_name": name, "found_by": found_by}
        return found | {"image_path": self._scratch / PurePosixPath(image.file).name}

    def _ask(self, request: dict[str, Any], name: str) -> dict[str, Any]:
        with self.opened.open(name) as file:
            return self._child.call(request, [file], timeout=self._options.seconds)

    def _digest(self, name: str) -> str:
        with self.opened.open(name) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]

    def _clear(self) -> None:
        """Remove the page image that was made last; what a ZIP unpacked to stays."""
        # By name: to list the folder for each file of a ZIP takes minutes where there are tens of thousands.
        for name in _PAGE_IMAGES:
            (self._scratch / name).unlink(missing_ok=True)


@contextmanager
def reading(path: Path, options: ReadOptions, work: Path | None = None) -> Iterator[TruthReader]:
    """Open a folder or ZIP of ground truth; what was unpacked of it is gone at the end.

    Args:
        work: Folder for what is unpacked, such as one in the store; by default that for temporary files.

    Raises:
        DocumentRefused: It is refused as a whole, or its ``hand.yaml`` cannot be obeyed.
        NoSpaceLeft: There is no room to unpack it.
        ChildNotStarted: The sealed child cannot be started.
    """
    with ExitStack() as stack:
        try:
            if work is not None:
                work.mkdir(parents=True, exist_ok=True)
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=work, prefix="truth-")))
            if work is not None:
                # Whoever clears up asks this lock whether somebody is still here.
                stack.enter_context(FileLock(place / IN_USE))
            scratch = place / f"child{TEMPORARY_SUFFIX}"
            scratch.mkdir()
        except OSError as error:
            raise storage_error(error, work or Path(tempfile.gettempdir())) from error
        limits = Limits(memory_mb=options.memory_mb, file_mb=max(options.zip.file_mb, 1024))
        child = TruthChild(scratch, limits)
        stack.callback(child.close)
        opened = open_material(path, child, scratch, options.zip)
        yield TruthReader(opened, child, scratch, options)


def page_of_one_line(text: str, image: PageImage) -> Page:
    """A line image as a page: its one line is all of it."""
    corners = ((0, 0), (image.width - 1, 0), (image.width - 1, image.height - 1), (0, image.height - 1))
    line = Line(id="line", boundary=corners, text=text, direction=direction_of(text))
    region = Region(id="region", boundary=corners, lines=(line,))
    return Page(number=1, width=image.width, height=image.height, regions=(region,))


def _validated(model: type[Model], data: object) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        if model is Page:
            first = error.errors()[0]
            raise BadTranscription(f"it makes no page: {first['msg']} ({'.'.join(map(str, first['loc']))})") from None
        raise ChildError(f"the child that reads ground truth gave an answer that is none: {str(error)[:200]}") from None
