"""Results of pages in the store: what each was made from, and which page people get to see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, read_json, write_json
from archive_pipeline.engines.factory import signature
from archive_pipeline.errors import ArchiveError
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.page import Direction, Line, Page
from archive_pipeline.processing.corrected_lines import Applied, corrections_on
from archive_pipeline.processing.correction_layer import note_image, stored_corrections
from archive_pipeline.processing.drawn_lines import with_drawn_lines
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.spelling.lists import WordList
from archive_pipeline.spelling.lists import signature as spelling_signature
from archive_pipeline.store import DocumentFolder

RENDERING_VERSION = "1"
Model = TypeVar("Model", bound=BaseModel)


class StoredPage(BaseModel):
    """A ``Page`` with the digest of what it was made from."""

    model_config = ConfigDict(frozen=True)

    made_from: str
    page: Page

    @property
    def version(self) -> str:
        """Digest by which another result is told from this one.

        What a page was made from, as long as the same always comes of it. A server may say something else each time:
        then it is the page itself.
        """
        return digest_of(self.made_from, self.page.model_dump(mode="json")) if self._is_served else self.made_from

    @property
    def _is_served(self) -> bool:
        # A detector with a digest may have been given its regions and their order by a server.
        return any((step.model and not step.model_digest) or "layout" in step.parameters for step in self.page.steps)


class Failure(BaseModel):
    """Why a page could not be done. It is tried again in the next run."""

    model_config = ConfigDict(frozen=True)

    code: str
    what: str
    remedy: str = ""

    @classmethod
    def of(cls, error: ArchiveError) -> Failure:
        return cls(code=error.code, what=error.what, remedy=error.remedy)

    @property
    def reason(self) -> str:
        return f"{self.what}. {self.remedy}".strip()


def image_key(file_sha256: str, index: int, options: ProcessingOptions) -> str:
    """What a page image is made from."""
    return digest_of(RENDERING_VERSION, file_sha256, index, options.dpi, options.max_pixels, options.born_digital)


def layout_key(image: PageImage, model: InstalledModel, direction: Direction | None = None) -> str:
    """What a layout is made from; language is no part of it, since no engine asks for it."""
    # From left to right is what engines take for granted: to say so changes nothing.
    told = [direction] if direction not in (None, "ltr") else []
    return digest_of("layout", image.sha256, signature(model), *told)


def transcription_key(layout_made_from: str, model: InstalledModel, spelling: Sequence[WordList] = ()) -> str:
    """What a transcription is made from. The document's language is in it where it chose word lists."""
    # Without word lists the key is what it was before there were any.
    lists = [spelling_signature(spelling)] if spelling else []
    return digest_of("transcription", layout_made_from, signature(model), *lists)


def stored_image(folder: DocumentFolder, number: int, made_from: str | None = None) -> PageImage | None:
    """The record of a page image, if it is there with its file, and was made from that."""
    image = _load(folder.image_record(number), PageImage)
    if image is None or (made_from is not None and image.made_from != made_from):
        return None
    return image if (folder.images / image.file).is_file() else None


def note_corrected_image(folder: DocumentFolder, number: int, but: str = "") -> None:
    """Note which page image corrections by hand were written on, before its record is replaced or removed.

    The record tells that even where the file of the image is missing.

    Args:
        but: SHA-256 of an image that may stay or come back without a note.

    Raises:
        StorageError: It cannot be written; then the record must stay.
    """
    image = _load(folder.image_record(number), PageImage)
    if image is not None and image.sha256 != but:
        note_image(folder, number, image)


def stored_page(path: Path, made_from: str | None = None) -> StoredPage | None:
    """A stored layout or transcription, if it was made from that."""
    stored = _load(path, StoredPage)
    return stored if stored is not None and made_from in (None, stored.made_from) else None


def stored_failure(folder: DocumentFolder, number: int) -> Failure | None:
    return _load(folder.failure(number), Failure)


def _load(path: Path, model: type[Model]) -> Model | None:
    data = read_json(path)
    if data is None:
        return None
    try:
        return model.model_validate(data)
    except ValidationError:  # of an older schema: it is made again
        return None


def write_model(path: Path, model: BaseModel) -> None:
    write_json(path, model.model_dump(mode="json"))


def page_to_export(folder: DocumentFolder, number: int, *, selected: bool = True, language: str | None = None) -> Page:
    """The page as people get it: the machine's text with corrections, or an empty page that says why it is empty.

    Args:
        language: Of the document; it is no part of the stored page, so that another one makes no page be read again.
    """
    page = _page_to_export(folder, number, selected=selected)
    return page.model_copy(update={"language": language}) if language is not None else page


def _page_to_export(folder: DocumentFolder, number: int, *, selected: bool) -> Page:
    failure = stored_failure(folder, number)
    image = stored_image(folder, number)
    stored = stored_page(folder.transcription(number)) or stored_page(folder.layout(number))
    if failure is None and stored is not None:
        applied = corrections_on(stored.page, image, stored_corrections(folder, number))
        return with_drawn_lines(with_corrections(stored.page, applied.texts), applied.drawn)
    size: dict[str, Any] = {"width": 1, "height": 1}
    if image is not None:
        size = {"width": image.width, "height": image.height, "dpi": image.dpi, "image_digest": image.sha256}
    if failure is not None:
        return Page(number=number, status="failed", reason=failure.reason, **size)
    reason = "Not read yet." if selected else "Not among the pages that were asked for."
    return Page(number=number, status="skipped", reason=reason, **size)


def with_corrections(page: Page, corrections: dict[str, str]) -> Page:
    """Put what people wrote (line id -> text) beside what the machine read."""
    if not corrections:
        return page

    def corrected(line: Line) -> Line:
        return line.model_copy(update={"correction": corrections[line.id]}) if line.id in corrections else line

    regions = tuple(region.model_copy(update={"lines": tuple(map(corrected, region.lines))}) for region in page.regions)
    return page.model_copy(update={"regions": regions})


def applied_corrections(folder: DocumentFolder, number: int) -> Applied:
    """Which corrections are on the page as it was last read, and which are not; the file keeps the text of all.

    Raises:
        DocumentFailed: The file is damaged.
    """
    layer = stored_corrections(folder, number)
    if not layer.lines:
        return Applied({})
    stored = stored_page(folder.transcription(number)) or stored_page(folder.layout(number))
    if stored is None or stored_failure(folder, number) is not None:
        return Applied({}, lost=tuple(sorted(layer.lines)))
    return corrections_on(stored.page, stored_image(folder, number), layer)


def forget_pages_after(folder: DocumentFolder, pages: int) -> None:
    """Remove derived results of pages that the document no longer has; corrections stay."""
    for number in {int(path.stem) for path in _numbered(folder, ("corrections",)) if int(path.stem) > pages}:
        note_corrected_image(folder, number)
    for path in _numbered(folder, ("images", "layouts", "transcriptions", "earlier", "failures")):
        if int(path.stem) > pages:
            path.unlink(missing_ok=True)


def _numbered(folder: DocumentFolder, names: Iterable[str]) -> list[Path]:
    return [path for name in names for path in (folder.root / name).glob("*") if path.stem.isdigit()]
