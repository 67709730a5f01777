"""``images/0001.jpg``: the page images that all coordinates are pixels of, so that the exports can be taken elsewhere.

They are the files of the store under a second name (hard links), and cost no room there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from archive_pipeline.durable import copy_file, publish, storage_error, temporary_name
from archive_pipeline.exports.base import ExportDocument

FOLDER = "images"
MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}
"""Of the files, by their endings."""


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Give every page image that there is a place in the exports."""
    for image in document.images:
        if image is None:
            continue
        source, target = document.image_folder / image.file, folder / FOLDER / image.file
        try:
            there = target.exists() and source.samefile(target)
        except OSError:  # the image is not there, which the copy says
            there = False
        if not there:
            _link(source, target)
        yield target


def _link(source: Path, target: Path) -> None:
    temporary = temporary_name(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, temporary)
    except OSError:  # another file system, or one that has no links: the copy says what is wrong if that is not it
        copy_file(source, target)
        return
    try:
        publish(temporary, target)
    except OSError as error:
        raise storage_error(error, target) from error
