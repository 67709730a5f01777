"""The name of a set: of what was dropped, safe in paths and as a partition of Dagster."""

from __future__ import annotations

import re
from pathlib import PurePath

from archive_pipeline.errors import UsageError, printable
from archive_pipeline.keys import MARK_LENGTH, DocumentKey

MAX_BYTES = 80
_NAME = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{MAX_BYTES - 1}}}")


def is_set_name(text: str) -> bool:
    """Whether a set can have this name as it is."""
    return bool(_NAME.fullmatch(text)) and ".." not in text


def checked_set_name(text: str) -> str:
    """The name, if it is one.

    Raises:
        UsageError: It is none.
    """
    if not is_set_name(text):
        raise UsageError(
            f"{printable(text)[:100]!r} is no name for ground truth",
            remedy=f"Use at most {MAX_BYTES} of a-z, 0-9, '.', '_' and '-', with a letter or digit first.",
        )
    return text


def set_name(file: str) -> str:
    """The name of the set that a folder or ZIP of this name makes.

    A name that a set can have stays as it is, without ``.zip``; any other one is made readable and gets a mark, as a
    document's key does. A ZIP and a folder of one name are one set.
    """
    stem = file[: -len(".zip")] if PurePath(file).suffix.lower() == ".zip" else file
    key = str(DocumentKey.from_path(stem))
    if len(key) <= MAX_BYTES:
        return key
    # Marked, whether it was or not: then what is left of a long name is told from that of another one.
    marked = str(DocumentKey.from_path(stem, origin=stem))
    begin, mark = marked[: -MARK_LENGTH - 1], marked[-MARK_LENGTH:]
    return f"{begin[: MAX_BYTES - MARK_LENGTH - 1].rstrip('-._')}-{mark}"
