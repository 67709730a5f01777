"""``page/0001.xml``: PAGE content, 2019-07-15, as eScriptorium, Transkribus, OCR-D and kraken read it.

What other tools were seen to need: ids that begin with a letter or underscore; a ``ReadingOrder`` and, beside it,
Transkribus' ``custom="readingOrder {index:0;}"`` on regions, lines and words (without it on words, Transkribus never
finishes loading); all text in ``TextRegion``, tables too, since few read a ``TableRegion``; the image's plain name.

Where a person corrected a line, ``TextEquiv`` 0 is the correction and 1 what the machine read. Its words are left out:
they are the machine's and would contradict the line. What a word list proposed for a word follows the
word's own text, with an index from 1 and the list in ``comments``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from archive_pipeline.exports import polygons
from archive_pipeline.exports.base import ExportDocument, Identifiers, number, write_pages
from archive_pipeline.exports.page_xml_metadata import add_metadata
from archive_pipeline.exports.tracks import baseline_in
from archive_pipeline.page import Direction, Line, Page, Region, clean_text
from archive_pipeline.rendering.model import PageImage

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_DIRECTIONS: dict[Direction, str] = {"ltr": "left-to-right", "rtl": "right-to-left", "ttb": "top-to-bottom"}
_TYPES = {
    "text": "paragraph",
    "heading": "heading",
    "header": "header",
    "footer": "footer",
    "page-number": "page-number",
    "marginalia": "marginalia",
    "caption": "caption",
}
_GRAPHICS = {"stamp": "stamp", "graphic": "other"}


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one PAGE file per page."""
    return write_pages(document, folder, "page/{:04d}.xml", lambda page, image: render(document, page, image))


def render(document: ExportDocument, page: Page, image: PageImage | None) -> bytes:
    """One page as PAGE XML.

    Args:
        document: Where the page is from: title, digest and date go into the metadata.
        page: A page that failed, was skipped or is blank gives a valid file that says so.
        image: Record of the page image; None where there is none.
    """
    root = element(document, page, image)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def element(document: ExportDocument, page: Page, image: PageImage | None) -> etree._Element:
    """The ``PcGts`` element of :func:`render`."""
    ids = Identifiers()
    root = etree.Element(_tag("PcGts"), nsmap={None: NAMESPACE, "xsi": _INSTANCE})  # type: ignore[dict-item]
    root.set(f"{{{_INSTANCE}}}schemaLocation", f"{NAMESPACE} {NAMESPACE}/pagecontent.xsd")
    root.set("pcGtsId", ids.take(f"page_{page.number:04d}"))
    add_metadata(root, document, page)
    _add_page(root, page, image, ids)
    return root


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _tag(name), attributes)


def _add_page(root: etree._Element, page: Page, image: PageImage | None, ids: Identifiers) -> None:
    element = _add(
        root,
        "Page",
        imageFilename=clean_text(image.file) if image else f"{page.number:04d}",
        imageWidth=str(page.width),
        imageHeight=str(page.height),
    )
    if page.dpi:
        element.set("imageXResolution", number(page.dpi, 2))
        element.set("imageYResolution", number(page.dpi, 2))
        element.set("imageResolutionUnit", "PPI")
    element.set("custom", f"status {{value:{page.status};}}")
    if page.status == "blank":
        element.set("type", "blank")
    element.set("readingDirection", _DIRECTIONS[page.direction])
    if page.confidence is not None:
        element.set("conf", number(page.confidence))
    names = [ids.take(region.id) for region in page.regions]
    if names:
        order = _add(_add(element, "ReadingOrder"), "OrderedGroup", id=ids.take("reading_order"))
        for index, name in enumerate(names):
            _add(order, "RegionRefIndexed", index=str(index), regionRef=name)
    for index, (region, name) in enumerate(zip(page.regions, names, strict=True)):
        _add_region(element, page, region, index, name, ids)


def _add_region(parent: etree._Element, page: Page, region: Region, index: int, name: str, ids: Identifiers) -> None:
    custom = f"readingOrder {{index:{index};}} structure {{type:{region.type};}}"
    coords = polygons.text(polygons.polygon(region.boundary, page))
    if region.type in _GRAPHICS and not region.lines and not region.text:
        element = _add(parent, "GraphicRegion", id=name, custom=custom, type=_GRAPHICS[region.type])
        _add(element, "Coords", points=coords)
        return
    element = _add(parent, "TextRegion", id=name, custom=custom, type=_TYPES.get(region.type, "other"))
    _add(element, "Coords", points=coords)
    directions = {line.direction for line in region.lines} or {page.direction}
    direction = directions.pop() if len(directions) == 1 else page.direction
    element.set("readingDirection", _DIRECTIONS[direction])
    for position, line in enumerate(region.lines):
        _add_line(element, page, region, line, position, ids, direction)
    if not region.lines and region.text:
        _add_text(element, region.text, None)


def _add_line(
    parent: etree._Element,
    page: Page,
    region: Region,
    line: Line,
    index: int,
    ids: Identifiers,
    region_direction: Direction,
) -> None:
    name = ids.take(line.id)
    element = _add(parent, "TextLine", id=name, custom=f"readingOrder {{index:{index};}}")
    if line.direction != region_direction:
        element.set("readingDirection", _DIRECTIONS[line.direction])
    _add(element, "Coords", points=polygons.text(polygons.polygon(line.boundary or line.baseline, page)))
    _add(element, "Baseline", points=polygons.text(baseline_in(page, region, line)))
    if line.correction is not None:
        _add_text(element, line.correction, None, index="0")
        if line.text:
            _add_text(element, line.text, line.confidence, index="1")
        return
    for position, word in enumerate(line.words):
        child = _add(element, "Word", id=ids.take(f"{name}_w{position}"), custom=f"readingOrder {{index:{position};}}")
        _add(child, "Coords", points=polygons.text(polygons.corners(word.box, page)))
        if not word.alternatives:
            _add_text(child, word.text, word.confidence)
            continue
        _add_text(child, word.text, word.confidence, index="0")
        for rank, alternative in enumerate(word.alternatives, start=1):
            _add_text(child, alternative.text, None, index=str(rank), comments=alternative.source)
    if line.text:
        _add_text(element, line.text, line.confidence)


def _add_text(parent: etree._Element, text: str, confidence: float | None, **attributes: str) -> None:
    element = _add(parent, "TextEquiv", **attributes)
    if confidence is not None:
        element.set("conf", number(confidence))
    _add(element, "Unicode").text = text
