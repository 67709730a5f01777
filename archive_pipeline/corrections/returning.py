"""A ZIP or folder of corrected pages that comes back: matched to documents, and stored as corrections.

All that comes back is kept as it came (``documents/<key>/returned/0001/<digest>.json``), whatever becomes of it; and
the corrections that were there are kept when new ones take their place (``corrections/before/``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Literal

from archive_pipeline.corrections.merging import REVIEWED, Conflict, Merged, merge
from archive_pipeline.corrections.sent import SentPage, sent_pages
from archive_pipeline.durable import copy_file, digest_of, file_digest, write_json
from archive_pipeline.errors import ArchiveError
from archive_pipeline.ground_truth.matching import match_lines, scaled
from archive_pipeline.ground_truth.sent_names import SentName, parse_sent_name
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Page
from archive_pipeline.processing.corrected_lines import corrections_on
from archive_pipeline.processing.correction_layer import PageCorrections, stored_corrections
from archive_pipeline.processing.page_images_index import PageImages
from archive_pipeline.processing.stored_pages import stored_image, stored_page
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.training_sets.reading import ReadOptions, ReadPage, reading

_WAIT = 30.0
Outcome = Literal[
    "corrected",  # stored
    "same",  # was stored already
    "conflict",  # stored, but for lines that another person corrected differently
    "unchanged",  # nobody changed anything: it says nothing of the machine's text
    "other-picture",  # the scan was replaced since
    "no-text",  # not one line has text
    "not-read",  # the document has no lines to put it on
    "unknown",  # of no document here
    "unreadable",
]


@dataclass(frozen=True)
class Returned:
    """What became of one page.

    Attributes:
        file: Name of its transcription in the ZIP.
        key, page: Of the document; None and 0 if it is of none.
        what: In a clause, for people; empty where the outcome says all.
        The others are those of :class:`~archive_pipeline.corrections.merging.Merged`.
    """

    file: str
    outcome: Outcome
    key: DocumentKey | None = None
    page: int = 0
    what: str = ""
    changed: int = 0
    confirmed: int = 0
    left: int = 0
    missing: int = 0
    conflicts: tuple[Conflict, ...] = ()
    unplaced: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def take_back(
    path: Path,
    store: Store,
    options: ReadOptions,
    *,
    reviewed: bool = False,
    take: bool = False,
    work: Path | None = None,
) -> Iterator[Returned]:
    """Store a returned ZIP, page by page; a page that cannot be stored stops no other.

    Args:
        reviewed: All pages were gone through, also those on which nothing was changed.
        take: In a conflict, what comes back wins over what is stored.
        work: Folder for what is unpacked.

    Raises:
        DocumentRefused: The ZIP is refused as a whole.
        DocumentBusy: A document is being written; run it again, what is stored already is not stored twice.
        StorageError: Corrections cannot be written; those that were there still are.
    """
    images = PageImages(store)
    with reading(path, options, work) as reader:
        for read in reader.pages():
            yield _ReturnedPage(read, store, images).store(reviewed=reviewed, take=take)


class _ReturnedPage:
    def __init__(self, read: ReadPage, store: Store, images: PageImages) -> None:
        self._read = read
        self._store = store
        self._images = images

    def store(self, *, reviewed: bool, take: bool) -> Returned:
        page = self._read.page
        if self._read.problem is not None or page is None:
            problem = self._read.problem
            return Returned(self._read.file, "unreadable", what=problem.what if problem else "there is no page in it")
        place = self._place()
        if place is None:
            what = "neither its image nor its name leads to a document here"
            return Returned(self._read.file, "unknown", what=what)
        key, number, mark = place
        folder = self._store.document(key)
        with folder.lock(_WAIT):
            try:
                return self._stored(folder, number, mark, page, reviewed=reviewed, take=take)
            except ArchiveError as error:
                raise error.at(document=key, page=number) from None

    def _place(self) -> tuple[DocumentKey, int, str] | None:
        """Which page it is, and how the digest of the image begins on which it was corrected."""
        named = self._named()
        image = self._read.image
        for digest in (image.sha256 if image else "", self._read.told.digest):
            if (found := self._images.with_digest(digest, named)) is not None:
                return *found, digest
        if named is None or not self._store.document(named.key).root.is_dir():
            return None
        return named.key, named.page, named.mark

    def _named(self) -> SentName | None:
        names = (self._read.told.name, self._read.image_name, self._read.file)
        return next((found for name in names if (found := parse_sent_name(name)) is not None), None)

    def _stored(
        self, folder: DocumentFolder, number: int, mark: str, page: Page, *, reviewed: bool, take: bool
    ) -> Returned:
        def said(outcome: Outcome, what: str = "") -> Returned:
            return Returned(self._read.file, outcome, folder.key, number, what)

        if not any(line.best_text.strip() for line in page.lines()):
            return said("no-text", "no line of it has text; was the right transcription exported?")
        sent = _nearest(page, list(sent_pages(folder, number, mark)))
        image = stored_image(folder, number)
        _keep_returned(folder, number, page, mark, sent, image)
        stored = stored_page(folder.transcription(number)) or stored_page(folder.layout(number))
        if image is None or stored is None:
            return said("not-read", "the document has not been read yet; run it, then import this again")
        if not _same_picture(mark, sent, image, page):
            what = "the scan was replaced by another picture since; it is kept, and put on no line"
            return said("other-picture", what)
        layer = stored_corrections(folder, number)
        if corrections_on(stored.page, image, layer).other_picture:
            layer = PageCorrections()  # of the picture before; the file is kept below
        across, down = stored.page.width / page.width, stored.page.height / page.height
        merged = merge(
            _resized(page, across, down),
            _resized(sent.page, stored.page.width / sent.page.width, stored.page.height / sent.page.height)
            if sent
            else None,
            stored.page,
            image,
            layer,
            reviewed=reviewed or self._read.status in REVIEWED,
            take=take,
        )
        return self._write(folder, number, merged)

    def _write(self, folder: DocumentFolder, number: int, merged: Merged) -> Returned:
        outcome: Outcome = "unchanged"
        what = "nothing on it was changed; if it was gone through, import it with --reviewed"
        if merged.taken:
            what = ""
            if merged.left:
                what = "if the page was gone through, import it with --reviewed, and they count as right, too"
            if merged.layer == stored_corrections(folder, number):
                outcome = "same"
            else:
                _keep_before(folder, number)
                write_json(folder.correction(number), merged.layer.model_dump(mode="json"))
                outcome = "corrected"
            outcome = "conflict" if merged.conflicts else outcome
        return Returned(
            self._read.file,
            outcome,
            folder.key,
            number,
            what,
            merged.changed,
            merged.confirmed,
            merged.left,
            merged.missing,
            merged.conflicts,
            merged.unplaced,
        )


def _nearest(page: Page, sent: list[SentPage]) -> SentPage | None:
    """Which of several forms a person had before them: the one that what came back is most like."""
    if len(sent) < 2:
        return sent[0] if sent else None
    lines = list(page.lines())

    def likeness(each: SentPage) -> float:
        before = list(each.page.lines())
        pairs = match_lines(lines, before).items()
        return sum(SequenceMatcher(None, lines[a].best_text, before[b].best_text, False).ratio() for a, b in pairs)

    return max(sent, key=likeness)


def _same_picture(mark: str, sent: SentPage | None, image: PageImage, page: Page) -> bool:
    if not image.sha256.startswith(mark) and not (sent and sent.source and sent.source == image.source):
        return False
    # A tool may scale, but not turn or cut.
    across, down = image.width / page.width, image.height / page.height
    return abs(across - down) <= 0.02 * max(across, down)


def _resized(page: Page, across: float, down: float) -> Page:
    if across == down == 1:
        return page
    regions = tuple(
        region.model_copy(update={"lines": tuple(scaled(line, across, down) for line in region.lines)})
        for region in page.regions
    )
    return page.model_copy(update={"regions": regions})


def _keep_returned(
    folder: DocumentFolder, number: int, page: Page, mark: str, sent: SentPage | None, image: PageImage | None
) -> None:
    """Keep what came back as it came, before anything is decided."""
    of = sent.image if sent else image.sha256 if image and image.sha256.startswith(mark) else mark
    data = {"schema_version": 1, "image": of, "page": page.model_dump(mode="json")}
    path = folder.root / "returned" / f"{number:04d}" / f"{digest_of(data)[:16]}.json"
    if not path.is_file():
        write_json(path, data)


def _keep_before(folder: DocumentFolder, number: int) -> None:
    """Keep the file of corrections that a new one takes the place of."""
    path = folder.correction(number)
    if path.is_file():
        kept = path.parent / "before" / f"{number:04d}-{file_digest(path)[:16]}.json"
        if not kept.is_file():
            copy_file(path, kept)
