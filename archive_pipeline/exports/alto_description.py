"""The ``Description`` of an ALTO file: units, the page image, and what was done to the page."""

from __future__ import annotations

from lxml import etree

from archive_pipeline import __version__
from archive_pipeline.exports.base import ExportDocument, Identifiers
from archive_pipeline.exports.provenance import settings
from archive_pipeline.page import Page, clean_text
from archive_pipeline.rendering.model import PageImage

_CATEGORIES = {"rendering": "preOperation", "spelling": "postOperation"}


def add_description(
    root: etree._Element, document: ExportDocument, page: Page, image: PageImage | None, ids: Identifiers
) -> list[str]:
    """Add the ``Description`` element.

    ``fileName`` is the image's plain name, which eScriptorium compares with the names of its images to the letter. Its
    digest, the document's key, its name and its digest are identifiers whose location says which they are. Each step
    of the page becomes a ``Processing``, and the writing of this file one more.

    Returns:
        Ids of the ``Processing`` elements.
    """
    namespace = f"{{{etree.QName(root).namespace}}}"

    def add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
        element = etree.SubElement(parent, namespace + tag, attributes)
        element.text = text if text is None else clean_text(text)
        return element

    description = add(root, "Description")
    add(description, "MeasurementUnit", "pixel")
    source = add(description, "sourceImageInformation")
    add(source, "fileName", image.file if image else f"{page.number:04d}")
    if digest := page.image_digest or (image.sha256 if image else ""):
        add(source, "fileIdentifier", digest, fileIdentifierLocation="sha256")
    for location, value in (("key", document.key), ("title", document.title), ("sha256", document.source_digest)):
        add(source, "documentIdentifier", value, documentIdentifierLocation=location)

    names: list[str] = []

    def add_processing(category: str, what: str, how: str, software: str, version: str) -> None:
        names.append(ids.take(f"processing_{len(names) + 1}"))
        processing = add(description, "Processing", ID=names[-1])
        add(processing, "processingCategory", category)
        if document.date:
            add(processing, "processingDateTime", document.date)
        add(processing, "processingStepDescription", what)
        if how:
            add(processing, "processingStepSettings", how)
        program = add(processing, "processingSoftware")
        add(program, "softwareName", software)
        add(program, "softwareVersion", version)

    for step in page.steps:
        category = _CATEGORIES.get(step.task, "contentGeneration")
        add_processing(category, step.task, settings(step), step.engine, step.version)
    add_processing("other", "export", "", "archive-pipeline", __version__)
    return names
