"""``alto/0001.xml``: ALTO 4.2, or 4.4 if asked for, as kraken, eScriptorium and the viewers of libraries read it.

What other tools were seen to need: element order is reading order, right-to-left text included (altoxml/schema#68);
points as ``x y x y`` (eScriptorium reads no commas); whole numbers; a place for every ``String``; one tag a reference.

What ALTO cannot say is said as near as can be. Runs of white space become one ``SP``. A corrected line has ``CS`` and,
on each word that differs, what the machine read as an ``ALTERNATIVE`` of purpose ``machine``: all of them in order are
the machine's line. What a word list proposed is an ``ALTERNATIVE``, too, its purpose the list. Text of a region
without lines is one line, tagged so, without a baseline. How a page that is not ``done`` went is in ``PAGECLASS``, the
reason in ``QUALITY_DETAIL``. Text direction is there from 4.3 on (``BASEDIRECTION``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree

from archive_pipeline.exports import polygons
from archive_pipeline.exports.alto_description import add_description
from archive_pipeline.exports.alto_tags import Tags
from archive_pipeline.exports.base import ExportDocument, Identifiers, language_tag, number, write_pages
from archive_pipeline.exports.hyphenation import Hyphenation, hyphenations
from archive_pipeline.exports.line_words import PlacedWord, words_of, words_of_block
from archive_pipeline.exports.tracks import baseline_in
from archive_pipeline.page import Box, Direction, Line, Page, Point, Region, bounding_box, clean_text
from archive_pipeline.rendering.model import PageImage

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
MACHINE = "machine"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-{}.xsd"
_ILLUSTRATIONS = {"stamp", "graphic"}


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one ALTO file per page."""
    return write_pages(document, folder, "alto/{:04d}.xml", lambda page, image: render(document, page, image))


