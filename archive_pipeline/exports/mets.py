"""``mets.xml``: the document as an OCR-D workspace, which eScriptorium imports, too; ``ocr-d/0001.xml`` beside it.

All paths are relative, so that the folder can be moved (``FLocat`` of OCR-D's kind, ``LOCTYPE="OTHER"``). DFG-Viewer
and Kitodo.Presentation read absolute addresses only; the IIIF manifest is for viewers. So the file groups have OCR-D's
names, with two exceptions that those two share with others: ALTO is ``FULLTEXT``, and what is meant for people is
marked ``USE="DOWNLOAD"``. eScriptorium passes over both, where it would take every other file for one more
transcription.

A page without an image is in the physical map with the reason, but no PAGE file of it is listed: OCR-D has no pages
without an image, and its validator stops at the first one.

Rules: https://ocr-d.de/en/spec/mets, METS 1.12, MODS 3.6.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from archive_pipeline import __version__
from archive_pipeline.durable import file_digest, write_bytes
from archive_pipeline.exports import ocrd_page
from archive_pipeline.exports.base import ExportDocument, Files
from archive_pipeline.exports.page_images import FOLDER as IMAGES
from archive_pipeline.exports.page_images import MEDIA_TYPES
from archive_pipeline.exports.provenance import pairs
from archive_pipeline.exports.xml_stream import XmlStream, xml_stream
from archive_pipeline.page import Page, Step, clean_text
from archive_pipeline.rendering.model import PageImage

NAME = "mets.xml"
FOLDER = "ocr-d"
METS = "http://www.loc.gov/METS/"
MODS = "http://www.loc.gov/mods/v3"
XLINK = "http://www.w3.org/1999/xlink"
OCRD = "https://ocr-d.de"
_NAMESPACES: dict[str | None, str] = {"mets": METS, "mods": MODS, "xlink": XLINK, "ocrd": OCRD}
_PAGE_TYPE = "application/vnd.prima.page+xml"
_STEPS = {
    "rendering": "preprocessing/optimization",
    "segmentation": "layout/segmentation",
    "recognition": "recognition/text-recognition",
    "spelling": "recognition/post-correction",
    "text-extraction": "recognition/text-recognition",
}
"""OCR-D's words for the steps, from the ``steps`` of its ocrd-tool.json."""


@dataclass(frozen=True)
class _Group:
    """A file group made of another format's files.

    Attributes:
        name: Of the group.
        types: Media types by the files' endings, as OCR-D names them.
        use: Of each file.
    """

    name: str
    types: dict[str, str]
    use: str | None = None


_GROUPS = {
    "alto": _Group("FULLTEXT", {".xml": "application/alto+xml"}),
    "hocr": _Group("OCR-D-HOCR", {".hocr": "text/vnd.hocr+html", ".html": "text/vnd.hocr+html"}, "DOWNLOAD"),
    "text": _Group("OCR-D-TEXT", {".txt": "text/plain"}, "DOWNLOAD"),
    "tei": _Group("OCR-D-TEI", {".xml": "application/tei+xml"}, "DOWNLOAD"),
    "pdf": _Group("OCR-D-PDF", {".pdf": "application/pdf"}, "DOWNLOAD"),
}
_IMAGE_GROUP = "OCR-D-IMG"
_PAGE_GROUP = "OCR-D-OCR"
_ROOT = "PHYS_0000"
_LOGICAL = "LOG_0000"
_DESCRIPTION = "DMDLOG_0000"


def write(document: ExportDocument, folder: Path, files: Files) -> Iterator[Path]:
    """Write the PAGE files for OCR-D, then the METS that lists them and what else there is."""
    for page, image in zip(document.pages, document.images, strict=True):
        if image is not None:
            path = folder / _page_path(page.number)
            file_id = _file_id(_PAGE_GROUP, page.number)
            write_bytes(path, ocrd_page.render(document, page, image, path=_image_path(image), file_id=file_id))
            yield path
    target = folder / NAME
    with xml_stream(target, _tag("mets"), _NAMESPACES) as xml:
        xml.add(_header(document))
        xml.add(_description(document))
        _add_files(xml, document, folder, files)
    yield target


def _tag(name: str, namespace: str = METS) -> str:
    return f"{{{namespace}}}{name}"


