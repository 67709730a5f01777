"""Region and line types as ALTO tags, by the names of the SegmOnto vocabulary (https://segmonto.github.io).

A type that SegmOnto has no name for becomes a subtype, written after a colon as SegmOnto allows.
"""

from __future__ import annotations

from lxml import etree

from archive_pipeline.exports.base import Identifiers
from archive_pipeline.page import Region, RegionType

ZONES: dict[RegionType, str] = {
    "text": "MainZone",
    "heading": "MainZone:heading",
    "header": "RunningTitleZone",
    "footer": "RunningTitleZone:footer",
    "page-number": "NumberingZone",
    "marginalia": "MarginTextZone",
    "table": "TableZone",
    "caption": "CustomZone:caption",
    "stamp": "StampZone",
    "graphic": "GraphicZone",
    "other": "CustomZone",
}
DEFAULT_LINE = "DefaultLine"
HEADING_LINE = "HeadingLine"
BLOCK_LINE = "CustomLine:block"
"""Holds the text of a region whose lines are not known."""


class Tags:
    """The ``Tags`` element, filled as tags are used.

    A reference has one tag, the type: eScriptorium reads no other. ``TYPE`` is left out, since kraken takes a tag with
    one for something else than the type.
    """

    def __init__(self, element: etree._Element, ids: Identifiers) -> None:
        self._element = element
        self._ids = ids
        self._known: dict[str, str] = {}

    def zone(self, region: Region) -> str:
        """Id of the tag for a region's type."""
        return self._tag("block", ZONES[region.type])

    def line(self, region: Region) -> str:
        """Id of the tag for the lines of a region."""
        return self._tag("line", HEADING_LINE if region.type == "heading" else DEFAULT_LINE)

    def block_line(self) -> str:
        """Id of the tag for the one line that stands for a whole block."""
        return self._tag("line", BLOCK_LINE)

    def _tag(self, kind: str, label: str) -> str:
        if label not in self._known:
            name = self._ids.take(label.replace(":", "-"))
            namespace = f"{{{etree.QName(self._element).namespace}}}"
            attributes = {"ID": name, "LABEL": label, "DESCRIPTION": f"{kind} type {label}"}
            etree.SubElement(self._element, f"{namespace}OtherTag", attributes)
            self._known[label] = name
        return self._known[label]
