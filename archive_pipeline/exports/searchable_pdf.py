"""``document.pdf``: the original pages with invisible text, PDF/A-2b.

This runs inside a sealed child, for it parses the source: it opens nothing but the files that it is handed, and writes
only to the folder of its target. The parent publishes what it wrote.

:func:`write_searchable_pdf` does it all. Where a document is more image files than a process can hold open, collect
them in portions with :class:`archive_pipeline.exports.pdf_source.ImagePages` and call :func:`complete` in the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pikepdf

from archive_pipeline.errors import DocumentFailed, printable
from archive_pipeline.exports import pdf_archival
from archive_pipeline.exports.pdf_font import PdfFont
from archive_pipeline.exports.pdf_old_text import remove_hidden_text
from archive_pipeline.exports.pdf_report import PdfMetadata, PdfReport
from archive_pipeline.exports.pdf_source import ImagePages, OpenImage, frames, open_pdf, placement
from archive_pipeline.exports.pdf_text_layer import text_layer
from archive_pipeline.page import Page, needs_eye
from archive_pipeline.rendering.model import PageImage, SourceKind

_LAYER = "/ArchiveText"


def write_searchable_pdf(
    sources: Iterable[BinaryIO],
    kind: SourceKind,
    pages: Sequence[Page],
    images: Sequence[PageImage | None],
    open_image: OpenImage,
    target: Path,
    metadata: PdfMetadata,
    *,
    visible: bool = False,
) -> PdfReport:
    """Write the searchable PDF of a document.

    Args:
        sources: The source PDF, or the image files in order, of which one may hold several pages.
        kind: What the sources are.
        pages: All pages in order; may load lazily.
        images: For each page the record of its page image, None where there is none; may load lazily.
        open_image: Opens a page image, which stands in for an image that PDF cannot hold.
        target: Where to write; other files are made in its folder and removed again.
        metadata: What the PDF says of itself.
        visible: Draw the text in red, to see where it is.

    Raises:
        PasswordProtected, DamagedFile: The source cannot be read.
        DocumentFailed: The source has not as many pages as were given.
    """
    if kind == "pdf":
        with open_pdf(next(iter(sources))) as pdf:
            return complete(pdf, pages, images, target, metadata, visible=visible)
    with closing(ImagePages(target.parent, open_image)) as collected:
        for source in sources:
            for frame in frames(source):
                collected.add(frame, images)
        return complete(collected.finish(), pages, images, target, metadata, notes=collected.notes, visible=visible)


def complete(
    pdf: pikepdf.Pdf,
    pages: Sequence[Page],
    images: Sequence[PageImage | None],
    target: Path,
    metadata: PdfMetadata,
    *,
    notes: Sequence[str] = (),
    visible: bool = False,
) -> PdfReport:
    """Lay the text under the pages of an open PDF, and write it; see :func:`write_searchable_pdf`."""
    if not len(pdf.pages) == len(pages) == len(images):
        raise DocumentFailed(f"the source has {len(pdf.pages)} pages, but {len(pages)} were read")
    font = PdfFont(pdf)
    told = list(notes)
    eye: list[tuple[int, str]] = []
    for index, (page, image) in enumerate(zip(pages, images, strict=True)):
        if why := needs_eye(page):
            eye.append((index, f"Page {page.number}: {why}"))
        # A born-digital page keeps its own text. So does one that was not looked at: an old text is better than none.
        if page.status not in {"done", "blank"} or image is None or image.text is not None:
            continue
        told.extend(_put_text(pdf, font, pdf.pages[index], page, image, visible))
    if font.used:
        font.embed()
    _bookmark(pdf, eye)
    return pdf_archival.save(pdf, target, metadata, told)


def _put_text(
    pdf: pikepdf.Pdf, font: PdfFont, target: pikepdf.Page, page: Page, image: PageImage, visible: bool
) -> Iterable[str]:
    """Replace a page's hidden text by ours; yields what a person should know."""
    try:
        remove_hidden_text(pdf, target, one_image=image.method == "embedded-image")
    except pikepdf.PdfError as error:
        yield f"Page {page.number} is damaged, so an old text layer may still be in it: {printable(error)}."
    form = text_layer(pdf, font, page, image.placement or placement(target, image), visible=visible)
    if form is None:
        return
    resources = target.obj.Resources
    names = (f"{_LAYER}{count or ''}" for count in range(len(resources.XObject) + 1))
    name = next(name for name in names if name not in resources.XObject)
    resources.XObject[name] = form
    # Under the page, so that what the page shows is not touched; last when it is made visible.
    target.contents_add(f"q {name} Do Q".encode(), prepend=not visible)


def _bookmark(pdf: pikepdf.Pdf, pages: Sequence[tuple[int, str]]) -> None:
    """A bookmark for each page that needs a human eye."""
    if not pages:
        return
    with pdf.open_outline() as outline:
        parent = pikepdf.OutlineItem(f"Pages that need an eye ({len(pages)})", pages[0][0])
        parent.children.extend(pikepdf.OutlineItem(printable(title), index) for index, title in pages)
        outline.root.append(parent)
