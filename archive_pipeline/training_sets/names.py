"""What lies in a folder or ZIP of ground truth, by names alone: transcriptions, and where their images may be.

* ``0001.xml`` (or ``page/0001.xml``, ``alto/0001.xml``) with a page image: of the name in it, else of its own;
* ``0001.gt.txt`` with a line image ``0001.png`` (also ``0001.bin.png``, ``0001.nrm.png``);
* ``hand.yaml`` at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from archive_pipeline.intake.names import IMAGE_SUFFIXES, natural_order, set_aside
from archive_pipeline.training_sets.hand import HAND_FILE

LINE_TEXT = ".gt.txt"
_XML = ".xml"
_NOT_PAGES = frozenset({"mets.xml", "metadata.xml", "doc.xml"})
"""XML files that tools put beside pages, and that are none."""
_BETWEEN = ("", ".bin", ".nrm", ".dew", ".raw")
_FOLDERS_OF_XML = frozenset({"page", "alto", "xml", "page_xml"})
_OF_A_PAGE = re.compile(r"(.+?)[-_.](?:region|line|tl|l|r)?[-_]?\d+", re.IGNORECASE)


@dataclass(frozen=True)
class Material:
    """The names in a folder or ZIP, in natural order.

    Attributes:
        pages: PAGE or ALTO files.
        lines: Line texts.
        images: Image files.
        hand: The ``hand.yaml``, if there is one.
    """

    pages: tuple[str, ...]
    lines: tuple[str, ...]
    images: tuple[str, ...]
    hand: str | None


def why_not(name: str) -> str | None:
    """Why a file of this name (with folders) is no ground truth; None if it may be some."""
    for part in name.split("/"):
        if reason := set_aside(part):
            return reason
    path = PurePosixPath(name.lower())
    if path.name in _NOT_PAGES:
        return "it describes the other files"
    if path.suffix == _XML or path.name.endswith(LINE_TEXT) or path.suffix in IMAGE_SUFFIXES or path.name == HAND_FILE:
        return None
    if path.suffix in (".zip", ".tar", ".gz", ".7z", ".rar"):
        return "an archive in an archive is not unpacked"
    if path.name == "hand.yml":
        return "under this name it is not looked at: rename it to hand.yaml"
    return "neither a transcription nor an image by its name"


def sort_names(names: Iterable[str]) -> Material:
    """Tell what each file is by its name.

    A ZIP is often made of a folder and then has it as its only one: the ``hand.yaml`` highest up counts.
    """
    ordered = sorted(names, key=lambda name: [natural_order(part) for part in name.split("/")])
    hands = sorted((n for n in ordered if PurePosixPath(n).name.lower() == HAND_FILE), key=lambda n: n.count("/"))
    return Material(
        pages=tuple(n for n in ordered if n.lower().endswith(_XML) and why_not(n) is None),
        lines=tuple(n for n in ordered if n.lower().endswith(LINE_TEXT)),
        images=tuple(n for n in ordered if PurePosixPath(n.lower()).suffix in IMAGE_SUFFIXES),
        hand=hands[0] if hands else None,
    )


class ImageNames:
    """The images of a set by their names, so that one is found without going through all.

    Args:
        images: Names with folders, in natural order: where two fit equally, the first counts.
    """

    def __init__(self, images: Sequence[str]) -> None:
        self._exact: dict[str, str] = {}
        self._named: dict[str, list[str]] = {}
        self._in_folder: dict[tuple[str, str], tuple[int, str]] = {}
        self._stems: dict[tuple[str, str], tuple[int, str]] = {}
        for number, image in enumerate(images):
            path = PurePosixPath(image)
            folder, name = str(path.parent), path.name.casefold()
            self._exact[image.casefold()] = image
            self._named.setdefault(name, []).append(image)
            self._in_folder.setdefault((folder, name), (number, image))
            self._stems.setdefault((folder, path.stem.casefold()), (number, image))

    def of_page(self, transcription: str, told: str) -> tuple[str, str] | None:
        """The image of a PAGE or ALTO file.

        Args:
            transcription: Its name.
            told: What it says its image is called; untrusted, it may be any path or address.

        Returns:
            The image and how it was found: ``named`` in the XML, or by the same ``name``. None if there is none.
        """
        path = PurePosixPath(transcription)
        named = PurePosixPath(told.replace("\\", "/")).name.casefold()
        folders = [path.parent]
        if path.parent.name.lower() in _FOLDERS_OF_XML:
            folders.append(path.parent.parent)
        for known, name, how in ((self._in_folder, named, "named"), (self._stems, path.stem.casefold(), "name")):
            near = [known[str(folder), name] for folder in folders if (str(folder), name) in known]
            if near:
                return min(near)[1], how
        # Somewhere else in the set, if there is but one of that name.
        elsewhere = self._named.get(named, [])
        return (elsewhere[0], "named") if len(elsewhere) == 1 else None

    def of_line(self, text: str) -> str | None:
        """The image of a line text; None if there is none."""
        stem = text[: -len(LINE_TEXT)]
        names = (f"{stem}{between}{suffix}".casefold() for between in _BETWEEN for suffix in sorted(IMAGE_SUFFIXES))
        return next((self._exact[name] for name in names if name in self._exact), None)


def page_of_line(text: str) -> str:
    """What page a line image is of, as far as its name says: lines of one page must not be parted between sets.

    ``12-003`` is of ``12``; where names say nothing, all lines of a folder are of one page.
    """
    path = PurePosixPath(text)
    match = _OF_A_PAGE.fullmatch(path.name[: -len(LINE_TEXT)])
    return str(path.parent / match[1]) if match else str(path.parent)
