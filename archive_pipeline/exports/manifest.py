"""``manifest.json``: what the exports are, what they were made from and by what, and how every page went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from archive_pipeline import __version__
from archive_pipeline.durable import file_digest, write_json
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.exports.pdf_report import PdfReport
from archive_pipeline.page import Page, clean_text
from archive_pipeline.rendering.model import PageImage

NAME = "manifest.json"
SCHEMA_VERSION = 1


def write(
    document: ExportDocument, folder: Path, files: Mapping[str, Sequence[Path]], pdf: PdfReport | None = None
) -> Path:
    """Write the manifest: it comes last, for it has the digest of every other file.

    Args:
        document: What was exported.
        folder: The exports folder.
        files: The files written, by the name of their format.
        pdf: How the PDF turned out, if there is one.
    """
    path = folder / NAME
    write_json(
        path,
        {
            "schema_version": SCHEMA_VERSION,
            "code_version": __version__,
            "key": document.key,
            "title": clean_text(document.title),
            "source": {"sha256": document.source_digest, "date": document.date},
            "chosen": document.chosen,
            "steps": [step.model_dump(mode="json") for step in document.steps()],
            "pages": [_page(page, image) for page, image in zip(document.pages, document.images, strict=True)],
            "formats": {name: [_file(path, folder) for path in paths] for name, paths in files.items()},
            "pdf": pdf.model_dump(mode="json") if pdf else None,
            "notes": list(document.notes),
        },
    )
    return path


def _page(page: Page, image: PageImage | None) -> dict[str, Any]:
    lines = list(page.lines())
    return {
        "number": page.number,
        "status": page.status,
        "reason": page.reason,
        "lines": len(lines),
        "corrected_lines": sum(line.correction is not None for line in lines),
        # Rounded: the last digits of a mean depend on the order of adding.
        "confidence": None if page.confidence is None else round(page.confidence, 4),
        "width": page.width,
        "height": page.height,
        "image": {"sha256": image.sha256, "dpi": image.dpi, "method": image.method} if image else None,
    }


def _file(path: Path, folder: Path) -> dict[str, Any]:
    return {"path": path.relative_to(folder).as_posix(), "sha256": file_digest(path), "bytes": path.stat().st_size}
