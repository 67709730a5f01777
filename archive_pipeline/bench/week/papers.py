"""Small documents that are quick to make and to read: a few printed words on a slip of paper."""

from __future__ import annotations

import hashlib
import random
from io import BytesIO
from pathlib import Path

import img2pdf
from PIL import Image, ImageDraw

from archive_pipeline.demo.texts import WORDS
from archive_pipeline.demo.typing import font

_SUFFIXES = (".png", ".png", ".png", ".jpg", ".pdf", ".tif", "")
"""Of documents, as often as they stand here; without one it is a folder of two pages."""
_VOCABULARY = WORDS.split(",")


def draw_suffix(draw: random.Random) -> str:
    """What kind of document the next one is."""
    return draw.choice(_SUFFIXES)


def write_paper(path: Path, draw: random.Random) -> None:
    """Write a document of one slip (a folder: of two) at ``path``, whose suffix says of which kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix:
        path.write_bytes(paper(path.suffix, draw))
        return
    path.mkdir(exist_ok=True)
    for number in (1, 2):
        (path / f"{number}.png").write_bytes(paper(".png", draw))


def paper(suffix: str, draw: random.Random) -> bytes:
    """A slip with a number and two words on it, as a file of this kind."""
    image = Image.new("L", (620, 120), "white")
    # The number makes every slip another one.
    text = f"{draw.randrange(10_000)} {' '.join(draw.choices(_VOCABULARY, k=2))}"
    ImageDraw.Draw(image).text((30, 35), text, font=font(40), fill=0)
    file = BytesIO()
    kind = {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, "PNG")
    image.save(file, kind, dpi=(200, 200))
    if suffix != ".pdf":
        return file.getvalue()
    # pikepdf's PDFs have an identifier that is another one each second.
    return bytes(img2pdf.convert(file.getvalue(), nodate=True, engine=img2pdf.Engine.internal))


def bytes_of(path: Path) -> str:
    """A digest of the bytes of a document, a file or a folder of pages; empty if it is not there."""
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.is_file() else []
    digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
    return digests[0] if len(digests) == 1 and not path.is_dir() else "+".join(digests)
