"""What was sent out: kept, so that what comes back can be told from what was never touched.

``documents/<key>/sent/0001/<digest>.json``: the page as it went out, and of which image. There may be several: a page
may be out in two ZIPs at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from archive_pipeline.durable import digest_of, read_json, write_json
from archive_pipeline.errors import StorageError
from archive_pipeline.page import Page
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder


class SentPage(BaseModel):
    """A page as it went out.

    Attributes:
        image, source: As :class:`~archive_pipeline.processing.correction_layer.PageCorrections` has them.
        page: With the text that was sent, in ``text``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: str
    source: str = ""
    page: Page


def sendable(page: Page) -> Page:
    """A page with one text a line, the best; words would contradict it as soon as a person changes it."""
    regions = tuple(
        region.model_copy(
            update={
                "lines": tuple(
                    line.model_copy(
                        update={
                            "text": line.best_text,
                            "correction": None,
                            "words": (),
                            "confidence": line.confidence if line.correction is None else None,
                        }
                    )
                    for line in region.lines
                )
            }
        )
        for region in page.regions
    )
    return page.model_copy(update={"regions": regions})


def keep_sent(folder: DocumentFolder, page: Page, image: PageImage) -> None:
    """Note what goes out, before it does."""
    data = SentPage(image=image.sha256, source=image.source, page=page).model_dump(mode="json")
    path = _folder(folder, page.number) / f"{digest_of(data)[:16]}.json"
    if not path.is_file():
        write_json(path, data)


def sent_pages(folder: DocumentFolder, number: int, mark: str = "") -> Iterator[SentPage]:
    """All forms in which a page was sent out, in a fixed order.

    Args:
        mark: Only of images whose SHA-256 begins like this.
    """
    for path in sorted(_folder(folder, number).glob("[!.]*.json")):
        try:
            sent = SentPage.model_validate(read_json(path))
        except (ValidationError, StorageError):
            continue  # damaged, or of another version: then what returns is compared with what is stored now
        if sent.image.startswith(mark):
            yield sent


def _folder(folder: DocumentFolder, number: int) -> Path:
    return folder.root / "sent" / f"{number:04d}"
