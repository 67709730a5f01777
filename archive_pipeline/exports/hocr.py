"""``hocr/0001.hocr``: hOCR 1.2 (http://kba.github.io/hocr-spec/1.2/) in XHTML.

Pages hold ``ocr_carea > ocr_par > ocr_line > ocrx_word``: converters need all four. The text is the best one; a line
that a person corrected has ``x_corrected`` and no confidences. All coordinates are boxes on the page image. How a page
that is not ``done`` went, and what was done to it, is in the head; the body has nothing but the text.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from lxml import etree

from archive_pipeline import __version__
from archive_pipeline.exports import polygons
from archive_pipeline.exports.base import ExportDocument, Identifiers, language_tag, number, write_pages
from archive_pipeline.exports.line_words import PlacedWord, words_of, words_of_block
from archive_pipeline.exports.provenance import settings
from archive_pipeline.exports.tracks import is_long, track_of
from archive_pipeline.page import Box, Line, Page, Region, bounding_box, clean_text
from archive_pipeline.rendering.model import PageImage

NAMESPACE = "http://www.w3.org/1999/xhtml"
_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
    ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">'
)
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocr_photo ocrp_lang ocrp_dir ocrp_wconf"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


def write(document: ExportDocument, folder: Path) -> Iterator[Path]:
    """Write one hOCR file per page."""
    return write_pages(document, folder, "hocr/{:04d}.hocr", lambda page, image: render(document, page, image))


def render(document: ExportDocument, page: Page, image: PageImage | None) -> bytes:
    """One page as hOCR.

    Args:
        document: Where the page is from: title, digest and date go into the head.
        page: A page that failed, was skipped or is blank gives a valid file that says so.
        image: Record of the page image; None where there is none.
    """
    root = etree.Element(f"{{{NAMESPACE}}}html", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    if language := language_tag(page):
        root.set("lang", language)
        root.set(_LANGUAGE, language)
    _add_head(root, document, page, image)
    ids = Identifiers()
    names = [ids.take(region.id) for region in page.regions]
    lines = [[ids.take(line.id) for line in region.lines] for region in page.regions]
    body = _add(root, "body")
    element = _add(body, "div", ids.take(f"page_{page.number:04d}"), "ocr_page", _page_properties(page, image))
    if page.direction == "rtl":
        element.set("dir", "rtl")
    for region, name, line_names in zip(page.regions, names, lines, strict=True):
        _add_region(element, page, region, name, line_names, ids)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", doctype=_DOCTYPE)


def _add(
    parent: etree._Element, tag: str, name: str = "", kind: str = "", properties: Sequence[str] = ()
) -> etree._Element:
    """Add an element, an hOCR one if it has a kind, on a line of its own."""
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{tag}")
    if kind:
        element.attrib.update({"class": kind, "id": name, "title": "; ".join(properties)})
    # Empty, not missing: HTML readers take <span/> for a span that is never closed.
    element.text = ""
    element.tail = "\n"
    return element


def _add_head(root: etree._Element, document: ExportDocument, page: Page, image: PageImage | None) -> None:
    head = _add(root, "head")
    # First, so that HTML readers know the encoding before the title.
    etree.SubElement(
        head, f"{{{NAMESPACE}}}meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"}
    ).tail = "\n"
    status = f" ({page.status}{f': {page.reason}' if page.reason else ''})" if page.status != "done" else ""
    _add(head, "title").text = clean_text(f"{document.title}, page {page.number}{status}")
    entries = [
        ("ocr-system", f"archive-pipeline {__version__}"),
        ("ocr-capabilities", _CAPABILITIES),
        ("ocr-number-of-pages", "1"),
        ("ocr-langs", page.language or ""),
        ("source", document.title),
        ("source-key", document.key),
        ("source-sha256", document.source_digest),
        ("source-date", document.date or ""),
        ("image-sha256", page.image_digest or (image.sha256 if image else "")),
        ("page-status", page.status),
        ("page-status-reason", page.reason),
    ]
    for step in page.steps:
        entries.append(("processing-step", f"{step.task}: {step.engine} {step.version}; {settings(step)}".rstrip("; ")))
    for name, content in entries:
        if content:
            meta = etree.SubElement(head, f"{{{NAMESPACE}}}meta", name=name, content=clean_text(content))
            meta.tail = "\n"


def _page_properties(page: Page, image: PageImage | None) -> list[str]:
    # The grammar has no way to write these two in a name.
    name = (image.file if image else f"{page.number:04d}").replace('"', "_").replace(";", "_")
    # The front cover is page 0.
    properties = [f'image "{clean_text(name)}"', _bbox((0, 0, page.width, page.height)), f"ppageno {page.number - 1}"]
    if round(page.dpi):
        properties.append(f"scan_res {round(page.dpi)} {round(page.dpi)}")
    return properties


def _add_region(
    parent: etree._Element, page: Page, region: Region, name: str, line_names: Sequence[str], ids: Identifiers
) -> None:
    box = bounding_box(tuple(polygons.polygon(region.boundary, page)))
    properties = [_bbox(box), f"x_type {region.type}"]
    if not region.lines and not region.text.strip() and region.type in {"stamp", "graphic"}:
        _add(parent, "div", name, "ocr_photo", properties)
        return
    area = _add(parent, "div", name, "ocr_carea", properties)
    paragraph = _add(area, "p", ids.take(f"{name}_par"), "ocr_par", [_bbox(box)])
    for line, line_name in zip(region.lines, line_names, strict=True):
        _add_line(paragraph, page, line, line_name, ids)
    if not region.lines and region.text.strip():
        line_name = ids.take(f"{name}_text")
        _add_words(
            _add(paragraph, "span", line_name, "ocr_line", [_bbox(box)]), words_of_block(region, box), line_name, ids
        )


def _add_line(parent: etree._Element, page: Page, line: Line, name: str, ids: Identifiers) -> None:
    box = bounding_box(tuple(polygons.polygon(line.boundary or line.baseline, page)))
    properties = [_bbox(box), *_line_properties(line, box)]
    if line.correction is not None:
        properties.append("x_corrected 1")
    element = _add(parent, "span", name, "ocr_line", properties)
    if line.direction == "rtl":
        element.set("dir", "rtl")
    elif line.direction == "ttb":
        element.set("style", "writing-mode: vertical-rl")
    elif page.direction == "rtl":
        element.set("dir", "ltr")
    _add_words(element, words_of(line, box, page), name, ids)


def _line_properties(line: Line, box: Box) -> list[str]:
    """``baseline``, ``textangle`` and ``x_size`` of a line, where they are known.

    ``baseline`` is slope and offset of the straight line through the baseline's points (least squares), with the bottom
    left corner of the box as origin, y down (hOCR 1.2, section 4.1): the offset is negative where it is above the
    corner. An upright line has none; its ``textangle`` is counter-clockwise.
    """
    track = track_of(line, box)
    properties = []
    if track.axis == 1 and line.direction != "ttb":
        properties.append(f"textangle {90 if track.sign < 0 else 270}")
    elif track.axis == 0 and is_long(line.baseline) and len({x for x, _ in line.baseline}) > 1:
        slope, level = statistics.linear_regression([x for x, _ in line.baseline], [y for _, y in line.baseline])
        properties.append(f"baseline {number(slope)} {round(level + slope * box[0] - box[3])}")
    if line.boundary and track.height >= 1:
        properties.append(f"x_size {number(track.height, 2)}")
    return properties


def _add_words(parent: etree._Element, words: Sequence[PlacedWord], name: str, ids: Identifiers) -> None:
    for position, word in enumerate(words):
        properties = [_bbox(word.box)]
        if word.confidence is not None:
            # Whole numbers, as most readers expect.
            properties.append(f"x_wconf {round(100 * word.confidence)}")
        element = _add(parent, "span", ids.take(f"{name}_w{position}"), "ocrx_word", properties)
        element.text = word.text
        element.tail = " " if position < len(words) - 1 else ""


def _bbox(box: Box) -> str:
    return "bbox " + " ".join(map(str, box))
