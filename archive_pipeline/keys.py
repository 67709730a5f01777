"""Document keys: parsed once at the edge, safe everywhere behind it.

A key names a document in Dagster (where commas, ``...``, ``|``, slashes and control characters in a partition
key break things, and nothing checks them), in the store and in the output folder.
"""

from __future__ import annotations

import base64
import hashlib
import re
import unicodedata
from pathlib import PurePath, PurePosixPath

from archive_pipeline.errors import UnsafeName, printable

MAX_BYTES = 120
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*")
MARK_LENGTH = 12
_MARKED = re.compile(rf".*-[a-z2-7]{{{MARK_LENGTH}}}")


class DocumentKey(str):
    """A document's name: ``[a-z0-9][a-z0-9._-]*``, at most 120 bytes, without ``..``.

    ``DocumentKey(text)`` parses or raises; :meth:`from_path` makes one from any path.

    Raises:
        UnsafeName: The text is not a key.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> DocumentKey:
        if len(text) > MAX_BYTES or ".." in text or not _KEY.fullmatch(text):
            raise UnsafeName(
                f"'{printable(text)[:200]}' is not a document key",
                remedy=f"A key has at most {MAX_BYTES} of a-z, 0-9, '.', '_' and '-', begins with a letter or digit "
                "and has no '..'.",
            )
        return super().__new__(cls, text)

    @classmethod
    def from_path(cls, path: str | PurePath, *, origin: str | PurePath | None = None) -> DocumentKey:
        """Make the key of a document from its path below the upload folder.

        A path that is a key already stays as it is. Any other one becomes a readable ASCII name and a mark: the first
        60 bits of the SHA-256 of the path's bytes, in base32. A path that looks marked is marked again, so that
        different paths have different keys (but for a collision of 60 bits).

        Args:
            path: Relative path; any Unicode, any bytes that the file system allows.
            origin: If given, the mark is made of this instead of ``path`` and always set: for a document outside the
                upload folder whose name is taken by another.

        Raises:
            UnsafeName: The path is empty, absolute, leads upwards (``..``) or has a NUL character.
        """
        pure = PurePosixPath(path)
        text = str(pure)
        if pure.is_absolute() or text == "." or ".." in pure.parts or "\0" in text:
            raise UnsafeName("this path is not one below the upload folder", document=str(path))
        plain = len(text) <= MAX_BYTES and _KEY.fullmatch(text) and ".." not in text and not _MARKED.fullmatch(text)
        if plain and origin is None:
            return cls(text)
        mark = (
            base64.b32encode(hashlib.sha256(str(origin or text).encode("utf-8", "surrogatepass")).digest())
            .decode()
            .lower()[:MARK_LENGTH]
        )
        return cls(f"{_slug(text)[: MAX_BYTES - MARK_LENGTH - 1].rstrip('-._') or 'document'}-{mark}")


def _slug(text: str) -> str:
    """Lower-case ASCII that a person still recognises; may be empty."""
    ascii_only = (
        unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("/", "--")).encode("ascii", "ignore").decode()
    )
    slug = re.sub(r"[^a-z0-9._-]+", "-", ascii_only.lower())
    return re.sub(r"\.{2,}", ".", slug).strip("-._")
