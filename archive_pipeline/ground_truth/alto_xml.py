"""ALTO 2 to 4 into the model: ours, eScriptorium's, Transkribus', ABBYY's and those of digitisation services.

Reading order is ``ReadingOrder`` (4.3), else element order. Margins and composed blocks are taken apart into their
blocks. A line with ``CS`` was corrected: its strings are the correction, and what the machine read is what its
``ALTERNATIVE`` of purpose ``machine`` says, as ``archive_pipeline.exports.alto`` writes it. A line's confidence is the
mean of its strings', by characters. A line whose strings hold blanks has no words, only text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import get_args

from lxml import etree

from archive_pipeline.ground_truth.xml import PageFile, Source, confidence, corners, direction_of, region_type
from archive_pipeline.page import Box, Direction, Line, Page, PageStatus, Point, Region, Word

_PER_INCH = {"mm10": 254.0, "inch1200": 1200.0}
_DIRECTIONS: dict[str, Direction] = {"ltr": "ltr", "rtl": "rtl", "ttb": "ttb", "btt": "ltr"}
_BLOCKS = {"TextBlock", "Illustration", "GraphicalElement"}
_SPACES = {"TopMargin", "LeftMargin", "RightMargin", "BottomMargin", "PrintSpace", "ComposedBlock"}
_BLOCK_LINE = "CustomLine:block"


def parse(root: etree._Element, name: str, dpi: float | None = None) -> PageFile:
    """Read a parsed ALTO file of one page.

    Args:
        root: Its ``alto``.
        name: Of the file, for errors.
        dpi: Resolution of the page image, for files that measure in millimetres or inches.

    Raises:
        BadTranscription: The file breaks the format, or does not measure in pixels and there is no ``dpi``.
    """
    return _Reader(root, Source(name), dpi).read()


class _Reader:
    def __init__(self, root: etree._Element, source: Source, dpi: float | None) -> None:
        self._root = root
        self._source = source
        self._page = source.required(root, "{*}Layout/{*}Page")
        if len(root.findall("{*}Layout/{*}Page")) > 1:
            raise source.error(self._page, "there are several pages in one file: split it")
        unit = (root.findtext("{*}Description/{*}MeasurementUnit") or "pixel").strip()
        if unit in _PER_INCH and not dpi:
            raise source.error(root, f"it measures in {unit}: export it in pixels")
        self._dpi = dpi or 0
        self._scale = self._dpi / _PER_INCH[unit] if unit in _PER_INCH else 1.0
        tags = root.find("{*}Tags")
        self._labels = {tag.get("ID"): tag.get("LABEL") for tag in (() if tags is None else tags)}

    def read(self) -> PageFile:
        page = self._page
        width, height = self._size()
        status: dict[str, PageStatus] = {each: each for each in get_args(PageStatus)}
        blocks = self._in_order()
        regions = tuple(self._region(block, tables) for block, tables in blocks)
        languages = {block.get("LANG") for block, _ in blocks}
        lines = [line.direction for region in regions for line in region.lines]
        return PageFile(
            image=(self._root.findtext("{*}Description/{*}sourceImageInformation/{*}fileName") or "").strip(),
            page=Page(
                number=max(round(self._source.number(page, "PHYSICAL_IMG_NR") or 1), 1),
                width=width,
                height=height,
                dpi=self._dpi,
                image_digest=self._digest(),
                status=status.get(page.get("PAGECLASS") or "", "done"),
                reason=page.get("QUALITY_DETAIL") or "",
                language=page.get("LANG") or (languages.pop() if len(languages) == 1 else None),
                direction=max(lines, key=lines.count) if lines else "ltr",
                regions=regions,
            ),
        )

    def _size(self) -> tuple[int, int]:
        # Older files leave the size out, or have it on the print space only.
        for element in (self._page, self._page.find("{*}PrintSpace")):
            if element is not None:
                found = [self._source.number(element, name) or 0 for name in ("WIDTH", "HEIGHT")]
                width, height = (round(value * self._scale) for value in found)
                if width >= 1 and height >= 1:
                    return width, height
        raise self._source.error(self._page, "WIDTH and HEIGHT must be those of the page image")

    def _digest(self) -> str:
        for element in self._root.iterfind("{*}Description/{*}sourceImageInformation/{*}fileIdentifier"):
            if element.get("fileIdentifierLocation") == "sha256":
                return (element.text or "").strip()
        return ""

    def _in_order(self) -> list[tuple[etree._Element, bool]]:
        blocks = list(_blocks(self._page, False))
        order = self._root.find("{*}ReadingOrder")
        if order is None:
            return blocks
        ranks: dict[str, int] = {}
        for element in order.iter("{*}ElementRef", "{*}OrderedGroup", "{*}UnorderedGroup"):
            for reference in (element.get("REF") or "").split():
                ranks.setdefault(reference, len(ranks))

        def rank(block: etree._Element) -> float:
            # A block is where the first of it is named: itself, a line, a string.
            named = [ranks[name] for each in block.iter() if (name := each.get("ID")) in ranks]
            return min(named, default=float("inf"))

        return sorted(blocks, key=lambda pair: rank(pair[0]))

    def _region(self, block: etree._Element, in_table: bool) -> Region:
        kind = etree.QName(block).localname
        known = region_type([*self._tags(block), block.get("TYPE")])
        fallback = "table" if in_table else "text" if kind == "TextBlock" else "graphic"
        elements = block.findall("{*}TextLine")
        direction = _DIRECTIONS.get(block.get("BASEDIRECTION") or "")
        lines = tuple(self._line(line, direction) for line in elements)
        whole = len(elements) == 1 and _BLOCK_LINE in self._tags(elements[0])
        return Region(
            id=block.get("ID") or "",
            type=known or fallback,
            boundary=self._outline(block),
            lines=() if whole else lines,
            text=lines[0].text if whole else "",
        )

    def _tags(self, element: etree._Element) -> list[str]:
        return [label for tag in (element.get("TAGREFS") or "").split() if (label := self._labels.get(tag))]

    def _box(self, element: etree._Element) -> Box | None:
        found = [self._source.number(element, name) for name in ("HPOS", "VPOS", "WIDTH", "HEIGHT")]
        if any(value is None for value in found):
            return None
        left, top, width, height = (round((value or 0) * self._scale) for value in found)
        # Some tools write boxes without an extent, or with a negative one.
        return min(left, left + width), min(top, top + height), max(left, left + width), max(top, top + height)

    def _outline(self, element: etree._Element) -> tuple[Point, ...]:
        polygon = element.find("{*}Shape/{*}Polygon")
        if polygon is not None:
            return self._source.points(polygon, "POINTS", self._scale)
        box = self._box(element)
        return corners(box) if box and box[0] < box[2] and box[1] < box[3] else ()

    def _line(self, element: etree._Element, block_direction: Direction | None) -> Line:
        strings = element.findall("{*}String")
        hyphen = element.find("{*}HYP")
        sign = "" if hyphen is None else hyphen.get("CONTENT") or ""
        contents = [string.get("CONTENT") or "" for string in strings]
        if contents and sign and not contents[-1].endswith(sign):
            contents[-1] += sign
        text = " ".join(filter(None, contents))
        corrected = element.get("CS") in {"true", "1"}
        sure = [confidence(string.get("WC")) for string in strings]
        machine = [
            content if (read := string.find("{*}ALTERNATIVE[@PURPOSE='machine']")) is None else read.text or ""
            for string, content in zip(strings, contents, strict=True)
        ]
        direction = _DIRECTIONS.get(element.get("BASEDIRECTION") or "", block_direction)
        return Line(
            id=element.get("ID") or "",
            boundary=self._outline(element),
            baseline=self._baseline(element),
            text=" ".join(filter(None, machine)) if corrected else text,
            confidence=None if corrected else _mean(contents, sure),
            words=() if corrected else self._words(strings, contents, sure),
            correction=text if corrected else None,
            direction=direction or direction_of(text),
        )

    def _words(self, strings: list[etree._Element], contents: list[str], sure: list[float | None]) -> tuple[Word, ...]:
        words = []
        for string, content, how_sure in zip(strings, contents, sure, strict=True):
            box = self._box(string)
            if box is None or not content or re.search(r"\s", content):
                return ()
            words.append(Word(text=content, box=box, confidence=how_sure))
        return tuple(words)

    def _baseline(self, element: etree._Element) -> tuple[Point, ...]:
        value = (element.get("BASELINE") or "").strip()
        if not re.search(r"\s|,", value):
            # Up to 4.1 it is one number, the height on the page.
            level, box = self._source.number(element, "BASELINE"), self._box(element)
            if level is None or box is None:
                return ()
            y = round(level * self._scale)
            return (box[0], y), (max(box[2] - 1, box[0] + 1), y)
        return self._source.points(element, "BASELINE", self._scale)


def _blocks(parent: etree._Element, in_table: bool) -> Iterator[tuple[etree._Element, bool]]:
    for element in parent:
        kind = etree.QName(element).localname
        if kind in _BLOCKS:
            yield element, in_table
        elif kind in _SPACES:
            yield from _blocks(element, in_table or (element.get("TYPE") or "").lower() == "table")


def _mean(contents: list[str], sure: list[float | None]) -> float | None:
    pairs = [(value, len(text)) for text, value in zip(contents, sure, strict=True) if value is not None and text]
    total = sum(length for _, length in pairs)
    return sum(value * length for value, length in pairs) / total if total else None
