"""``tei.xml``: the whole document as TEI P5, a facsimile with zones and a text that points to them.

What is encoded, and how:

* each page is a ``surface`` and a ``pb``, each region a ``zone`` and a block, each line a ``zone`` in it and an ``lb``;
* running heads and page numbers are ``fw``, marginalia are notes, headings begin a division, all else is ``ab``: what
  a paragraph is, the layout does not say;
* a line that a person wrote is a ``seg`` with their ``resp``. It is no ``corr``: the source has no error, the machine
  had. What the machine read is in the PAGE files;
* a line that the machine doubts is ``unclear`` with ``cert="low"``; no other confidence is repeated here;
* a page that was not read is a ``gap`` with the reason.

Guidelines: https://tei-c.org/release/doc/tei-p5-doc/en/html/PH.html (11.1, digital facsimiles).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from lxml import etree

from archive_pipeline import __version__
from archive_pipeline.exports import polygons
from archive_pipeline.exports.base import ExportDocument, Identifiers, language_tag
from archive_pipeline.exports.page_images import FOLDER as IMAGES
from archive_pipeline.exports.xml_stream import XML, XmlStream, xml_stream
from archive_pipeline.page import Line, Page, Point, Region, RegionType, Step, clean_text
from archive_pipeline.rendering.model import PageImage

NAME = "tei.xml"
NAMESPACE = "http://www.tei-c.org/ns/1.0"
UNCLEAR = 0.6
"""Lines of less confidence are ``unclear``."""

_FORME: dict[RegionType, tuple[str, str]] = {
    "header": ("header", "top"),
    "footer": ("footer", "bottom"),
    "page-number": ("pageNum", ""),
}
_PERSON = "corrector"
_MACHINE = "machine"


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one file for the whole document, page by page."""
    path = folder / NAME
    corrected, languages = False, set[str]()
    for page in document.pages:
        corrected = corrected or any(line.correction is not None for line in page.lines())
        if language := language_tag(page):
            languages.add(language)
    with xml_stream(path, _tag("TEI"), {None: NAMESPACE}) as xml:
        _add_header(xml, document, sorted(languages), corrected=corrected)
        with xml.open(_tag("facsimile")):
            for page, image in zip(document.pages, document.images, strict=True):
                _add_surface(xml, page, image)
        with xml.open(_tag("text")):
            _add_body(xml, document)
    yield path


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _element(name: str, text: str | None = None, /, **attributes: str) -> etree._Element:
    element = etree.Element(_tag(name), {key: clean_text(value) for key, value in attributes.items()})
    element.text = None if text is None else clean_text(text)
    return element


def _with(element: etree._Element, *children: etree._Element) -> etree._Element:
    element.extend(children)
    return element


def _named(element: etree._Element, name: str) -> etree._Element:
    element.set(f"{{{XML}}}id", name)
    return element


def _add_header(xml: XmlStream, document: ExportDocument, languages: list[str], *, corrected: bool) -> None:
    with xml.open(_tag("teiHeader")):
        xml.add(_file_description(document, corrected=corrected))
        hyphens = _element("p", "Hyphens at the ends of lines are kept as they were read.")
        names = [f"{step.engine} {step.version} ({step.task})" for step in document.steps()]
        method = f"The text was read by machine{': ' if names else ''}{', '.join(names)}."
        applications = [_application("archive-pipeline", __version__, "The exports.", [])]
        applications += [_application_of(step) for step in document.steps()]
        xml.add(
            _with(
                _element("encodingDesc"),
                _with(_element("projectDesc"), _element("p", method)),
                _with(_element("editorialDecl"), _with(_element("hyphenation", eol="all"), hyphens)),
                _with(_element("appInfo"), *applications),
            )
        )
        if languages:
            used = [_element("language", name, ident=name) for name in languages]
            xml.add(_with(_element("profileDesc"), _with(_element("langUsage"), *used)))


def _file_description(document: ExportDocument, *, corrected: bool) -> etree._Element:
    title = _with(
        _element("titleStmt"), _element("title", document.title), _responsible(_MACHINE, "reading", "machine")
    )
    if corrected:
        title.append(_responsible(_PERSON, "correction of single lines", "by hand"))
    published = _element("p", f"Made by archive-pipeline {__version__} from the source described below.")
    source = _with(
        _element("bibl"),
        _element("title", document.title),
        _element("idno", document.key, type="key"),
        _element("idno", document.source_digest, type="sha256"),
    )
    if document.date:
        source.append(_element("date", document.date, when=document.date, type="file"))
    source.extend([_element("note", note) for note in document.notes])
    return _with(
        _element("fileDesc"),
        title,
        _with(_element("publicationStmt"), published),
        _with(_element("sourceDesc"), source),
    )


def _responsible(name: str, task: str, who: str) -> etree._Element:
    return _named(_with(_element("respStmt"), _element("resp", task), _element("name", who)), name)


