"""The ``Metadata`` of a PAGE file: what it was made from, by what, and how it went."""

from __future__ import annotations

from lxml import etree

from archive_pipeline import __version__
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.exports.provenance import pairs
from archive_pipeline.page import Page, clean_text

UNKNOWN_DATE = "1970-01-01T00:00:00Z"
"""PAGE demands a date; this one stands for a source without one."""


def add_metadata(root: etree._Element, document: ExportDocument, page: Page) -> None:
    """Add the ``Metadata`` element.

    Each step becomes a ``MetadataItem`` of type ``processingStep`` whose labels are the model, its digest and the
    parameters. Both dates are the source's, so that the same input gives the same file.
    """
    namespace = f"{{{etree.QName(root).namespace}}}"

    def add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
        element = etree.SubElement(parent, namespace + tag, {k: clean_text(v) for k, v in attributes.items()})
        element.text = text
        return element

    def add_item(kind: str, name: str, value: str, labels: dict[str, str]) -> None:
        item = add(metadata, "MetadataItem", type=kind, name=name, value=value)
        if labels:
            element = add(item, "Labels")
            for label, content in labels.items():
                add(element, "Label", value=content, type=label)

    metadata = add(root, "Metadata")
    add(metadata, "Creator", f"archive-pipeline {__version__}")
    date = document.date or UNKNOWN_DATE
    add(metadata, "Created", date)
    add(metadata, "LastChange", date)
    add_item("other", "source", document.title, {"key": document.key, "sha256": document.source_digest})
    if page.image_digest:
        add_item("imageProperties", "sha256", page.image_digest, {})
    add_item("other", "status", page.status, {"reason": page.reason} if page.reason else {})
    if page.language:
        add_item("other", "language", page.language, {})
    for step in page.steps:
        add_item("processingStep", step.task, f"{step.engine} {step.version}", pairs(step))
