"""The formats by name, and the one function that writes them.

Afterwards the exports folder holds what its manifest lists and nothing else: no page of an earlier version of the
document, and no format that is older than the others.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from archive_pipeline.durable import atomic_write, storage_error
from archive_pipeline.errors import UsageError
from archive_pipeline.exports import (
    alto,
    hocr,
    iiif,
    lines_table,
    manifest,
    mets,
    page_images,
    page_json,
    page_xml,
    reading_view,
    tei,
    text,
)
from archive_pipeline.exports.base import ExportDocument, IndexWriter, Writer
from archive_pipeline.exports.pdf_report import PdfReport


@dataclass(frozen=True)
class ExportFormat:
    """One format.

    Attributes:
        name: What the user calls it.
        files: Where its files are below the exports folder, for help texts.
        write: Writes them from pages alone.
        index: Writes them from pages and the files of other formats. The PDF has neither: a sealed child writes it.
        needs: Formats without which this one is of no use; they are made, too.
        default: Made unless other formats are asked for.
    """

    name: str
    files: str
    write: Writer | None = None
    index: IndexWriter | None = None
    needs: tuple[str, ...] = ()
    default: bool = True


PDF = "pdf"
FORMATS = {
    each.name: each
    for each in (
        ExportFormat(PDF, "document.pdf"),
        ExportFormat("images", "images/0001.jpg", page_images.write, default=False),
        ExportFormat("text", "text/0001.txt, document.txt", text.write),
        ExportFormat("page", "page/0001.xml", page_xml.write),
        ExportFormat("alto", "alto/0001.xml", alto.write),
        ExportFormat("hocr", "hocr/0001.hocr", hocr.write),
        ExportFormat("json", "pages/0001.json", page_json.write),
        ExportFormat("tei", "tei.xml", tei.write, needs=("images",), default=False),
        ExportFormat("lines", "lines.csv, lines.parquet", lines_table.write, default=False),
        ExportFormat("iiif", "iiif/manifest.json, iiif/annotations/0001.json", index=iiif.write, needs=("images",)),
        ExportFormat("mets", "mets.xml, ocr-d/0001.xml", index=mets.write, needs=("images",)),
        # Last, for it links to the others.
        ExportFormat("view", "view/index.html", index=reading_view.write, needs=("images",)),
    )
}


@dataclass(frozen=True)
class FinishedPdf:
    """The PDF as the sealed child left it.

    Attributes:
        file: Open for reading, at its start.
        report: How it turned out.
    """

    file: BinaryIO
    report: PdfReport


def choose(names: Iterable[str] | None = None) -> tuple[ExportFormat, ...]:
    """The formats of these names and what they need, in the order of :data:`FORMATS`; the default set for None.

    Raises:
        UsageError: There is no format of such a name, or none was named.
    """
    wanted = {each.name for each in FORMATS.values() if each.default} if names is None else set(names)
    if not wanted:
        raise UsageError("no export format was chosen", remedy=f"Choose from {', '.join(FORMATS)}.")
    unknown = sorted(wanted - FORMATS.keys())
    if unknown:
        raise UsageError(
            f"there is no export format {', '.join(map(repr, unknown))}",
            remedy=f"Choose from {', '.join(FORMATS)}.",
        )
    wanted.update(*(FORMATS[name].needs for name in wanted))
    return tuple(each for each in FORMATS.values() if each.name in wanted)


def write_exports(
    document: ExportDocument, folder: Path, names: Iterable[str] | None = None, *, pdf: FinishedPdf | None = None
) -> Path:
    """Write the exports of a document, each file atomically, and remove what does not belong to them.

    Args:
        document: What to export.
        folder: The exports folder; it belongs to the exports alone.
        names: Formats; None for the default set.
        pdf: The PDF, if that is among the formats.

    Returns:
        The manifest, which is written last.

    Raises:
        UsageError: There is no such format, or the PDF is wanted but was not made.
        NoSpaceLeft, StorageError: A file could not be written.
    """
    files: dict[str, list[Path]] = {}
    for chosen in choose(names):
        if chosen.write is not None:
            files[chosen.name] = list(chosen.write(document, folder))
        elif chosen.index is not None:
            files[chosen.name] = list(chosen.index(document, folder, files))
        elif pdf is None:
            raise UsageError("the PDF was not made", document=document.key, remedy="Leave it out of the formats.")
        else:
            target = folder / chosen.files
            with atomic_write(target) as file:
                shutil.copyfileobj(pdf.file, file, 1 << 20)
            files[chosen.name] = [target]
    written = manifest.write(document, folder, files, pdf.report if pdf and PDF in files else None)
    _remove_others(folder, {written, *(path for paths in files.values() for path in paths)})
    return written


def _remove_others(folder: Path, keep: set[Path]) -> None:
    # Folders after what is in them.
    for path in sorted(folder.rglob("*"), reverse=True):
        try:
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path not in keep:
                path.unlink()
        except OSError as error:
            raise storage_error(error, path) from error
