"""Pages on which exports break: crossing polygons, points outside, odd ids, odd letters, two thousand lines."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Point, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

STEP = Step(task="recognition", engine="ppocr", version="v3", model="m", model_digest="ab", parameters={"z": True})


def box(left: int, top: int, right: int, bottom: int) -> tuple[Point, ...]:
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def hard_pages() -> list[Page]:
    words = (Word(text="olde", box=(5, 5, 160, 60)), Word(text="text", box=(150, 0, 320, 70), confidence=0.5))
    bow = ((10, 10), (200, 60), (200, 10), (10, 60))
    lines = (
        Line(id="1", boundary=box(10, 10, 200, 40), baseline=((10, 35), (200, 35)), text="olde text", words=words),
        Line(id="1", boundary=bow, text="olde text", words=words, correction="an older text"),
        Line(id="é x", boundary=((-50, 90), (900, 80), (900, 120)), text="]]> <&> 😀 ſæ"),
        Line(id="", boundary=((50, 50),), text="one point"),
        Line(id="l", boundary=(), text="no points"),
        Line(id="rtl", boundary=box(10, 200, 200, 240), text="שלום עולם", direction="rtl"),
        Line(id="ttb", boundary=box(300, 10, 330, 300), text="縦書き", direction="ttb"),
        Line(id="spaces", boundary=box(10, 300, 200, 340), text="  two   blanks "),
        Line(id="empty", boundary=box(10, 340, 200, 380)),
        Line(id="long", boundary=box(0, 380, 399, 399), text="x" * 10_000),
    )
    kinds = ("text", "heading", "header", "page-number", "marginalia", "table", "graphic")
    regions = tuple(
        Region.model_validate(
            {"id": "r", "type": kind, "boundary": box(20, 20, 90, 90), "lines": lines if kind != "graphic" else ()}
        )
        for kind in kinds
    )
    many = tuple(
        Line(id="l", boundary=box(10, n % 390, 200, n % 390 + 9), text=f"line {n}", confidence=0.3) for n in range(2000)
    )
    block = Region(id="block", boundary=(), text="a block of text")
    rtl = lines[5].model_copy(update={"words": (Word(text="שלום", box=(150, 200, 190, 240)),)})
    return [
        Page(number=1, width=400, height=400, dpi=300, regions=(*regions, block), steps=(STEP,), language="fr"),
        Page(number=2, width=400, height=400, regions=(Region(id="r", boundary=(), lines=many),)),
        Page(number=3, width=1, height=1, status="failed", reason="The page is too large."),
        Page(number=4, width=1, height=1, regions=(Region(id="r", boundary=((5, 5),), lines=lines[:2]),)),
        Page(number=5, width=400, height=400, status="blank"),
        Page(
            number=6,
            width=400,
            height=400,
            direction="rtl",
            regions=(Region(id="r", boundary=box(0, 0, 399, 399), lines=(rtl, lines[5])),),
        ),
        Page(number=7, width=400, height=400, status="skipped", reason="Not among the pages that were asked for."),
        Page(number=8, width=400, height=400, regions=_read_in_turn()),
    ]


def _read_in_turn() -> tuple[Region, ...]:
    """Lines of one block that are read before and after another block, with control characters in their texts."""
    places = (("a", 10), ("b", 110), ("a", 210))
    return tuple(
        Region(
            id=name,
            boundary=box(10, top, 390, top + 50),
            lines=(Line(id=f"l{name}", boundary=box(10, top, 390, top + 30), text=f"{name}\x00\x07 {top}\x0b\u2028"),),
        )
        for name, top in places
    )


def hard_document(folder: Path) -> ExportDocument:
    """Hard pages with real images; the third has none."""
    pages, images = hard_pages(), []
    for page in pages:
        if page.number == 3:
            images.append(None)
            continue
        path = folder / f"{page.number:04d}.{'png' if page.number == 5 else 'jpg'}"
        Image.new("L", (page.width, page.height), 200).save(path, dpi=(300, 300))
        images.append(
            PageImage(
                number=page.number,
                file=path.name,
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                width=page.width,
                height=page.height,
                dpi=300,
                method="image-file",
            )
        )
    return ExportDocument("letter-1", "Letter & <1>\x01", "0" * 64, "2020-05-17", pages, images, folder, ("A note.",))
