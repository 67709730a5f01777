"""``iiif/manifest.json`` and ``iiif/annotations/0001.json``: the document for viewers, IIIF Presentation 3.0.

A canvas is a page image, in its pixels. Lines are annotations with the motivation ``supplementing`` in pages of their
own, which a viewer loads when it shows the canvas; so the manifest stays small. Their targets are boxes, which every
viewer knows. Ids are addresses below the base address of the installation, and the same each time.

No text has a ``textDirection``: iiif-prezi3 3.1 refuses to load one, and viewers follow the characters themselves.

Presentation 3.0: https://iiif.io/api/presentation/3.0/. What Mirador's text overlay wants of ``seeAlso`` (a ``profile``
in each): https://github.com/dbmdz/mirador-textoverlay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from iiif_prezi3 import (
    AnnotationPage,
    AnnotationPageRef,
    AnnotationPageRefExtended,
    Canvas,
    Manifest,
)

from archive_pipeline import __version__
from archive_pipeline.durable import atomic_write, write_bytes
from archive_pipeline.exports import polygons
from archive_pipeline.exports.base import ExportDocument, Files, Identifiers, language_tag
from archive_pipeline.exports.page_images import FOLDER as IMAGES
from archive_pipeline.exports.page_images import MEDIA_TYPES
from archive_pipeline.page import Page, Point, Step, clean_text
from archive_pipeline.rendering.model import PageImage

NAME = "iiif/manifest.json"
CONTEXT = "http://iiif.io/api/presentation/3/context.json"
_ANNOTATIONS = "iiif/annotations/{:04d}.json"
_NO_IMAGE = (1240, 1754)  # a canvas needs a size; this is A4 at 150 dpi
_SEE_ALSO = {
    "alto": ("application/xml+alto", "http://www.loc.gov/standards/alto/ns-v4#", "ALTO"),
    "hocr": ("text/vnd.hocr+html", "http://kba.cloud/hocr-spec/1.2/", "hOCR"),
    "page": ("application/xml", "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15", "PAGE"),
}
"""For each page: media type, profile, label. The first two are the words by which viewers know them."""
_RENDERINGS = {
    "pdf": ("application/pdf", ".pdf", "Searchable PDF"),
    "text": ("text/plain", "document.txt", "Text"),
    "tei": ("application/tei+xml", ".xml", "TEI"),
}
"""For the document: media type, how the file's name ends, label."""

Json = dict[str, Any]


def write(document: ExportDocument, folder: Path, files: Files) -> Iterator[Path]:
    """Write the annotations of each page that has text, then the manifest."""
    target = folder / NAME
    written: list[Path] = []
    of_pages = {kind: {path.stem: path for path in files.get(kind, ())} for kind in _SEE_ALSO}
    with atomic_write(target) as file:
        # The canvases are spliced into the manifest one by one, so that a thousand never lie in memory.
        head = Manifest(**_manifest(document, folder, files), items=[]).model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        del head["items"]
        file.write(_json({"@context": CONTEXT} | head)[:-1] + b',\n"items": [')
        for index, (page, image) in enumerate(zip(document.pages, document.images, strict=True)):
            annotations = annotation_page(document, page)
            if annotations["items"]:
                path = folder / _ANNOTATIONS.format(page.number)
                write_bytes(path, _json({"@context": CONTEXT} | annotations) + b"\n")
                written.append(path)
            see_also = [
                _see_also(document, paths[name], folder, kind)
                for kind, paths in of_pages.items()
                if (name := f"{page.number:04d}") in paths
            ]
            canvas = _canvas(document, page, image, see_also, annotations=bool(annotations["items"]))
            if (alto := of_pages["alto"].get(f"{page.number:04d}")) is not None:
                # For people, too: viewers offer it beside the page.
                canvas["rendering"] = [_rendering(document, alto, folder, "application/xml", "ALTO")]
            file.write((b",\n" if index else b"\n") + _json(canvas))
        file.write(b"\n]}\n")
    yield from written
    yield target


def _json(data: Json) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def address(document: ExportDocument, path: str) -> str:
    """Where a file of the exports is on the web; also the id of what is no file, such as a canvas."""
    return f"{document.options.base_url.rstrip('/')}/{quote(document.key, safe='')}/{quote(path)}"


def _text(*texts: str, language: str = "none") -> dict[str, list[str]]:
    return {language: [clean_text(text) for text in texts]}


def _pair(label: str, *values: str) -> Json:
    return {"label": _text(label, language="en"), "value": _text(*values)}


