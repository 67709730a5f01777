"""Whether a loss on a document's way is found, wherever it happens, and nothing else is called one."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hard_document import hard_document

from archive_pipeline.checks.examine import examine, examine_changed
from archive_pipeline.checks.exported import compare
from archive_pipeline.checks.findings import Examinations, Finding, examination, findings_of
from archive_pipeline.checks.summary import summarise
from archive_pipeline.durable import read_json, write_bytes, write_json
from archive_pipeline.exports import alto, page_xml
from archive_pipeline.exports.base import ExportDocument
from archive_pipeline.ground_truth.files import read
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing.inspection import Inspection, SourceFile
from archive_pipeline.processing.ledger import outcome_of, write_ledger
from archive_pipeline.processing.stored_pages import Failure, StoredPage, page_to_export, write_model
from archive_pipeline.rendering.model import PageImage, SourceInfo
from archive_pipeline.store import DocumentFolder, Store

PAGES = 3


def _page(number: int, sure: float = 0.97, engine: str = "ppocr") -> Page:
    lines = tuple(
        Line(
            id=f"r1l{n}",
            boundary=((10, 40 * n), (400, 40 * n), (400, 40 * n + 30), (10, 40 * n + 30)),
            text=f"line {n} of page {number}",
            confidence=sure,
        )
        for n in range(1, 5)
    )
    region = Region(id="r1", boundary=((0, 0), (500, 0), (500, 300), (0, 300)), lines=lines)
    step = Step(task="recognition", engine=engine, version="1", model="m")
    return Page(number=number, width=600, height=400, regions=(region,), steps=(step,))


def _write(folder: DocumentFolder, sure: float = 0.97) -> None:
    info = SourceInfo(kind="pdf", media_type="application/pdf", pages=PAGES)
    file = SourceFile(name="a.pdf", size=1, mtime_ns=1, sha256="s", info=info)
    write_model(folder.inspection, Inspection(kind="pdf", sha256="s", files=(file,)))
    for number in range(1, PAGES + 1):
        write_bytes(folder.images / f"{number:04d}.jpg", b"image")
        image = PageImage(
            number=number,
            file=f"{number:04d}.jpg",
            width=600,
            height=400,
            sha256="i",
            method="rendered",
            made_from="x",
        )
        write_model(folder.image_record(number), image)
        page = _page(number, sure)
        write_model(folder.layout(number), StoredPage(made_from="l", page=page))
        write_model(folder.transcription(number), StoredPage(made_from="t", page=page))
    _ledger(folder)
    _export(folder)


def _ledger(folder: DocumentFolder) -> None:
    write_ledger(folder, {number: outcome_of(folder, number) for number in range(1, PAGES + 1)})


def _export(folder: DocumentFolder, text_found: list[float | None] | None = None) -> None:
    pages = [page_to_export(folder, number) for number in range(1, PAGES + 1)]
    document = ExportDocument(folder.key, "a.pdf", "s", None, pages, [None] * PAGES, folder.images)
    files = {
        "page": list(page_xml.write(document, folder.exports)),
        "alto": list(alto.write(document, folder.exports)),
    }
    listed = {n: [{"path": str(p.relative_to(folder.exports))} for p in paths] for n, paths in files.items()}
    pdf = {"pages": PAGES, "text_found": [1.0, 1.0, None] if text_found is None else text_found}
    manifest = {
        "source": {"sha256": "s"},
        "formats": listed,
        "pages": [{"number": n + 1} for n in range(PAGES)],
        "pdf": pdf,
    }
    write_json(folder.exports / "manifest.json", manifest)
    write_json(folder.exports_record, {"made_from": "x", "selected": [1, 2, 3]})
    later = time.time() + 1
    os.utime(folder.exports_record, (later, later))


@pytest.fixture
def folder(tmp_path: Path) -> DocumentFolder:
    folder = Store(tmp_path / "store").document(DocumentKey("a.pdf"))
    _write(folder)
    return folder


def _found(folder: DocumentFolder) -> list[tuple[str, str, int | None]]:
    return [(each.check, each.severity, each.page) for each in findings_of(examine(folder))]


def _change_manifest(change: Callable[[dict], None]) -> Callable[[DocumentFolder], None]:  # type: ignore[type-arg]
    def apply(folder: DocumentFolder) -> None:
        data = read_json(folder.exports / "manifest.json")
        change(data)
        write_json(folder.exports / "manifest.json", data)

    return apply


def _cut_export(kind: str) -> Callable[[DocumentFolder], None]:
    def cut(folder: DocumentFolder) -> None:
        path = folder.exports / kind / "0002.xml"
        write_bytes(path, path.read_bytes()[:-40])

    return cut


def _other_text(folder: DocumentFolder) -> None:
    path = folder.exports / "alto" / "0002.xml"
    write_bytes(path, path.read_bytes().replace(b'CONTENT="of"', b'CONTENT="off"', 1))


def _lines_lost_in_recognition(folder: DocumentFolder) -> None:
    page = _page(2)
    short = page.model_copy(
        update={"regions": (page.regions[0].model_copy(update={"lines": page.regions[0].lines[1:]}),)}
    )
    write_model(folder.transcription(2), StoredPage(made_from="t", page=short))
    _export(folder)


def test_a_document_that_came_through_whole_is_fine(folder: DocumentFolder) -> None:
    row = examine(folder)
    assert (row.standing, row.pages, row.text_compared) == ("fine", 3, 2)
    assert row.confidence == pytest.approx(0.97)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(lambda f: f.transcription(2).unlink(), ("nothing_lost", "loss", 2), id="transcription gone"),
        pytest.param(lambda f: f.layout(3).unlink(), ("nothing_lost", "loss", 3), id="layout gone"),
        pytest.param(lambda f: (f.images / "0001.jpg").unlink(), ("nothing_lost", "loss", 1), id="image gone"),
        pytest.param(_lines_lost_in_recognition, ("nothing_lost", "loss", 2), id="line lost in recognition"),
        pytest.param(_cut_export("page"), ("valid_exports", "loss", 2), id="PAGE file cut off"),
        pytest.param(_cut_export("alto"), ("valid_exports", "loss", 2), id="ALTO file cut off"),
        pytest.param(_other_text, ("nothing_lost", "loss", 2), id="other text in ALTO"),
        pytest.param(
            _change_manifest(lambda m: m["formats"]["page"].pop(1)), ("nothing_lost", "loss", 2), id="no PAGE of it"
        ),
        pytest.param(
            _change_manifest(lambda m: m["pages"].pop()), ("nothing_lost", "loss", None), id="page not listed"
        ),
        pytest.param(
            _change_manifest(lambda m: m["pdf"].update(pages=2)), ("nothing_lost", "loss", None), id="PDF too short"
        ),
        pytest.param(lambda f: _export(f, [1.0, 0.9, 1.0]), ("text_layer", "eye", 2), id="some text not in the PDF"),
        pytest.param(lambda f: _export(f, [1.0, 1.0, 0.0]), ("text_layer", "loss", 3), id="no text in the PDF"),
        pytest.param(lambda f: f.ledger.unlink(), ("pages_complete", "loss", None), id="ledger gone"),
        pytest.param(lambda f: write_bytes(f.ledger, b"{"), ("nothing_lost", "loss", None), id="ledger damaged"),
        pytest.param(
            _change_manifest(lambda m: m.pop("formats")), ("nothing_lost", "loss", None), id="manifest damaged"
        ),
    ],
)
def test_a_loss_is_found(
    folder: DocumentFolder, change: Callable[[DocumentFolder], None], expected: tuple[str, str, int | None]
) -> None:
    change(folder)
    assert expected in _found(folder)
    assert examine(folder).standing == ("eye" if expected[1] == "eye" else "loss")


def test_odd_pages_are_not_called_lost(tmp_path: Path) -> None:
    document = hard_document(tmp_path)
    for label, write in (("PAGE", page_xml.write), ("ALTO", alto.write)):
        for page, path in zip(document.pages, write(document, tmp_path), strict=True):
            assert list(compare(label, page, read(path).page, page.number)) == []


def test_a_document_type_in_an_export_is_not_parsed(folder: DocumentFolder) -> None:
    path = folder.exports / "page" / "0001.xml"
    head, _, rest = path.read_bytes().partition(b"?>\n")
    write_bytes(path, head + b'?>\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + rest)
    (finding,) = findings_of(examine(folder))
    assert finding.check == "valid_exports"
    assert "document type" in finding.what


def test_a_page_that_the_ledger_does_not_know_was_lost_or_is_not_reached_yet(folder: DocumentFolder) -> None:
    data = read_json(folder.ledger)
    data["pages"].pop(1)
    before = folder.ledger.stat()
    write_json(folder.ledger, data)
    os.utime(folder.ledger, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert ("pages_complete", "loss", 2) in _found(folder)
    folder.exports_record.unlink()  # as it is while a run is at work, or after it was stopped
    assert _found(folder) == [("pages_complete", "eye", None)]


def test_a_failed_page_is_one_to_look_at_if_it_says_why(folder: DocumentFolder) -> None:
    write_model(folder.failure(2), Failure(code="PageTimeout", what="it took too long"))
    folder.transcription(2).unlink()
    _ledger(folder)
    _export(folder, [1.0, None, 1.0])
    (finding,) = findings_of(examine(folder))
    assert (finding.check, finding.severity, finding.page) == ("pages_complete", "eye", 2)
    assert "too long" in finding.what


def test_low_confidence_is_one_to_look_at(tmp_path: Path) -> None:
    folder = Store(tmp_path).document(DocumentKey("b.pdf"))
    _write(folder, sure=0.6)
    (finding,) = findings_of(examine(folder))
    assert (finding.check, finding.severity, finding.what) == ("confidence", "eye", "read with 60% confidence")


def test_an_engine_that_reads_blocks_may_give_other_lines(folder: DocumentFolder) -> None:
    page = _page(2, engine="surya")
    block = Region(id="b1", boundary=page.regions[0].boundary, text="all of it as a block")
    write_model(folder.transcription(2), StoredPage(made_from="t", page=page.model_copy(update={"regions": (block,)})))
    _ledger(folder)
    _export(folder)
    assert _found(folder) == []


def test_corrections_that_the_exports_do_not_have_yet_are_no_loss(folder: DocumentFolder) -> None:
    write_json(folder.correction(1), {"r1l1": "what a person wrote"})
    later = time.time() + 5
    os.utime(folder.correction(1).parent, (later, later))
    assert _found(folder) == [("nothing_lost", "eye", None)]
    _export(folder)
    os.utime(folder.correction(1).parent, (1, 1))
    assert _found(folder) == []


def test_a_scan_that_was_replaced_by_one_that_was_refused_has_lost_nothing(folder: DocumentFolder) -> None:
    info = SourceInfo(kind="pdf", media_type="application/pdf", pages=1)
    file = SourceFile(name="a.pdf", size=2, mtime_ns=2, sha256="other", info=info)
    write_model(folder.inspection, Inspection(kind="pdf", sha256="other", files=(file,)))
    assert _found(folder) == [("pages_complete", "eye", None)]


def test_only_what_has_changed_is_looked_at_again_and_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name in ("a.pdf", "b.pdf"):
        _write(store.document(DocumentKey(name)))
    write_json(store.document(DocumentKey("new.pdf")).source, {"origin": "x"})
    table = Examinations(store.root)
    assert examine_changed(store, table, seconds=0) == 0
    assert examine_changed(store, table) == 2
    assert examine_changed(store, table) == 0
    _export(store.document(DocumentKey("a.pdf")), [0.1, 1.0, 1.0])
    os.utime(store.document(DocumentKey("a.pdf")).exports_record, (2**31, 2**31))
    with store.document(DocumentKey("b.pdf")).lock():
        assert examine_changed(store, table) == 1
    found = summarise(table, 10)
    assert {check for check, summary in found.items() if not summary.passed} == {"text_layer"}
    assert (found["text_layer"].looked_at, found["text_layer"].losses) == (2, 1)
    store.document(DocumentKey("a.pdf")).root.rename(tmp_path / "away")
    examine_changed(store, table)
    assert summarise(table, 10)["text_layer"].passed


def test_a_summary_names_losses_first_and_then_the_least_certain(tmp_path: Path) -> None:
    table = Examinations(tmp_path)
    rows = [
        examination(f"d{n:03d}", "v", 0, [Finding("confidence", "eye", "low")], confidence=0.8 - n / 1000)
        for n in range(100)
    ]
    rows.append(examination("fine", "v", 0, [], confidence=0.99))
    rows.append(examination("z", "v", 0, [Finding("nothing_lost", "loss", "gone", n) for n in range(1, 90)]))
    rows.append(examination("y", "v", 0, [Finding("nothing_lost", "eye", "older")]))
    table.write(rows)
    found = summarise(table, 3)
    assert (found["confidence"].documents, found["confidence"].looked_at) == (100, 103)
    assert [each.key for each in found["confidence"].named] == ["d099", "d098", "d097"]
    assert [(each.key, each.finding.severity) for each in found["nothing_lost"].named] == [("z", "loss"), ("y", "eye")]
    assert found["nothing_lost"].severity == "loss"
    assert found["confidence"].severity == "eye"
    row = table.of("z")
    assert row is not None
    assert len(findings_of(row)) == 10
    assert row.more == 79