def _application_of(step: Step) -> etree._Element:
    details = [f"{name}: {value}" for name, value in sorted(step.parameters.items())]
    if step.model_digest:
        details.insert(0, f"SHA-256 of the model: {step.model_digest}")
    if step.model:
        details.insert(0, f"model: {step.model}")
    return _application(step.engine, step.version, step.task, details)


def _application(name: str, version: str, label: str, details: list[str]) -> etree._Element:
    # The schema wants a name without blanks and a version of numbers; the label has both as they are.
    ident = Identifiers().take(name)
    number = re.sub(r"[^0-9.]", "", version).strip(".")
    application = _element("application", ident=ident, version=number if re.match(r"\d", number) else "0")
    application.append(_element("label", f"{name} {version}: {label}"))
    application.extend([_element("desc", detail) for detail in details])
    return application


def _names(page: Page) -> tuple[str, list[tuple[str, list[str]]]]:
    """Ids of the surface, and of each region with its lines: the same each time, and of this page alone."""
    surface = f"page{page.number:04d}"
    ids = Identifiers()
    return surface, [
        (f"{surface}.{ids.take(region.id)}", [f"{surface}.{ids.take(line.id)}" for line in region.lines])
        for region in page.regions
    ]


def _add_surface(xml: XmlStream, page: Page, image: PageImage | None) -> None:
    name, zones = _names(page)
    surface = _named(_element("surface", n=str(page.number)), name)
    if image is not None or page.regions:
        surface.attrib.update({"ulx": "0", "uly": "0", "lrx": str(page.width), "lry": str(page.height)})
    if image is not None:
        size = {"width": f"{image.width}px", "height": f"{image.height}px"}
        surface.append(_element("graphic", url=f"{IMAGES}/{image.file}", **size))
    for region, (region_name, line_names) in zip(page.regions, zones, strict=True):
        zone = _zone(region_name, region.boundary, page, "region")
        zone.set("subtype", region.type)
        for line, line_name in zip(region.lines, line_names, strict=True):
            zone.append(_zone(line_name, line.boundary or line.baseline, page, "line"))
        surface.append(zone)
    xml.add(surface)


def _zone(name: str, points: tuple[Point, ...], page: Page, kind: str) -> etree._Element:
    corners = polygons.polygon(points, page)
    left, top = (str(min(point[axis] for point in corners)) for axis in (0, 1))
    right, bottom = (str(max(point[axis] for point in corners)) for axis in (0, 1))
    box = {"ulx": left, "uly": top, "lrx": right, "lry": bottom}
    return _named(_element("zone", type=kind, points=polygons.text(corners), **box), name)


def _add_body(xml: XmlStream, document: ExportDocument) -> None:
    """The text. A heading opens a division that lasts until the next one, over the ends of pages."""
    with xml.open(_tag("body")), ExitStack() as division:
        has_block = False
        heading_before = False
        for page in document.pages:
            surface, names = _names(page)
            xml.add(_element("pb", n=str(page.number), facs=f"#{surface}"))
            if page.status in {"failed", "skipped"}:
                gap = _element("gap", reason=page.status, unit="page", quantity="1")
                gap.append(_element("desc", page.reason or "No reason was given."))
                xml.add(_with(_element("ab"), gap))
                has_block, heading_before = True, False
            for region, (name, line_names) in zip(page.regions, names, strict=True):
                if not region.text and not region.lines:
                    continue
                if region.type == "heading" and not heading_before:
                    division.close()
                    division.enter_context(xml.open(_tag("div")))
                block = _block(region, name, line_names)
                if language := language_tag(page):
                    block.set("{http://www.w3.org/XML/1998/namespace}lang", language)
                xml.add(block)
                if region.type not in _FORME and region.type != "marginalia":
                    has_block, heading_before = True, region.type == "heading"
        if not has_block:
            # The schema wants one block in a text.
            xml.add(_element("ab"))


def _block(region: Region, name: str, line_names: list[str]) -> etree._Element:
    facs = f"#{name}"
    if region.type == "heading":
        block = _element("head", facs=facs)
    elif region.type in _FORME:
        kind, place = _FORME[region.type]
        block = _element("fw", facs=facs, type=kind, **({"place": place} if place else {}))
    elif region.type == "marginalia":
        block = _element("note", facs=facs, place="margin")
    else:
        block = _element("ab", facs=facs, **({} if region.type == "text" else {"type": region.type}))
    if not region.lines:
        block.text = region.text
    for number, (line, line_name) in enumerate(zip(region.lines, line_names, strict=True), 1):
        begin = _element("lb", n=str(number), facs=f"#{line_name}")
        # A new line of the file stands before each line, where TEI reads a blank.
        if number == 1:
            block.text = "\n"
        block.append(begin)
        content = _content(line)
        if isinstance(content, str):
            begin.tail = f"{content}\n"
        else:
            content.tail = "\n"
            block.append(content)
    return block


def _content(line: Line) -> str | etree._Element:
    if line.correction is not None:
        return _element("seg", line.correction, resp=f"#{_PERSON}")
    if line.text and line.confidence is not None and line.confidence < UNCLEAR:
        return _element("unclear", line.text, cert="low", resp=f"#{_MACHINE}")
    return line.text
