"""What a path on the command line, or the upload folder, holds: the documents.

The rule looks at names only, and at one folder at a time:

* a file is a document;
* a folder with image files and without a PDF is one document: its image files, one after another;
* in a folder with a PDF, each PDF and each image file is a document of its own;
* subfolders are looked at in the same way, each for itself.

So ``box/1.tif … box/9.tif`` is one document of nine pages (or more: a TIFF may have several), and single documents
that happen to be TIFF files are given by name (``run box/*.tif``) or lie in the upload folder itself, which is never a
document as a whole.

Links to folders are not followed, which rules out loops; links to files are not taken unless given by name.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from archive_pipeline.errors import NoPages, NotReadable
from archive_pipeline.intake.names import is_document, is_image, set_aside
from archive_pipeline.intake.source import list_folder, look_at


def expand(paths: Iterable[Path]) -> list[Path]:
    """The documents that are meant by ``run PATH…``.

    Returns:
        Each document once, in the order given, and in natural order within a folder.

    Raises:
        NotReadable: There is nothing at a path.
        NoPages: A folder holds no document.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        is_folder = stat.S_ISDIR(look_at(path).st_mode)
        documents = list(_documents(path)) if is_folder else [path]
        if not documents:
            raise NoPages("no documents below this folder", document=str(path))
        for document in documents:
            found.setdefault(document.absolute(), document)
    return list(found.values())


def documents_below(folder: Path) -> Iterator[Path]:
    """The documents in a folder that is a place for documents and not one itself: the upload folder.

    Raises:
        NotReadable: The folder itself cannot be listed.
    """
    return _documents(folder, whole=False)


def documents_in(entries: Iterable[os.DirEntry[str]]) -> tuple[bool, set[str]]:
    """Whether a folder's files are one document, and the names of the files that are documents or pages."""
    files = {entry.name for entry in entries if entry.is_file(follow_symlinks=False) and is_document(entry.name)}
    return bool(files) and all(map(is_image, files)), files


def _documents(root: Path, *, whole: bool = True) -> Iterator[Path]:
    """Documents below a folder, in natural order.

    A subfolder that cannot be listed is yielded as if it were a document: it is then refused by name like any other
    document that cannot be read, and stops nothing else.

    Args:
        whole: The folder itself may be a document.
    """
    # Not recursive: somebody may upload a thousand folders in each other.
    pending: list[tuple[Path, bool]] = [(root, True)]
    while pending:
        path, is_folder = pending.pop()
        if not is_folder:
            yield path
            continue
        try:
            entries = [entry for entry in list_folder(path) if not set_aside(entry.name)]
        except NotReadable:
            if path == root:
                raise
            yield path
            continue
        together, files = documents_in(entries)
        together = together and (whole or path != root)
        if together:
            yield path
        for entry in reversed(entries):
            if entry.is_dir(follow_symlinks=False):
                pending.append((path / entry.name, True))
            elif entry.name in files and not together:
                pending.append((path / entry.name, False))
