"""What another model made of a document, from what is stored of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from archive_pipeline.changes.pages import PageChanges, compare_pages
from archive_pipeline.errors import UsageError
from archive_pipeline.processing.corrected_lines import corrections_on
from archive_pipeline.processing.correction_layer import stored_corrections
from archive_pipeline.processing.stored_pages import stored_failure, stored_image, stored_page
from archive_pipeline.store import DocumentFolder

SURER = 0.005
"""A page is more or less certain from this difference of its confidence on."""


@dataclass(frozen=True)
class DocumentChanges:
    """What differs in a document, on the pages that another model has read before."""

    key: str
    pages: tuple[PageChanges, ...]

    @property
    def compared(self) -> tuple[PageChanges, ...]:
        return tuple(page for page in self.pages if not page.problem)

    @property
    def surer(self) -> tuple[int, ...]:
        """Numbers of pages that are more certain now."""
        return tuple(page.number for page in self.compared if page.gain is not None and page.gain >= SURER)

    @property
    def less_sure(self) -> tuple[int, ...]:
        """Numbers of pages that are less certain now."""
        return tuple(page.number for page in self.compared if page.gain is not None and page.gain <= -SURER)

    @property
    def sums(self) -> dict[str, int]:
        """Over all pages that can be compared."""
        lines = [line for page in self.compared for line in page.lines]
        return {
            "pages": len(self.compared),
            "pages_changed": sum(bool(page.lines) for page in self.compared),
            "same_lines": sum(page.same for page in self.compared),
            "changed_lines": sum(line.kind == "changed" for line in lines),
            "new_lines": sum(line.kind == "new" for line in lines),
            "gone_lines": sum(line.kind == "gone" for line in lines),
            "changed_words": sum(line.words for line in lines),
            "corrected_lines": sum(line.corrected for line in lines),
        }

    def to_dict(self) -> dict[str, Any]:
        return {
            "document": self.key,
            "sums": self.sums,
            "more_certain": list(self.surer),
            "less_certain": list(self.less_sure),
            "pages": [asdict(page) for page in self.pages],
        }


def document_changes(folder: DocumentFolder) -> DocumentChanges:
    """Compare the stored reading of each page with the one before it.

    Raises:
        UsageError: No page was read by another model before, or all that is too long ago.
        StorageError, DocumentFailed: Something that is stored is damaged.
    """
    pages = tuple(_pages(folder))
    if not pages:
        raise UsageError(
            "there is no earlier reading of it to compare with",
            document=folder.key,
            remedy="One is kept when another model reads a page, for as many days as ARCHIVE_KEEP_DAYS says.",
        )
    return DocumentChanges(folder.key, pages)


def _pages(folder: DocumentFolder) -> Iterator[PageChanges]:
    for path in sorted((folder.root / "earlier").glob("[0-9]*.json"), key=lambda path: int(path.stem)):
        number = int(path.stem)
        before, after = stored_page(path), stored_page(folder.transcription(number))
        if before is None:  # of an older schema
            continue
        failure = stored_failure(folder, number)
        if after is None or failure is not None:
            found = compare_pages(before.page, before.page)
            why = f"it is not read now: {failure.what.rstrip('.')}" if failure else "it is not read now"
            yield PageChanges(number, found.before, "", problem=why)
            continue
        applied = corrections_on(after.page, stored_image(folder, number), stored_corrections(folder, number))
        yield compare_pages(before.page, after.page, applied.texts.keys())
