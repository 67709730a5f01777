"""Links from the reading view to the files of the other formats that were made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from archive_pipeline.exports import page_images
from archive_pipeline.exports.base import Files
from archive_pipeline.exports.reading_view.texts import FORMATS
from archive_pipeline.rendering.model import PageImage

PDF = "pdf"
# Of the others, METS and IIIF, the files of single pages are parts that nobody opens by themselves.
_OF_PAGES = ("text", "page", "alto", "hocr", "json")


@dataclass(frozen=True)
class Link:
    """An address relative to the folder of the view, and its name for people."""

    address: str
    label: str


class Links:
    """Knows for each page which files of it there are.

    Args:
        folder: The exports folder.
        files: What was written. A file whose name is a page number is of that page, any other of the document.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._folder = folder
        self._images = set(files.get("images", ()))
        self._pages: dict[str, dict[str, Path]] = {}
        self.document: list[Link] = []
        for name, paths in files.items():
            if name == "images":
                continue
            label = FORMATS.get(name, name)
            if name in _OF_PAGES:
                self._pages[label] = {path.stem: path for path in paths if path.stem.isdecimal()}
            whole = [path for path in paths if not path.stem.isdecimal()]
            for path in whole:
                known = label if len(whole) == 1 else f"{label} ({path.relative_to(folder).as_posix()})"
                self.document.append(Link(self._address(path), known))
        self._pdf: Sequence[Path] = files.get(PDF, ())

    def page(self, name: str, position: int) -> list[Link]:
        """Files of one page.

        Args:
            name: The page's number as files have it.
            position: Of the page in the document, from 1: where the PDF opens.
        """
        found = [Link(f"{self._address(path)}#page={position}", FORMATS[PDF]) for path in self._pdf[:1]]
        return found + [
            Link(self._address(paths[name]), label) for label, paths in self._pages.items() if name in paths
        ]

    def image(self, image: PageImage | None) -> str | None:
        """Address of a page image, if it is among the files."""
        path = self._folder / page_images.FOLDER / image.file if image else None
        return self._address(path) if path in self._images and path else None

    def _address(self, path: Path) -> str:
        return "../" + quote(path.relative_to(self._folder).as_posix())
