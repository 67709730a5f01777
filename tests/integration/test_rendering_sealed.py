"""Rendering where it belongs: in a sealed child, with good files, bombs and damaged ones."""

from __future__ import annotations

import importlib.util
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import BinaryIO

import psutil
import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from archive_pipeline.errors import ArchiveError, ChildError, PageTimeout, TooLarge
from archive_pipeline.sealed import Limits, SealedChild, open_result

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="seals are Linux's")
OPTIONS = {"dpi": 72, "max_pixels": 20_000_000}
MUTATIONS = 500


def _samples() -> ModuleType:
    path = Path(__file__).parents[1] / "unit" / "rendering_samples.py"
    spec = importlib.util.spec_from_file_location("rendering_samples", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


samples = _samples()


@pytest.fixture
def start(tmp_path) -> Iterator[Callable[[], SealedChild]]:
    children: list[SealedChild] = []

    def new() -> SealedChild:
        children.append(SealedChild("archive_pipeline.rendering.child:handle", write=tmp_path, limits=Limits(1024)))
        return children[-1]

    yield new
    for child in children:
        child.close()


def stored(data: bytes) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    file.write(data)
    file.flush()
    return file


def render_all(child: SealedChild, data: bytes, options: dict[str, int] = OPTIONS) -> list[dict]:
    with stored(data) as file:
        info = child.call({"do": "inspect", "name": "a", "options": options}, [file], timeout=120)
        return [
            child.call(
                {"do": "render", "info": info, "index": i, "number": i + 1, "options": options}, [file], timeout=120
            )
            for i in range(min(info["pages"], 3))
        ]


def documents() -> list[bytes]:
    noise = Image.effect_noise((200, 100), 50)
    font = {"/Font": Dictionary(F=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))}
    stamped = b"q 100 0 0 50 0 0 cm /I0 Do Q BT /F 8 Tf (abc) Tj ET"
    pdfs = [
        samples.pdf_of(samples.jpeg()),
        samples.pdf_of(samples.quadrants()),
        samples.text_pdf(["A page with words", "on two lines"]),
        samples.pdf_of(noise, content=stamped, resources=font, Rotate=90),
        samples.pdf_of(noise, password=""),
    ]
    images = [samples.encoded(noise, form) for form in ("JPEG", "PNG", "JPEG2000", "WEBP", "TIFF")]
    images += [samples.encoded(noise, "TIFF", compression=name) for name in ("tiff_lzw", "jpeg")]
    return [*pdfs, *images, samples.encoded(noise.convert("1"), "TIFF", compression="group4")]


def test_every_kind_of_document(start, tmp_path):
    child = start()
    for data in documents():
        (page,) = render_all(child, data)
        with open_result(tmp_path, page["file"], max_bytes=10 << 20) as file, Image.open(file) as image:
            image.load()
            assert image.size == (page["width"], page["height"])


def test_bombs_are_refused_in_two_seconds_of_a_processor(start):
    child = start()
    render_all(child, samples.pdf_of(samples.quadrants()))  # imports do not count
    image = Image.new("1", (20_000, 20_000))
    bombs = [samples.encoded(image, form) for form in ("PNG", "TIFF")] + [samples.pdf_of(image)]
    before = memory(child)
    for bomb in bombs:
        begin = processor_seconds(child)
        with pytest.raises(TooLarge):
            render_all(child, bomb)
        assert processor_seconds(child) - begin < 2
    assert memory(child) - before < 300


def processor_seconds(child: SealedChild) -> float:
    spent = psutil.Process(child.pid).cpu_times()
    return spent.user + spent.system


def memory(child: SealedChild) -> int:
    """Most memory that a process ever used, in MB."""
    status = Path(f"/proc/{child.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) >> 10


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut out, put in, cut off, doubled, and numbers made absurd."""
    changed = bytearray(data)
    for _ in range(rng.choice([1, 2, 5, 20])):
        place = rng.randrange(len(changed))
        match rng.randrange(8):
            case 0 | 1 | 2 | 3:
                changed[place] = rng.randrange(256)
            case 4:
                del changed[place : place + rng.randrange(1, 50)]
            case 5:
                changed[place:place] = rng.randbytes(rng.randrange(1, 20))
            case 6:
                numbers = list(re.finditer(rb"\d+", bytes(changed)))
                if numbers:
                    start, end = rng.choice(numbers).span()
                    changed[start:end] = rng.choice([b"0", b"-1", b"65535", b"4294967296", b"99999999", b"1e30"])
            case _:
                if rng.random() < 0.3:
                    del changed[rng.randrange(len(changed) // 2, len(changed)) :]
        if not changed:
            break
    return bytes(changed)


def test_damaged_files_are_errors_and_nothing_worse(start):
    """Seeded mutations: the parent lives, nothing hangs, and every error is one that a person can read."""
    rng = random.Random(1914)
    originals = documents()
    child = start()
    unforeseen: list[str] = []
    for _ in range(MUTATIONS):
        if not child.alive:
            child = start()
        data = mutated(rng.choice(originals), rng)
        try:
            render_all(child, data)
        except (ChildError, PageTimeout) as error:
            unforeseen.append(str(error))
        except ArchiveError as error:
            if not str(error).isprintable():
                unforeseen.append(repr(error))
    assert unforeseen == []
