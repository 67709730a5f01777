"""PAGE content, 2013 and 2019, into the model: ours, Transkribus', eScriptorium's, OCR-D's.

Reading order is ``ReadingOrder``, else Transkribus' ``custom``, else element order. Regions in regions and cells of
tables become regions of their own, in their place. In our own files a ``TextEquiv`` with an index is a correction
(``archive_pipeline.exports.page_xml``); in others several of them are readings, of which the first counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from lxml import etree

from archive_pipeline.ground_truth.xml import PageFile, Source, confidence, direction_of, region_type
from archive_pipeline.page import Direction, Line, Page, PageStatus, Point, Region, RegionType, Word, bounding_box

_DIRECTIONS: dict[str, Direction] = {
    "left-to-right": "ltr",
    "right-to-left": "rtl",
    "top-to-bottom": "ttb",
    # Latin script on its side: its letters follow each other as in any line.
    "bottom-to-top": "ltr",
}
_ELEMENTS: dict[str, RegionType] = {
    "TextRegion": "text",
    "TableRegion": "table",
    "TableCell": "table",
    "GraphicRegion": "graphic",
    "ImageRegion": "graphic",
    "LineDrawingRegion": "graphic",
    "ChartRegion": "graphic",
    "MapRegion": "graphic",
}
_CM_PER_INCH = 2.54
_NUMBER = re.compile(r"[0-9]{1,9}")


def parse(root: etree._Element, name: str) -> PageFile:
    """Read a parsed PAGE file.

    Args:
        root: Its ``PcGts``.
        name: Of the file, for errors.

    Raises:
        BadTranscription: The file breaks the format; the message says where.
    """
    source = Source(name)
    return _Reader(root, source).read()


class _Reader:
    def __init__(self, root: etree._Element, source: Source) -> None:
        self._root = root
        self._source = source
        self._page = source.required(root, "{*}Page")
        self._ours = (root.findtext("{*}Metadata/{*}Creator") or "").startswith("archive-pipeline ")
        self._direction = _DIRECTIONS.get(self._page.get("readingDirection") or "")

    def read(self) -> PageFile:
        page, source = self._page, self._source
        width, height = source.number(page, "imageWidth") or 0, source.number(page, "imageHeight") or 0
        if width < 1 or height < 1:
            raise source.error(page, "imageWidth and imageHeight must be those of the page image")
        items = {item.get("name"): item for item in self._root.iterfind("{*}Metadata/{*}MetadataItem")}
        status = _custom(page).get("status", {}).get("value", "")
        elements = _in_order(self._page)
        regions = tuple(self._region(element, kind) for element, kind in elements)
        number = re.search(r"page_(\d{1,6})$", self._root.get("pcGtsId") or "")
        return PageFile(
            image=page.get("imageFilename") or "",
            page=Page(
                number=max(int(number[1]), 1) if number else 1,
                width=int(width),
                height=int(height),
                dpi=self._dpi(),
                image_digest=_value(items.get("sha256")) if self._ours else "",
                status=_status(status),
                reason=_label(items.get("status"), "reason") if self._ours else "",
                language=(_value(items.get("language")) if self._ours else page.get("primaryLanguage")) or None,
                direction=self._direction or "ltr",
                regions=regions,
            ),
        )

    def _dpi(self) -> float:
        value = self._source.number(self._page, "imageXResolution") or 0
        unit = self._page.get("imageResolutionUnit")
        return max(value * (_CM_PER_INCH if unit == "PPCM" else 1 if unit == "PPI" else 0), 0)

    def _region(self, element: etree._Element, inherited: RegionType | None) -> Region:
        direction = _DIRECTIONS.get(element.get("readingDirection") or "", self._direction)
        lines = [self._line(line, direction) for line in _sorted_lines(element)]
        text, _ = _text(element) if not lines else ("", None)
        custom = _custom(element).get("structure", {}).get("type")
        local = etree.QName(element).localname
        known = region_type([custom, element.get("type") if local in {"TextRegion", "GraphicRegion"} else None])
        if local == "GraphicRegion" and known != "stamp":
            known = "graphic"
        return Region(
            id=element.get("id") or "",
            type=known or inherited or _ELEMENTS.get(local, "other"),
            boundary=self._coords(element),
            lines=tuple(lines),
            text=text,
        )

    def _coords(self, element: etree._Element) -> tuple[Point, ...]:
        coords = element.find("{*}Coords")
        return () if coords is None else self._source.points(coords, "points")

    def _line(self, element: etree._Element, direction: Direction | None) -> Line:
        baseline = element.find("{*}Baseline")
        words = tuple(word for each in element.iterfind("{*}Word") if (word := self._word(each)) is not None)
        equivalents = _equivalents(element)
        first = equivalents[0] if equivalents else None
        text, sure = _text(element)
        correction = None
        if self._ours and first is not None and first.get("index") is not None:
            correction = text
            machine = equivalents[1] if len(equivalents) > 1 else None
            text = "" if machine is None else machine.findtext("{*}Unicode") or ""
            sure = None if machine is None else confidence(machine.get("conf"))
        elif first is None and not self._ours:
            text = " ".join(word.text for word in words)
        own = _DIRECTIONS.get(element.get("readingDirection") or "", direction)
        return Line(
            id=element.get("id") or "",
            boundary=self._coords(element),
            baseline=() if baseline is None else self._source.points(baseline, "points"),
            text=text,
            confidence=sure,
            words=words,
            correction=correction,
            direction=own or direction_of(text if correction is None else correction),
        )

    def _word(self, element: etree._Element) -> Word | None:
        points = self._coords(element)
        text, sure = _text(element)
        return Word(text=text, box=bounding_box(points), confidence=sure) if points else None


def _custom(element: etree._Element) -> dict[str, dict[str, str]]:
    """Transkribus' ``name {key:value; key:value;}``, several of them."""
    found: dict[str, dict[str, str]] = {}
    for name, content in re.findall(r"([\w-]+)\s*\{([^{}]*)\}", element.get("custom") or ""):
        pairs = (pair.partition(":") for pair in content.split(";") if ":" in pair)
        found.setdefault(name, {key.strip(): value.strip() for key, _, value in pairs})
    return found