def _manifest(document: ExportDocument, folder: Path, files: Files) -> Json:
    """The manifest without its canvases."""
    metadata = [_pair("Source (SHA-256)", document.source_digest)]
    if document.date:
        metadata.append(_pair("Date of the source file", document.date))
    metadata.append(_pair("Made by", f"archive-pipeline {__version__}"))
    steps: dict[str, list[str]] = {}
    for step in document.steps():
        steps.setdefault(step.task, []).append(_step(step))
    metadata.extend(_pair(task.replace("-", " ").capitalize(), *names) for task, names in steps.items())
    manifest: Json = {
        "id": address(document, NAME),
        "label": _text(document.title),
        "metadata": metadata,
        "viewingDirection": _viewing_direction(document),
        # Whether a scan is a leaf or an opening is not known, so viewers shall not put two side by side.
        "behavior": ["individuals"],
    }
    if document.notes:
        manifest["summary"] = _text(*document.notes, language="en")
    renderings = [
        _rendering(document, path, folder, media_type, label)
        for kind, (media_type, end, label) in _RENDERINGS.items()
        for path in files.get(kind, ())
        if path.name.endswith(end)
    ]
    return manifest | ({"rendering": renderings} if renderings else {})


def _rendering(document: ExportDocument, path: Path, folder: Path, media_type: str, label: str) -> Json:
    return {
        "id": address(document, path.relative_to(folder).as_posix()),
        "type": "Text",
        "format": media_type,
        "label": _text(label, language="en"),
    }


def _step(step: Step) -> str:
    model = f", {step.model}" if step.model else ""
    digest = f" (SHA-256 {step.model_digest})" if step.model_digest else ""
    return f"{step.engine} {step.version}{model}{digest}"


def _viewing_direction(document: ExportDocument) -> str:
    """Right to left where most pages that have lines are written so."""
    balance = sum((1 if page.direction == "rtl" else -1) for page in document.pages if page.regions)
    return "right-to-left" if balance > 0 else "left-to-right"


def _canvas(
    document: ExportDocument, page: Page, image: PageImage | None, see_also: list[Json], *, annotations: bool
) -> Json:
    name = address(document, f"iiif/canvas/{page.number:04d}")
    width, height = _NO_IMAGE if image is None and page.width * page.height == 1 else (page.width, page.height)
    canvas: Json = {"id": name, "label": _text(str(page.number)), "width": width, "height": height, "items": []}
    if page.status in {"failed", "skipped"}:
        canvas["summary"] = _text(f"This page was not read ({page.status}): {page.reason or 'no reason was given'}")
    if image is not None:
        media_type = MEDIA_TYPES[Path(image.file).suffix]
        body = {"id": address(document, f"{IMAGES}/{image.file}"), "type": "Image", "format": media_type}
        painting = {
            "id": f"{name}/image",
            "type": "Annotation",
            "motivation": "painting",
            "body": body | {"width": image.width, "height": image.height},
            "target": name,
        }
        canvas["items"] = [{"id": f"{name}/page", "type": "AnnotationPage", "items": [painting]}]
    if see_also:
        canvas["seeAlso"] = see_also
    if annotations:
        page_id = address(document, _ANNOTATIONS.format(page.number))
        # Not as a mere dict: the library would add an empty list of items, and a viewer would look no further.
        reference = AnnotationPageRefExtended(id=page_id, type="AnnotationPage")
        canvas["annotations"] = [AnnotationPageRef(root=reference)]
    return _checked(Canvas, canvas)


def _checked(model: type[Canvas | AnnotationPage], data: Json) -> Json:
    found: Json = model(**data).model_dump(mode="json", by_alias=True, exclude_none=True)
    return found


def _see_also(document: ExportDocument, path: Path, folder: Path, kind: str) -> Json:
    media_type, profile, label = _SEE_ALSO[kind]
    return {
        "id": address(document, path.relative_to(folder).as_posix()),
        "type": "Dataset",
        "format": media_type,
        "profile": profile,
        "label": _text(label, language="en"),
    }


def annotation_page(document: ExportDocument, page: Page) -> Json:
    """The lines of a page that have text, and blocks that were read as a whole, in reading order."""
    name = address(document, _ANNOTATIONS.format(page.number))
    canvas = address(document, f"iiif/canvas/{page.number:04d}")
    ids = Identifiers()
    language = language_tag(page)

    def annotation(wanted: str, text: str, points: tuple[Point, ...]) -> Json:
        corners = polygons.polygon(points, page)
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        width, height = max(x for x, _ in corners) - left + 1, max(y for _, y in corners) - top + 1
        body: Json = {"type": "TextualBody", "value": text, "format": "text/plain"}
        if language:
            body["language"] = language
        return {
            "id": f"{name}#{ids.take(wanted)}",
            "type": "Annotation",
            "motivation": "supplementing",
            "body": body,
            "target": f"{canvas}#xywh={left},{top},{width},{height}",
        }

    items = []
    for region in page.regions:
        for line in region.lines:
            if line.best_text:
                points = line.boundary or line.baseline
                items.append(annotation(line.id, line.best_text, points))
        if not region.lines and region.text:
            items.append(annotation(region.id, region.text, region.boundary))
    return _checked(AnnotationPage, {"id": name, "items": items})