def _element(name: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.Element(_tag(name), {key: clean_text(value) for key, value in attributes.items()})
    element.text = text
    return element


def _page_path(number: int) -> str:
    return f"{FOLDER}/{number:04d}.xml"


def _image_path(image: PageImage) -> str:
    return f"{IMAGES}/{image.file}"


def _page_id(number: int) -> str:
    return f"PHYS_{number:04d}"


def _file_id(group: str, number: int | None) -> str:
    return group if number is None else f"{group}_{number:04d}"


def _header(document: ExportDocument) -> etree._Element:
    """Who made it: this program, and the engine of each step with its model, as OCR-D's processors sign."""
    header = _element("metsHdr")
    if document.date:
        header.set("CREATEDATE", document.date)
    creator = _element("agent", TYPE="OTHER", OTHERTYPE="SOFTWARE", ROLE="CREATOR")
    creator.append(_element("name", f"archive-pipeline {__version__}"))
    header.append(creator)
    for step in document.steps():
        header.append(_agent(step))
    return header


def _agent(step: Step) -> etree._Element:
    agent = _element("agent", TYPE="OTHER", OTHERTYPE="SOFTWARE", ROLE="OTHER", OTHERROLE=_STEPS[step.task])
    agent.append(_element("name", clean_text(f"{step.engine} {step.version}")))
    for option, value in pairs(step).items():
        note = _element("note", value)
        note.set(_tag("option", OCRD), clean_text(option))
        agent.append(note)
    return agent


def document_urn(document: ExportDocument) -> str:
    """An identifier that is the same wherever the same source is read: OCR-D demands one, of few types."""
    return uuid.uuid5(uuid.NAMESPACE_OID, f"sha256:{document.source_digest}").urn


def _description(document: ExportDocument) -> etree._Element:
    section = _element("dmdSec", ID=_DESCRIPTION)
    wrap = _element("mdWrap", MDTYPE="MODS")
    data = _element("xmlData")
    mods = etree.SubElement(data, _tag("mods", MODS))
    title = etree.SubElement(mods, _tag("titleInfo", MODS))
    etree.SubElement(title, _tag("title", MODS)).text = clean_text(document.title)
    for note in document.notes:
        etree.SubElement(mods, _tag("note", MODS)).text = clean_text(note)
    identifiers = {"urn": document_urn(document), "sha256": document.source_digest, "local": document.key}
    for kind, value in identifiers.items():
        etree.SubElement(mods, _tag("identifier", MODS), type=kind).text = value
    wrap.append(data)
    section.append(wrap)
    return section


def _add_files(xml: XmlStream, document: ExportDocument, folder: Path, files: Files) -> None:
    """The file section, and the maps that say which file is of which page."""
    of_pages: dict[int | None, list[str]] = defaultdict(list)
    # The schema wants no empty section and no empty group.
    has_images = any(image is not None for image in document.images)
    groups = {name: group for name, group in _GROUPS.items() if files.get(name)}
    if has_images or groups:
        with xml.open(_tag("fileSec")):
            if has_images:
                _add_images(xml, document, folder, of_pages)
            for name, group in groups.items():
                with xml.open(_tag("fileGrp"), {"USE": group.name}):
                    for path in files[name]:
                        number = int(path.stem) if path.stem.isdecimal() else None
                        file_id = _file_id(group.name, number)
                        media_type = group.types[path.suffix]
                        xml.add(_file(file_id, path, folder, media_type, file_digest(path), group.use))
                        of_pages[number].append(file_id)
    numbers = _add_physical_map(xml, document, of_pages)
    with xml.open(_tag("structMap"), {"TYPE": "LOGICAL"}):
        xml.add(_element("div", ID=_LOGICAL, TYPE="document", LABEL=document.title, DMDID=_DESCRIPTION))
    with xml.open(_tag("structLink")):
        for target in (_ROOT, *map(_page_id, numbers)):
            link = _element("smLink")
            link.set(_tag("from", XLINK), _LOGICAL)
            link.set(_tag("to", XLINK), target)
            xml.add(link)


def _add_images(xml: XmlStream, document: ExportDocument, folder: Path, of_pages: dict[int | None, list[str]]) -> None:
    """The groups of page images and of PAGE files for OCR-D."""
    for group in (_IMAGE_GROUP, _PAGE_GROUP):
        with xml.open(_tag("fileGrp"), {"USE": group}):
            for image in document.images:
                if image is None:
                    continue
                file_id = _file_id(group, image.number)
                if group == _IMAGE_GROUP:
                    path = folder / _image_path(image)
                    xml.add(_file(file_id, path, folder, MEDIA_TYPES[path.suffix], image.sha256))
                else:
                    path = folder / _page_path(image.number)
                    xml.add(_file(file_id, path, folder, _PAGE_TYPE, file_digest(path)))
                of_pages[image.number].append(file_id)


def _file(
    file_id: str, path: Path, folder: Path, media_type: str, digest: str, use: str | None = None
) -> etree._Element:
    element = _element(
        "file",
        ID=file_id,
        MIMETYPE=media_type,
        SIZE=str(path.stat().st_size),
        CHECKSUM=digest,
        CHECKSUMTYPE="SHA-256",
        **({"USE": use} if use else {}),
    )
    location = _element("FLocat", LOCTYPE="OTHER", OTHERLOCTYPE="FILE")
    location.set(_tag("href", XLINK), path.relative_to(folder).as_posix())
    element.append(location)
    return element


def _add_physical_map(xml: XmlStream, document: ExportDocument, of_pages: dict[int | None, list[str]]) -> list[int]:
    """All pages in order, with their files; returns their numbers. Files of no page are the whole document's."""
    numbers = []
    with (
        xml.open(_tag("structMap"), {"TYPE": "PHYSICAL"}),
        xml.open(_tag("div"), {"ID": _ROOT, "TYPE": "physSequence"}),
    ):
        for file_id in of_pages[None]:
            xml.add(_element("fptr", FILEID=file_id))
        for page in document.pages:
            number = str(page.number)
            div = _element("div", ID=_page_id(page.number), TYPE="page", ORDER=number, ORDERLABEL=number)
            label = _label(page)
            if label:
                div.set("LABEL", label)
            div.extend([_element("fptr", FILEID=file_id) for file_id in of_pages[page.number]])
            xml.add(div)
            numbers.append(page.number)
    return numbers


def _label(page: Page) -> str:
    """What a person should know of the page before opening it."""
    if page.status in {"done", "born_digital"}:
        return ""
    return clean_text(f"{page.status}: {page.reason}" if page.reason else page.status)
