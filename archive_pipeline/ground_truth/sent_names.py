"""Names under which pages leave the archive to be corrected elsewhere, and by which they are known when they return."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from archive_pipeline.errors import UnsafeName
from archive_pipeline.keys import DocumentKey

_MARK = 12
_NAME = re.compile(rf"(?P<key>.+)_(?P<page>[0-9]{{4,6}})_(?P<mark>[0-9a-f]{{{_MARK}}})")


@dataclass(frozen=True)
class SentName:
    """Of which page a file is.

    Attributes:
        page: From 1.
        mark: How the SHA-256 of the page image begins, on which the file was made.
    """

    key: DocumentKey
    page: int
    mark: str

    def __str__(self) -> str:
        return f"{self.key}_{self.page:04d}_{self.mark}"


def sent_name(key: DocumentKey, page: int, image_sha256: str) -> SentName:
    return SentName(key, page, image_sha256[:_MARK])


def parse_sent_name(name: str) -> SentName | None:
    """Read it from a file name or path of another tool; None if it is none of ours.

    Tools keep the stem and may put something of theirs before it or another ending behind it.
    """
    last = PurePosixPath(name.replace("\\", "/")).name
    # Endings may have dots before them that belong to the key: look for the mark, not for the dot.
    for stem in (last, last.rpartition(".")[0], last.rpartition(".")[0].rpartition(".")[0]):
        if match := _NAME.fullmatch(stem):
            try:
                return SentName(DocumentKey(match["key"]), max(int(match["page"]), 1), match["mark"])
            except UnsafeName:
                return None
    return None
