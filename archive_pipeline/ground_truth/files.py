"""A transcription file of either format."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from lxml import etree

from archive_pipeline.errors import BadTranscription, printable
from archive_pipeline.ground_truth import alto_xml, page_xml
from archive_pipeline.ground_truth.xml import PageFile, load, parse

_PARSERS = {"PcGts": page_xml.parse, "alto": alto_xml.parse}


def read(path: Path) -> PageFile:
    """Read a PAGE or ALTO file, whichever it is.

    Raises:
        NotReadable: It cannot be opened.
        BadTranscription: It is neither, or breaks the format; the message says where.
    """
    return _parsed(load(path), str(path))


def read_open(file: BinaryIO, name: str) -> PageFile:
    """Read an open PAGE or ALTO file, in a sealed child.

    Args:
        name: For messages only.

    Raises:
        BadTranscription: As :func:`read`.
    """
    return _parsed(parse(file, name), name)


def _parsed(root: etree._Element, name: str) -> PageFile:
    kind = etree.QName(root).localname
    if kind not in _PARSERS:
        raise BadTranscription(f"this is neither PAGE nor ALTO but {printable(kind)}", document=name)
    return _PARSERS[kind](root, name)