def _index(element: etree._Element) -> int | None:
    value = _custom(element).get("readingOrder", {}).get("index", "")
    return int(value) if _NUMBER.fullmatch(value) else None


def _sorted_lines(region: etree._Element) -> list[etree._Element]:
    lines = region.findall("{*}TextLine")
    indexes = [_index(line) for line in lines]
    if any(index is None for index in indexes):
        return lines
    return [line for _, line in sorted(zip(indexes, lines, strict=True), key=lambda pair: pair[0] or 0)]


def _regions(
    parent: etree._Element, inherited: RegionType | None
) -> Iterator[tuple[etree._Element, RegionType | None]]:
    """Regions in element order, those within others in their place; with the type that they have from outside."""
    for element in parent:
        local = etree.QName(element).localname
        if not (local.endswith("Region") or local == "TableCell"):
            continue
        within: RegionType | None = "table" if local in {"TableRegion", "TableCell"} else None
        inner = list(_regions(element, within or inherited))
        # A frame around other regions says nothing by itself.
        if not inner or element.find("{*}TextLine") is not None:
            yield element, inherited
        yield from inner


def _in_order(page: etree._Element) -> list[tuple[etree._Element, RegionType | None]]:
    regions = list(_regions(page, None))
    order = page.find("{*}ReadingOrder")
    ranks: dict[str, int] = {}
    if order is not None:
        for reference in _references(order):
            ranks.setdefault(reference, len(ranks))
    else:
        for element, _ in regions:
            if (index := _index(element)) is not None and (name := element.get("id")):
                ranks[name] = index

    def rank(element: etree._Element) -> float | None:
        # Regions within others follow these, where the order does not name them.
        node: etree._Element | None = element
        while node is not None and node is not page:
            if (found := ranks.get(node.get("id") or "")) is not None:
                return found
            node = node.getparent()
        return None

    # What the order does not name is read last, not dropped.
    return sorted(regions, key=lambda pair: float("inf") if (found := rank(pair[0])) is None else found)


def _references(group: etree._Element) -> Iterator[str]:
    children = list(group)
    if all(_NUMBER.fullmatch(child.get("index") or "") for child in children):
        children.sort(key=lambda child: int(child.get("index") or 0))
    for child in children:
        if reference := child.get("regionRef"):
            yield reference
        yield from _references(child)


def _equivalents(element: etree._Element) -> list[etree._Element]:
    def index(each: etree._Element) -> int:
        value = each.get("index") or ""
        return int(value) if _NUMBER.fullmatch(value) else 0

    return sorted(element.iterfind("{*}TextEquiv"), key=index)


def _text(element: etree._Element) -> tuple[str, float | None]:
    equivalents = _equivalents(element)
    if not equivalents:
        return "", None
    return equivalents[0].findtext("{*}Unicode") or "", confidence(equivalents[0].get("conf"))


def _status(value: str) -> PageStatus:
    known: dict[str, PageStatus] = {each: each for each in get_args(PageStatus)}
    return known.get(value, "done")


def _value(item: etree._Element | None) -> str:
    return "" if item is None else item.get("value") or ""


def _label(item: etree._Element | None, kind: str) -> str:
    labels = [] if item is None else item.findall("{*}Labels/{*}Label")
    return next((label.get("value") or "" for label in labels if label.get("type") == kind), "")
