"""A small archive of its own, with ground truth, so that nothing foreign is needed to try and to test the pipeline."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from fpdf import FPDF
from PIL import Image

from archive_pipeline.demo import texts
from archive_pipeline.demo.pages import (
    DPI,
    blank_page,
    table_page,
    two_column_page,
    typed_page,
    write_pdf,
)
from archive_pipeline.demo.typing import font_path
from archive_pipeline.durable import write_bytes
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.exports.page_xml import render
from archive_pipeline.page import Page

_DATE = 1_700_000_000  # one date for all files, so that equal seeds give equal archives
_EXIF_ORIENTATION = 0x0112


@dataclass(frozen=True)
class DemoArchive:
    """Where the demo archive lies.

    Attributes:
        documents: The files and folders to be processed.
        ground_truth: PAGE files, ``<document>/0001.xml``.
    """

    documents: tuple[Path, ...]
    ground_truth: Path


def make_demo(folder: Path, seed: int = 1914) -> DemoArchive:
    """Write the demo archive: a letter, a gazette, a register, postcards and a report.

    Args:
        folder: Gets ``uploads/`` and ``ground-truth/``.
        seed: The same seed gives the same archive.
    """
    uploads, truths = folder / "uploads", folder / "ground-truth"
    (uploads / "postcards").mkdir(parents=True, exist_ok=True)
    letter = [typed_page(n, lines, seed + n) for n, lines in enumerate(texts.LETTER, start=1)]
    write_pdf(uploads / "letter-1912.pdf", (pixels for pixels, _ in letter))
    write_truth(truths / "letter-1912.pdf", [page for _, page in letter])
    gazette = [
        two_column_page(1, texts.GAZETTE_HEADING, texts.GAZETTE, seed + 10),
        two_column_page(2, texts.GAZETTE_HEADING[:1], texts.GAZETTE[::-1], seed + 11),
    ]
    frames = [Image.fromarray(pixels).convert("L") for pixels, _ in gazette]
    frames[0].save(
        uploads / "gazette-1898.tif", save_all=True, append_images=frames[1:], compression="tiff_lzw", dpi=(DPI, DPI)
    )
    write_truth(truths / "gazette-1898.tif", [page for _, page in gazette])
    register = [table_page(1, texts.REGISTER_HEADING, texts.REGISTER, seed + 20), blank_page(2, seed + 21)]
    write_pdf(uploads / "register-1931.pdf", (pixels for pixels, _ in register))
    write_truth(truths / "register-1931.pdf", [page for _, page in register])
    _write_postcards(uploads / "postcards", truths / "postcards", seed)
    (uploads / "report-1999.pdf").write_bytes(_report())
    documents = ("letter-1912.pdf", "gazette-1898.tif", "register-1931.pdf", "postcards", "report-1999.pdf")
    for path in (path for path in uploads.rglob("*") if path.is_file()):
        os.utime(path, (_DATE, _DATE))
    return DemoArchive(tuple(uploads / name for name in documents), truths)


def _write_postcards(folder: Path, truths: Path, seed: int) -> None:
    cards = [typed_page(n, lines, seed + 30 + n) for n, lines in enumerate(texts.POSTCARDS, start=1)]
    # As a camera held sideways writes it: the pixels lie on their side, and a note says so.
    sideways = Image.fromarray(cards[0][0]).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[_EXIF_ORIENTATION] = 6
    sideways.save(folder / "card-1.jpg", quality=85, dpi=(DPI, DPI), exif=exif)
    file = BytesIO()
    Image.fromarray(cards[1][0]).save(file, "PNG", compress_level=6, dpi=(DPI, DPI))
    (folder / "card-2.png").write_bytes(file.getvalue())
    write_truth(truths, [page for _, page in cards])


def _report() -> bytes:
    pdf = FPDF()
    pdf.set_creation_date(datetime.fromtimestamp(_DATE, UTC))
    pdf.add_font("report", fname=str(font_path()))
    pdf.add_page()
    pdf.set_font("report", size=20)
    pdf.cell(text=texts.REPORT_TITLE, new_x="LMARGIN", new_y="NEXT", h=16)
    pdf.set_font("report", size=12)
    for line in texts.REPORT:
        pdf.cell(text=line, new_x="LMARGIN", new_y="NEXT", h=8)
    return bytes(pdf.output())


def write_truth(folder: Path, pages: list[Page]) -> None:
    document = ExportDocument(
        key=folder.name,
        title=folder.name,
        source_digest="",
        source_date=None,
        pages=pages,
        images=[None] * len(pages),
        image_folder=folder,
        notes=("Ground truth of the demo archive.",),
    )
    for page in pages:
        write_bytes(folder / f"{page.number:04d}.xml", render(document, page, None))