def render(document: ExportDocument, page: Page, image: PageImage | None) -> bytes:
    """One page as ALTO, in the version that the document's options ask for.

    Args:
        document: Where the page is from: key, title, digest and date go into the description.
        page: A page that failed, was skipped or is blank gives a valid file that says so.
        image: Record of the page image; None where there is none.
    """
    return etree.tostring(_File(document, page, image).root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


class _File:
    """One file while it is made: what its parts share is the ids, the tags and the version."""

    def __init__(self, document: ExportDocument, page: Page, image: PageImage | None) -> None:
        self._page = page
        self._newer = document.options.alto_version == "4.4"
        self._language = language_tag(page)
        self.root = etree.Element(_tag("alto"), nsmap={None: NAMESPACE, "xsi": _INSTANCE})  # type: ignore[dict-item]
        schema = _SCHEMA.format(document.options.alto_version.replace(".", "-"))
        self.root.set(f"{{{_INSTANCE}}}schemaLocation", f"{NAMESPACE} {schema}")
        self.root.set("SCHEMAVERSION", document.options.alto_version)
        self._ids = Identifiers()
        # Regions and lines first, so that they keep the names that they have in the other formats.
        name = self._ids.take(f"page_{page.number:04d}")
        regions = [self._ids.take(region.id) for region in page.regions]
        lines = [[self._ids.take(line.id) for line in region.lines] for region in page.regions]
        steps = add_description(self.root, document, page, image, self._ids)
        element = etree.SubElement(self.root, _tag("Tags"))
        self._tags = Tags(element, self._ids)
        space = self._add_page(name, steps)
        for region, region_name, names in zip(page.regions, regions, lines, strict=True):
            self._add_region(space, region, region_name, names)
        if not len(element):
            self.root.remove(element)

    def _add_page(self, name: str, steps: Sequence[str]) -> etree._Element:
        page = self._page
        element = _add(_add(self.root, "Layout"), "Page", ID=name)
        if page.status != "done":
            element.set("PAGECLASS", page.status)
        element.set("PROCESSINGREFS", " ".join(steps))
        element.set("HEIGHT", str(page.height))
        element.set("WIDTH", str(page.width))
        element.set("PHYSICAL_IMG_NR", str(page.number))
        if page.reason:
            element.set("QUALITY_DETAIL", clean_text(page.reason))
        if page.confidence is not None:
            element.set("PC", number(page.confidence))
        if self._newer and self._language:
            element.set("LANG", self._language)
        return _add(element, "PrintSpace", **_place((0, 0, page.width, page.height)))

    def _add_region(self, parent: etree._Element, region: Region, name: str, names: Sequence[str]) -> None:
        outline = polygons.polygon(region.boundary, self._page)
        box = bounding_box(tuple(outline))
        empty = not region.lines and not region.text.strip()
        kind = "Illustration" if region.type in _ILLUSTRATIONS and empty else "TextBlock"
        element = _add(parent, kind, ID=name, TAGREFS=self._tags.zone(region), **_place(box))
        _add_shape(element, outline)
        if kind == "Illustration":
            return
        if self._language and not self._newer:
            element.set("LANG", self._language)
        directions = {line.direction for line in region.lines} or {self._page.direction}
        direction = directions.pop() if len(directions) == 1 else self._page.direction
        if self._newer:
            element.set("BASEDIRECTION", direction)
        parted = hyphenations([line.best_text for line in region.lines])
        for line, line_name, hyphenation in zip(region.lines, names, parted, strict=True):
            self._add_line(element, region, line, line_name, hyphenation, direction)
        if not region.lines and not empty:
            line_name = self._ids.take(f"{name}_text")
            child = _add(element, "TextLine", ID=line_name, TAGREFS=self._tags.block_line(), **_place(box))
            self._add_words(child, words_of_block(region, box), line_name, Hyphenation())

    def _add_line(
        self,
        parent: etree._Element,
        region: Region,
        line: Line,
        name: str,
        hyphenation: Hyphenation,
        block_direction: Direction,
    ) -> None:
        outline = polygons.polygon(line.boundary or line.baseline, self._page)
        box = bounding_box(tuple(outline))
        element = _add(parent, "TextLine", ID=name, TAGREFS=self._tags.line(region), **_place(box))
        element.set("BASELINE", _points(baseline_in(self._page, region, line)))
        if line.correction is not None:
            element.set("CS", "true")
        if self._newer and line.direction != block_direction:
            element.set("BASEDIRECTION", line.direction)
        _add_shape(element, outline)
        words = words_of(line, box, self._page)
        if not words:
            # A line has at least one string, also where nothing is read yet or a person took the text away.
            words = [PlacedWord("", box, None, line.text if line.correction is not None and line.text else None)]
        self._add_words(element, words, name, hyphenation)

    def _add_words(
        self, parent: etree._Element, words: Sequence[PlacedWord], name: str, hyphenation: Hyphenation
    ) -> None:
        for position, word in enumerate(words):
            if position:
                _add(parent, "SP")
            last = position == len(words) - 1
            content = word.text.removesuffix(hyphenation.sign) if last else word.text
            element = _add(parent, "String", ID=self._ids.take(f"{name}_w{position}"), **_place(word.box))
            element.set("CONTENT", content)
            if last and hyphenation.first is not None:
                element.attrib.update({"SUBS_TYPE": "HypPart1", "SUBS_CONTENT": hyphenation.first})
            elif position == 0 and hyphenation.second is not None:
                element.attrib.update({"SUBS_TYPE": "HypPart2", "SUBS_CONTENT": hyphenation.second})
            if word.confidence is not None:
                element.set("WC", number(word.confidence))
            if word.machine is not None:
                _add(element, "ALTERNATIVE", PURPOSE=MACHINE).text = word.machine
            for alternative in word.alternatives:
                _add(element, "ALTERNATIVE", PURPOSE=alternative.source).text = alternative.text
        if hyphenation.sign:
            _add(parent, "HYP", CONTENT=hyphenation.sign)


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _tag(name), attributes)


def _add_shape(parent: etree._Element, outline: Sequence[Point]) -> None:
    _add(_add(parent, "Shape"), "Polygon", POINTS=_points(outline))


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x} {y}" for x, y in points)


def _place(box: Box) -> dict[str, str]:
    left, top, right, bottom = box
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}
