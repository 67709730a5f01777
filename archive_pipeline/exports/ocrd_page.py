"""``ocr-d/0001.xml``: PAGE as OCR-D's validator wants it, beside the METS that lists it.

It is :mod:`page_xml` with these differences, which is why it is a file of its own:

* ``imageFilename`` is the path from the METS file, where other tools want the plain name;
* ``pcGtsId`` is the id of the file in the METS;
* polygons are valid, and none leaves the one around it by more than OCR-D's 1.5 pixels: a word is cut to its line, a
  region grows around its lines. What the engine found stays as it was in ``page/``;
* every line with text has words, as OCR-D's converters demand, and they spell exactly that text. Where the machine's
  do not, or a person corrected the line, they are laid out along it;
* a line has no reading direction of its own: the validator would read its words backwards.

Rules: https://ocr-d.de/en/spec/page and ``ocrd_validators.page_validator`` (``PARENT_SLACK``, ``POLY_TOLERANCE``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lxml import etree
from shapely import Polygon, box, get_coordinates, make_valid, prepare, union_all
from shapely.geometry.base import BaseGeometry

from archive_pipeline.exports import page_xml, polygons
from archive_pipeline.exports.base import ExportDocument, Identifiers
from archive_pipeline.exports.tracks import Track, track_of
from archive_pipeline.exports.word_places import Place, places
from archive_pipeline.page import Line, Page, Point, Region, bounding_box
from archive_pipeline.rendering.model import PageImage

_TOLERANCE = 1.0  # the validator simplifies polygons by so much before it looks at them
_SLACK = 1.0  # how far a polygon may leave the one around it: 1.5, less what versions of GEOS disagree on
_MAIN_SHARE = 0.9  # of the area of a polygon that crosses itself: so much in one piece is the whole of it
_NAMES = {"p": page_xml.NAMESPACE}
_TAG = f"{{{page_xml.NAMESPACE}}}"


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
    ids = Identifiers()
    for name in root.xpath("//@id"):  # type: ignore[union-attr]
        ids.take(str(name))
    elements = root.iterfind("p:Page/*[p:Coords]", _NAMES)
    for element, region in zip(elements, page.regions, strict=True):
        _repair_region(element, region, ids)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _repair_region(element: etree._Element, region: Region, ids: Identifiers) -> None:
    shapes = []
    for child, line in zip(element.iterfind("p:TextLine", _NAMES), region.lines, strict=True):
        shape = _valid(_points(child))
        _set(child, shape)
        child.attrib.pop("readingDirection", "")
        _repair_words(child, line, shape, ids)
        shapes.append(shape)
    _set(element, _around(_valid(_points(element)), shapes))


def _repair_words(element: etree._Element, line: Line, shape: Polygon, ids: Identifiers) -> None:
    words = line.best_text.split()
    room = _room(shape)
    text = element.find("p:TextEquiv", _NAMES)
    if text is not None:
        text.find("p:Unicode", _NAMES).text = " ".join(words)  # type: ignore[union-attr]
    known = element.findall("p:Word", _NAMES)
    if [word.findtext("p:TextEquiv/p:Unicode", None, _NAMES) for word in known] == words:
        for word in known:
            _set(word, _inside(_valid(_points(word)), shape, room))
        return
    for word in known:
        element.remove(word)
    track = track_of(line, bounding_box(tuple(_corners(shape))))
    for index, place in enumerate(places(line, track, len)):
        word = etree.Element(
            _TAG + "Word", id=ids.take(f"{element.get('id')}_w{index}"), custom=f"readingOrder {{index:{index};}}"
        )
        etree.SubElement(word, _TAG + "Coords")
        _set(word, _inside(_strip(place, track, shape), shape, room))
        etree.SubElement(etree.SubElement(word, _TAG + "TextEquiv"), _TAG + "Unicode").text = place.text
        text.addprevious(word)  # type: ignore[union-attr]


def _strip(place: Place, track: Track, shape: Polygon) -> Polygon:
    """All that stands above and below a piece of a track."""
    edges = list(shape.bounds)
    start, end = sorted((place.start * track.sign, place.end * track.sign))
    edges[track.axis] = max(edges[track.axis], start)
    edges[track.axis + 2] = min(edges[track.axis + 2], end)
    return box(*edges) if edges[track.axis] < edges[track.axis + 2] else shape


def _points(element: etree._Element) -> list[Point]:
    coords = element.find("p:Coords", _NAMES)
    pairs = (pair.split(",") for pair in coords.get("points", "").split())  # type: ignore[union-attr]
    return [(int(x), int(y)) for x, y in pairs]


def _set(element: etree._Element, polygon: Polygon) -> None:
    coords = element.find("p:Coords", _NAMES)
    coords.set("points", polygons.text(_corners(polygon)))  # type: ignore[union-attr]


def _corners(polygon: Polygon) -> list[Point]:
    points = [(round(x), round(y)) for x, y in get_coordinates(polygon.exterior).tolist()[:-1]]
    return [point for index, point in enumerate(points) if point != points[index - 1]]


def _whole(geometry: BaseGeometry) -> Polygon | None:
    """The largest polygon of a geometry, on whole pixels, if OCR-D takes it."""
    parts = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, Polygon) and not part.is_empty]
    if not parts:
        return None
    points = _corners(max(parts, key=lambda part: part.area))
    polygon = Polygon(_with_fourth(points)) if len(points) >= 3 else None
    return polygon if polygon is not None and _sound(polygon) else None


def _with_fourth(points: Sequence[Point]) -> list[Point]:
    """A triangle with one more point in the middle of its longest side: the validator demands four."""
    if len(points) != 3:
        return list(points)
    sides = [(points[index - 1], points[index]) for index in range(3)]
    longest = max(range(3), key=lambda index: math.dist(*sides[index]))
    (x0, y0), (x1, y1) = sides[longest]
    return [*points[:longest], ((x0 + x1) // 2, (y0 + y1) // 2), *points[longest:]]


def _sound(polygon: Polygon) -> bool:
    if len(_corners(polygon)) < 4 or polygon.area == 0:
        return False
    simple = polygon.simplify(_TOLERANCE)
    return bool(isinstance(simple, Polygon) and simple.is_valid and not simple.is_empty)


def _room(outer: Polygon) -> Polygon:
    """Where the validator accepts what is inside a polygon."""
    room = outer.simplify(_TOLERANCE).buffer(_SLACK)
    prepare(room)
    return room


def _fits(inner: Polygon, room: Polygon) -> bool:
    return bool(room.contains(inner.simplify(_TOLERANCE)))


def _box(points: Sequence[Point]) -> Polygon:
    left, top, right, bottom = bounding_box(tuple(points))
    return Polygon([(left, top), (right, top), (right, bottom), (left, bottom)])


def _valid(points: Sequence[Point]) -> Polygon:
    """The polygon itself if it is sound; else its one large piece, its hull, or, without any area, its box."""
    polygon = Polygon(_with_fourth(points))
    if _sound(polygon):
        return polygon
    pieces = make_valid(polygon)
    main = _whole(pieces)
    if main is not None and main.area >= _MAIN_SHARE * pieces.area:
        return main
    return _whole(polygon.convex_hull) or _box(points)


def _inside(inner: Polygon, outer: Polygon, room: Polygon) -> Polygon:
    """What of one polygon is inside another; all of the other where that is nothing to speak of."""
    if _fits(inner, room) and _sound(inner):
        return inner
    for limit in (outer, outer.buffer(-_TOLERANCE)):
        part = _whole(make_valid(inner).intersection(make_valid(limit)))
        if part is not None and _fits(part, room):
            return part
    return outer


def _around(outer: Polygon, inner: Sequence[Polygon]) -> Polygon:
    """A polygon that holds another and all of its contents, as little larger as can be."""

    def holds(candidate: Polygon) -> bool:
        room = _room(candidate)
        return all(_fits(each, room) for each in inner)

    if holds(outer):
        return outer
    union = union_all([make_valid(each) for each in (outer, *inner)])
    for candidate in (union, union.convex_hull):
        grown = _whole(candidate)
        if grown is not None and holds(grown):
            return grown
    return _box([point for each in (outer, *inner) for point in _corners(each)])
