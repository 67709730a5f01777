"""``ocr-d/0001.xml``: PAGE as OCR-D's validator wants it, beside the METS that lists it.

It is :mod:`page_xml` with four differences, which is why it is a file of its own:

* ``imageFilename`` is the path from the METS file, where other tools want the plain name;
* ``pcGtsId`` is the id of the file in the METS;
* polygons are valid, and none leaves the one around it by more than OCR-D's 1.5 pixels: a word is cut to its line, a
  region grows around its lines. What the engine found stays as it was in ``page/``;
* the words of a line spell exactly the line's text, or are left out.

Rules: https://ocr-d.de/en/spec/page and ``ocrd_validators.page_validator`` (``PARENT_SLACK``, ``POLY_TOLERANCE``).
"""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree
from shapely import Polygon, make_valid, union_all
from shapely.geometry.base import BaseGeometry

from archive_pipeline.exports import page_xml, polygons
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Page, Point, bounding_box
from archive_pipeline.rendering.model import PageImage

_TOLERANCE = 1.0  # the validator simplifies polygons by so much before it looks at them
_SLACK = 1.5  # how far a polygon may leave the one around it
_MAIN_SHARE = 0.9  # of the area of a polygon that crosses itself: so much in one piece is the whole of it
_NAMES = {"p": page_xml.NAMESPACE}


def render(document: ExportDocument, page: Page, image: PageImage, *, path: str, file_id: str) -> bytes:
    """One page as PAGE XML for OCR-D.

    Args:
        document: Where the page is from.
        page: The page.
        image: Record of the page image: OCR-D has no pages without one.
        path: Of the page image, from the METS file.
        file_id: The id of the file in the METS.
    """
    root = page_xml.element(document, page, image)
    root.set("pcGtsId", file_id)
    root.find("p:Page", _NAMES).set("imageFilename", path)  # type: ignore[union-attr]
    for region in root.iterfind("p:Page/*[p:Coords]", _NAMES):
        _repair_region(region)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _repair_region(region: etree._Element) -> None:
    lines = []
    for line in region.iterfind("p:TextLine", _NAMES):
        polygon = _valid(_points(line))
        _set(line, polygon)
        lines.append(polygon)
        _repair_words(line, polygon)
    _set(region, _around(_valid(_points(region)), lines))


def _repair_words(line: etree._Element, polygon: Polygon) -> None:
    words = line.findall("p:Word", _NAMES)
    texts = [word.findtext("p:TextEquiv/p:Unicode", "", _NAMES) for word in words]
    whole = line.find("p:TextEquiv/p:Unicode", _NAMES)
    spelt = " ".join(texts).strip()
    # OCR-D reads the words of a line that is itself marked right-to-left backwards.
    backwards = line.get("readingDirection") == "right-to-left"
    if backwards or whole is None or spelt.split() != (whole.text or "").split():
        for word in words:
            line.remove(word)
        return
    if words:
        whole.text = spelt
    for word in words:
        _set(word, _inside(_valid(_points(word)), polygon))


def _points(element: etree._Element) -> list[Point]:
    coords = element.find("p:Coords", _NAMES)
    pairs = (pair.split(",") for pair in coords.attrib["points"].split())  # type: ignore[union-attr]
    return [(int(x), int(y)) for x, y in pairs]


def _set(element: etree._Element, polygon: Polygon) -> None:
    coords = element.find("p:Coords", _NAMES)
    coords.set("points", polygons.text(_corners(polygon)))  # type: ignore[union-attr]


def _corners(polygon: Polygon) -> list[Point]:
    points = [(round(x), round(y)) for x, y in polygon.exterior.coords[:-1]]
    return [point for index, point in enumerate(points) if point != points[index - 1]]


def _whole(geometry: BaseGeometry) -> Polygon | None:
    """The largest polygon of a geometry, on whole pixels, if OCR-D takes it."""
    parts = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, Polygon) and not part.is_empty]
    if not parts:
        return None
    points = _corners(max(parts, key=lambda part: part.area))
    polygon = Polygon(points) if len(points) >= 3 else None
    return polygon if polygon is not None and _sound(polygon) else None


def _sound(polygon: Polygon) -> bool:
    simple = polygon.simplify(_TOLERANCE)
    return bool(polygon.area > 0 and isinstance(simple, Polygon) and simple.is_valid and not simple.is_empty)


def _fits(inner: Polygon, outer: Polygon) -> bool:
    return bool(inner.simplify(_TOLERANCE).within(outer.simplify(_TOLERANCE).buffer(_SLACK)))


def _box(points: Sequence[Point]) -> Polygon:
    left, top, right, bottom = bounding_box(tuple(points))
    return Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def _valid(points: Sequence[Point]) -> Polygon:
    """The polygon itself if it is sound; else its one large piece, its hull, or, without any area, its box."""
    polygon = Polygon(points)
    if _sound(polygon):
        return polygon
    pieces = make_valid(polygon)
    main = _whole(pieces)
    if main is not None and main.area >= _MAIN_SHARE * pieces.area:
        return main
    return _whole(polygon.convex_hull) or _box(points)


def _inside(inner: Polygon, outer: Polygon) -> Polygon:
    """What of one polygon is inside another; all of the other where that is nothing to speak of."""
    if _fits(inner, outer):
        return inner
    for limit in (outer, outer.buffer(-_TOLERANCE)):
        part = _whole(make_valid(inner).intersection(make_valid(limit)))
        if part is not None and _fits(part, outer):
            return part
    return outer


def _around(outer: Polygon, inner: Sequence[Polygon]) -> Polygon:
    """A polygon that holds another and all of its contents, as little larger as can be."""
    if all(_fits(each, outer) for each in inner):
        return outer
    union = union_all([make_valid(each) for each in (outer, *inner)])
    for candidate in (union, union.convex_hull):
        grown = _whole(candidate)
        if grown is not None and all(_fits(each, grown) for each in inner):
            return grown
    return _box([point for each in (outer, *inner) for point in _corners(each)])
