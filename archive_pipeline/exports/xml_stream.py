"""XML that is written element by element, so that a document of a thousand pages never lies in memory as a tree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lxml import etree

from archive_pipeline.durable import atomic_write

XML = "http://www.w3.org/XML/1998/namespace"


class XmlStream:
    """Elements in a row, each on a line of its own, below those that are open."""

    def __init__(self, file: Any) -> None:
        # etree.xmlfile's answer; its type has no public name.
        self._file = file

    @contextmanager
    def open(self, tag: str, attributes: dict[str, str] | None = None) -> Iterator[None]:
        """An element that stays open for the block.

        Args:
            tag: In lxml's form, ``{namespace}name``.
            attributes: Its attributes.
        """
        self._file.write("\n")
        with self._file.element(tag, attributes or {}):
            yield
            self._file.write("\n")

    def add(self, element: etree._Element) -> None:
        """Write a whole element."""
        self._file.write("\n")
        self._emit(element)

    def _emit(self, element: etree._Element) -> None:
        # Writing it in one piece would declare its namespaces anew each time.
        with self._file.element(element.tag, dict(element.attrib.items())):
            if element.text:
                self._file.write(element.text)
            for child in element:
                self._emit(child)
                if child.tail:
                    self._file.write(child.tail)


@contextmanager
def xml_stream(path: Path, root: str, namespaces: dict[str | None, str]) -> Iterator[XmlStream]:
    """Write an XML file atomically.

    Args:
        path: The file.
        root: Tag of the root element.
        namespaces: Prefixes that the whole file uses.

    Raises:
        NoSpaceLeft, StorageError: It could not be written.
    """
    with atomic_write(path) as file, etree.xmlfile(file, encoding="UTF-8") as xml:
        xml.write_declaration()
        # Without the prefix being declared, lxml would make one up for xml:id.
        with xml.element(root, nsmap={**namespaces, "xml": XML}):
            yield XmlStream(xml)
            xml.write("\n")
