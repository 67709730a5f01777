"""What rendering does for a document: say what a file is, and make the image of one of its pages.

Both parse untrusted bytes and therefore run in a sealed child (:mod:`archive_pipeline.rendering.child`).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from archive_pipeline.errors import ArchiveError, TooLarge
from archive_pipeline.rendering import formats, images
from archive_pipeline.rendering.model import PageImage, RenderOptions, SourceInfo
from archive_pipeline.rendering.pdf_document import open_kept
from archive_pipeline.rendering.pdf_pages import render_pdf_page


def inspect(file: BinaryIO, name: str, options: RenderOptions) -> SourceInfo:
    """Find out what a file is and how many pages it has, by its bytes.

    Args:
        file: Open for reading; its position is not kept.
        name: For messages only.

    Raises:
        EmptyFile, UnsupportedType, DamagedFile, PasswordProtected, NoPages, TooLarge: It is refused.
    """
    form = formats.detect(file, name)
    try:
        if form.kind == "pdf":
            pages = open_kept(file).pages
            if pages > options.max_pages:
                raise TooLarge(f"the PDF has {pages} pages, the limit is {options.max_pages}")
        else:
            pages = images.count_pages(file, form, options)
    except ArchiveError as error:
        error.at(document=name)
        raise
    return SourceInfo(kind=form.kind, media_type=form.media_type, pages=pages)


def render_page(
    file: BinaryIO, info: SourceInfo, index: int, number: int, options: RenderOptions, out_dir: Path
) -> PageImage:
    """Make one page image: a file ``0001.jpg`` or ``0001.png`` in ``out_dir``.

    Args:
        file: Open for reading; its position is not kept.
        info: What :func:`inspect` said of it.
        index: Of the page in this file, from 0.
        number: Of the page in the document, from 1.

    Raises:
        TooLarge, DamagedFile, PasswordProtected: The page (or the file as it is now) cannot be taken.
        OSError: The page image cannot be written.
    """
    try:
        if info.kind == "pdf":
            return render_pdf_page(open_kept(file), index, number, options, out_dir)
        return images.render_image(file, formats.IMAGES[info.media_type], index, number, options, out_dir)
    except ArchiveError as error:
        error.at(page=number)
        raise
