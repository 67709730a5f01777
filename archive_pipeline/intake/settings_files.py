"""Which ``archive.yaml`` files say how a document is read, the nearest first. They are found here, parsed elsewhere.

* ``letter.pdf.archive.yaml`` beside ``letter.pdf`` holds for that file alone;
* ``archive.yaml`` in a folder of page images, which is one document, holds for it;
* ``archive.yaml`` in any folder holds for all documents in it and below it, up to the upload folder.

For a document outside of the upload folder only its own folder is looked at beside: whoever may write to a folder
further up need not be the one whose documents these are.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from archive_pipeline.errors import BadSettings, NotReadable
from archive_pipeline.intake.names import SETTINGS_FILE
from archive_pipeline.intake.source import Source, open_file

MAX_BYTES = 16_384


def settings_files(document: Path, uploads: Path | None) -> tuple[Path, ...]:
    """The settings files that are there for a document, the nearest first. Opens nothing.

    Args:
        document: Its path, absolute.
        uploads: The upload folder, absolute.

    Raises:
        BadSettings: One is a link or no regular file, or is called ``archive.yml``, which would be passed over.
    """
    inside = uploads is not None and document.is_relative_to(uploads)
    around = [folder for folder in document.parents if uploads is not None and folder.is_relative_to(uploads)]
    folders = around if inside else [document.parent]
    if document.is_dir():
        folders.insert(0, document)
        named = []
    else:
        named = [document.with_name(f"{document.name}.{SETTINGS_FILE}")]
    files = [*named, *(folder / SETTINGS_FILE for folder in folders)]
    for file in files:
        _require_absent(file.with_suffix(".yml"), uploads)
    return tuple(file for file in files if _is_there(file, uploads))


def shown_name(file: Path, uploads: Path | None) -> str:
    """The name of a settings file for people: its path below the upload folder, else its own name."""
    return str(file.relative_to(uploads)) if uploads is not None and file.is_relative_to(uploads) else file.name


def read_settings_file(file: Path, uploads: Path | None) -> bytes:
    """The bytes of a settings file, unparsed.

    Raises:
        BadSettings: It has more than 16 kB, is gone, or may not be read.
    """
    name = shown_name(file, uploads)
    try:
        with open_file(Source(file, "folder", (file,), 0), 0) as opened:
            data = opened.read(MAX_BYTES + 1)
    except (NotReadable, OSError) as error:
        what = error.what if isinstance(error, NotReadable) else f"it cannot be read: {error.strerror}"
        raise BadSettings(f"{name}: {what}", remedy=NotReadable.default_remedy) from None
    if len(data) > MAX_BYTES:
        raise BadSettings(f"{name}: it is larger than the {MAX_BYTES >> 10} kB that settings may have")
    return data


def _is_there(file: Path, uploads: Path | None) -> bool:
    try:
        mode = file.lstat().st_mode
    except OSError as error:
        # A sidecar's name is longer than its document's, and may be longer than a name can be.
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return False
        raise BadSettings(f"{shown_name(file, uploads)}: it cannot be looked at: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        what = "a link" if stat.S_ISLNK(mode) else "no regular file"
        raise BadSettings(f"{shown_name(file, uploads)}: it is {what}", remedy="Put the file itself there.")
    return True


def _require_absent(file: Path, uploads: Path | None) -> None:
    if os.path.lexists(file):
        raise BadSettings(
            f"{shown_name(file, uploads)}: under this name it is not looked at",
            remedy=f"Rename it to {file.with_suffix('.yaml').name}.",
        )
