"""A ZIP of pages that eScriptorium and Transkribus import.

::

    mets.xml                                   for eScriptorium: Import, METS, from this ZIP
    <key>/<key>_0001_<mark>.jpg                the page images
    <key>/page/<key>_0001_<mark>.xml           PAGE 2019; Transkribus takes a folder of images with page/ in it

The names lead back to document, page and image: both tools keep them.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from lxml import etree

from archive_pipeline.corrections.sent import keep_sent, sendable
from archive_pipeline.durable import atomic_write, read_json
from archive_pipeline.errors import UsageError
from archive_pipeline.exports import page_xml
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.ground_truth.sent_names import sent_name
from archive_pipeline.page import Page
from archive_pipeline.processing.inspection import stored_inspection
from archive_pipeline.processing.page_ranges import parse_pages
from archive_pipeline.processing.settings_reader import stored_choices
from archive_pipeline.processing.stored_pages import page_to_export, stored_image
from archive_pipeline.rendering.model import PageImage
from archive_pipeline.store import DocumentFolder

_METS, _XLINK = "http://www.loc.gov/METS/", "http://www.w3.org/1999/xlink"
_DATE = (1980, 1, 1, 0, 0, 0)
_WAIT = 30.0
_MEDIA = {".jpg": "image/jpeg", ".png": "image/png"}


@dataclass(frozen=True)
class Selection:
    """Pages of a document; all of them without ``pages``."""

    folder: DocumentFolder
    pages: str | None = None


@dataclass(frozen=True)
class Sent:
    """What is in the ZIP.

    Attributes:
        pages: Names of pages.
        left_out: Pages that cannot be corrected, with the reason, by name.
    """

    pages: tuple[str, ...]
    left_out: dict[str, str]


@dataclass(frozen=True)
class _Packed:
    name: str
    image: str
    xml: str


def send(selections: Sequence[Selection], out: Path) -> Sent:
    """Write the ZIP.

    Raises:
        UsageError: There is a file of that name already, or no page that could be corrected.
        DocumentBusy: A document is being written.
        StorageError: It cannot be written; nothing of it is there.
    """
    if out.exists():
        raise UsageError(f"{out} is there already", remedy="Give another name: what people work on is not replaced.")
    left_out: dict[str, str] = {}
    packed: list[_Packed] = []
    with atomic_write(out) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for selection in selections:
            with selection.folder.lock(_WAIT):
                packed += _add_document(archive, selection, left_out)
        if not packed:
            why = "; ".join(f"{name}: {reason}" for name, reason in list(left_out.items())[:3])
            raise UsageError(
                f"none of these pages can be corrected{f' ({why})' if why else ''}",
                remedy="Name pages that were read: pages without lines, or of a document that was not run, cannot be.",
            )
        _add(archive, "mets.xml", _mets(packed))
    return Sent(tuple(each.name for each in packed), left_out)


def _add_document(archive: zipfile.ZipFile, selection: Selection, left_out: dict[str, str]) -> Iterator[_Packed]:
    folder = selection.folder
    inspection = stored_inspection(folder)
    count = len(inspection.pages) if inspection else 0
    numbers = sorted(parse_pages(selection.pages, count)) if selection.pages else range(1, count + 1)
    if count and not numbers:
        left_out[f"{folder.key}, pages {selection.pages}"] = f"It has {count} pages."
    record = stored_choices(folder)
    language = record.choices.language if record else None
    title = Path((read_json(folder.source) or {}).get("origin", folder.key)).name
    for number in numbers:
        page = page_to_export(folder, number, language=language)
        image = stored_image(folder, number)
        if image is None or page.status not in ("done", "born_digital") or not any(page.lines()):
            left_out[f"{folder.key}, page {number}"] = page.reason or "it has no lines"
            continue
        document = ExportDocument(
            key=folder.key,
            title=title,
            source_digest=inspection.sha256 if inspection else "",
            source_date=inspection.date if inspection else None,
            pages=(),
            images=(),
            image_folder=folder.images,
        )
        yield _add_page(archive, document, folder, sendable(page), image)


def _add_page(
    archive: zipfile.ZipFile, document: ExportDocument, folder: DocumentFolder, page: Page, image: PageImage
) -> _Packed:
    keep_sent(folder, page, image)
    name = str(sent_name(folder.key, page.number, image.sha256))
    file = f"{name}{Path(image.file).suffix}"
    packed = _Packed(name, f"{folder.key}/{file}", f"{folder.key}/page/{name}.xml")
    with (folder.images / image.file).open("rb") as source:
        _copy(archive, packed.image, source)
    _add(archive, packed.xml, page_xml.render(document, page, image.model_copy(update={"file": file})))
    return packed


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o100644 << 16
    archive.writestr(info, data)


def _copy(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> None:
    info = zipfile.ZipInfo(name, _DATE)  # stored: images are packed already
    info.external_attr = 0o100644 << 16
    with archive.open(info, "w", force_zip64=True) as target:
        while chunk := source.read(1 << 20):
            target.write(chunk)


def _mets(packed: Sequence[_Packed]) -> bytes:
    """A METS file with the page images and their transcriptions, in order."""

    def tag(name: str) -> str:
        return f"{{{_METS}}}{name}"

    root = etree.Element(tag("mets"), nsmap={"mets": _METS, "xlink": _XLINK})
    files = etree.SubElement(root, tag("fileSec"))
    groups = {use: etree.SubElement(files, tag("fileGrp"), USE=use) for use in ("image", "transcription")}
    structure = etree.SubElement(root, tag("structMap"), TYPE="PHYSICAL")
    sequence = etree.SubElement(structure, tag("div"), TYPE="physSequence")
    for order, each in enumerate(packed, start=1):
        page = etree.SubElement(sequence, tag("div"), TYPE="page", ID=f"page_{order:04d}", ORDER=str(order))
        for use, path in (("image", each.image), ("transcription", each.xml)):
            media = _MEDIA.get(Path(path).suffix, "application/vnd.prima.page+xml")
            identity = f"{use}_{order:04d}"
            file = etree.SubElement(groups[use], tag("file"), ID=identity, MIMETYPE=media)
            place = etree.SubElement(file, tag("FLocat"), LOCTYPE="OTHER", OTHERLOCTYPE="FILE")
            place.set(f"{{{_XLINK}}}href", path)
            etree.SubElement(page, tag("fptr"), FILEID=identity)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
