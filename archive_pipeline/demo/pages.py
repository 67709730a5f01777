"""Pages of the demo archive, and as many others as a test or a benchmark needs."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import img2pdf
from PIL import Image

from archive_pipeline.demo.paper import Pixels, scan, truth
from archive_pipeline.demo.texts import WORDS
from archive_pipeline.demo.typing import TypedLine, set_line, type_line
from archive_pipeline.page import Page, RegionType

DPI = 200
WIDTH, HEIGHT = 1654, 2339  # A4 at 200 dpi
SIZE = 36


def typed_page(number: int, lines: Sequence[str], seed: int, *, skew: float | None = None) -> tuple[Pixels, Page]:
    """A typescript page of one column, and its ground truth."""
    draw = random.Random(seed)
    tilt = draw.uniform(-1.2, 1.2) if skew is None else skew
    ink = Image.new("L", (WIDTH, HEIGHT), 0)
    typed = [type_line(ink, text, 170, 260 + 62 * row, SIZE, draw) for row, text in enumerate(lines)]
    return scan(ink, tilt, draw), truth(number, WIDTH, HEIGHT, tilt, [("text", typed)])


def two_column_page(
    number: int, heading: Sequence[str], columns: Sequence[Sequence[str]], seed: int
) -> tuple[Pixels, Page]:
    """A printed page: a heading across two columns."""
    draw = random.Random(seed)
    tilt = draw.uniform(-0.6, 0.6)
    ink = Image.new("L", (WIDTH, HEIGHT), 0)
    blocks: list[tuple[RegionType, Sequence[TypedLine]]] = [
        ("heading", [set_line(ink, text, 330, 240 + 90 * row, 64 - 24 * row) for row, text in enumerate(heading)])
    ]
    for number_of_column, column in enumerate(columns):
        left = 150 + number_of_column * 730
        blocks.append(("text", [set_line(ink, text, left, 520 + 54 * row, 36) for row, text in enumerate(column)]))
    return scan(ink, tilt, draw, stains=1), truth(number, WIDTH, HEIGHT, tilt, blocks)


def table_page(number: int, heading: str, rows: Sequence[Sequence[str]], seed: int) -> tuple[Pixels, Page]:
    """A typed table, row by row."""
    draw = random.Random(seed)
    ink = Image.new("L", (WIDTH, HEIGHT), 0)
    blocks: list[tuple[RegionType, Sequence[TypedLine]]] = [
        ("heading", [type_line(ink, heading, 300, 250, 40, draw)]),
        (
            "table",
            [
                type_line(ink, cell, left, 420 + 84 * place, SIZE, draw)
                for place, row in enumerate(rows)
                for cell, left in zip(row, (150, 430, 960, 1330), strict=True)
            ],
        ),
    ]
    return scan(ink, 0.4, draw), truth(number, WIDTH, HEIGHT, 0.4, blocks)


def blank_page(number: int, seed: int) -> tuple[Pixels, Page]:
    """Paper and nothing on it."""
    ink = Image.new("L", (WIDTH, HEIGHT), 0)
    return scan(ink, 0, random.Random(seed)), truth(number, WIDTH, HEIGHT, 0, [])


def jpeg(pixels: Pixels, quality: int = 85) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, dpi=(DPI, DPI))
    return file.getvalue()


def write_pdf(path: Path, pages: Iterable[Pixels]) -> None:
    """A PDF as a scanner makes it: one full-page JPEG a page."""
    layout = img2pdf.get_fixed_dpi_layout_fun((DPI, DPI))
    images = [jpeg(page) for page in pages]
    # pikepdf's PDFs have an identifier that is another one each second.
    path.write_bytes(img2pdf.convert(images, layout_fun=layout, nodate=True, engine=img2pdf.Engine.internal))


def make_pdf(path: Path, pages: int, seed: int = 0, lines: int = 12) -> None:
    """A PDF of distinct typed pages of random words."""
    draw, vocabulary = random.Random(seed), WORDS.split(",")

    def page(number: int) -> Pixels:
        words = [" ".join(draw.choices(vocabulary, k=7)) for _ in range(lines)]
        return typed_page(number, [f"{number}. {words[0]}", *words[1:]], seed * 100_003 + number)[0]

    write_pdf(path, (page(number) for number in range(1, pages + 1)))
