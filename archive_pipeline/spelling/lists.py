"""Which word list stands for a language, and where it is: the lists of Debian's packages in ``/usr/share/dict``.

One inflected word a line, in UTF-8. The parent finds them, takes their digest and hands on both; what is in them is
parsed in the sealed child alone, where their digest is checked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from archive_pipeline.errors import StorageError, UsageError, printable

FOLDER = Path("/usr/share/dict")
VERSION = "1"
"""Raise it when the same words would get other suggestions: pages are then read again where the step is on."""

_MAX_BYTES = 16_000_000
"""Catalan, the longest of them, has 7 MB."""

PACKAGES: dict[str, tuple[str, str]] = {
    "ca": ("catalan", "wcatalan"),
    "da": ("danish", "wdanish"),
    "de": ("ngerman", "wngerman"),
    "de-1901": ("ogerman", "wogerman"),
    "de-CH": ("swiss", "wswiss"),
    "en": ("british-english", "wbritish"),
    "en-US": ("american-english", "wamerican"),
    "es": ("spanish", "wspanish"),
    "fr": ("french", "wfrench"),
    "it": ("italian", "witalian"),
    "nl": ("dutch", "wdutch"),
    "pt": ("portuguese", "wportuguese"),
}
"""File and package of each language tag (RFC 5646).

Left out are lists that are not in UTF-8 (Swedish, Norwegian) and Polish, whose 60 MB every page worker would hold.
"""


@dataclass(frozen=True)
class WordList:
    """A list that is there.

    Attributes:
        language: Its tag, as in :data:`PACKAGES`.
        path: The file.
        sha256: Of the file, in hexadecimal.
    """

    language: str
    path: Path
    sha256: str

    def to_json(self) -> dict[str, str]:
        """For a sealed child, which may read the file; :meth:`from_json` is the inverse."""
        return {"language": self.language, "path": str(self.path), "sha256": self.sha256}

    @classmethod
    def from_json(cls, data: dict[str, str]) -> WordList:
        return cls(data["language"], Path(data["path"]), data["sha256"])

    @property
    def source(self) -> str:
        """What a suggestion out of it names as its source."""
        return f"{PACKAGES[self.language][1]} {self.language}"

    def read(self) -> str:
        """All of it.

        Raises:
            StorageError: It was changed since it was found, or is not what it should be.
        """
        data = _read(self.path)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise StorageError(f"{self.path} was changed while pages were being read", remedy="Run it again.")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise StorageError(f"{self.path} is not in UTF-8", remedy=_install(PACKAGES[self.language][1])) from None


def signature(lists: Iterable[WordList]) -> list[str]:
    """All that suggestions depend on beside the page."""
    return [VERSION, *(part for each in lists for part in (each.language, each.sha256))]


def of_language(lists: Iterable[WordList], language: str | None) -> tuple[WordList, ...]:
    """The lists for a document: those of its language, whatever its region or spelling; all where nobody said it."""
    if language is None:
        return tuple(lists)
    return tuple(each for each in lists if each.language.partition("-")[0] == language.partition("-")[0])


def known_languages(tags: Iterable[str]) -> tuple[str, ...]:
    """Tags in the spelling that :data:`PACKAGES` has, each once, in the order given.

    Raises:
        UsageError: There is no list for one of them.
    """
    spelt = {tag.lower(): tag for tag in PACKAGES}
    found: dict[str, None] = {}
    for tag in tags:
        if tag.lower() not in spelt:
            raise UsageError(
                f"there is no word list for the language '{printable(tag)}'",
                remedy=f"Choose among {', '.join(PACKAGES)} in ARCHIVE_SPELLING, or leave it out.",
            )
        found.setdefault(spelt[tag.lower()])
    return tuple(found)


def find_lists(tags: Iterable[str], folder: Path = FOLDER) -> tuple[WordList, ...]:
    """The lists of some languages.

    Raises:
        UsageError: A language is unknown, or its list is not installed; says which package has it.
    """
    found = []
    for tag in known_languages(tags):
        name, package = PACKAGES[tag]
        # Resolved, for the sealed child may read what is named to it and follows no link out of that.
        path = (folder / name).resolve()
        if not path.is_file():
            raise UsageError(f"the word list for '{tag}' is not installed", remedy=_install(package))
        found.append(WordList(tag, path, hashlib.sha256(_read(path)).hexdigest()))
    return tuple(found)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise StorageError(f"{printable(path)} cannot be read: {error.strerror}", remedy="Install it again.") from None
    if len(data) > _MAX_BYTES:
        raise StorageError(f"{printable(path)} is too long for a word list", remedy="Install it again.")
    return data


def _install(package: str) -> str:
    return f"Install Debian's package {package}, or leave the language out of ARCHIVE_SPELLING."
