"""The corpus report: calibration that is right and says how sure it is, tables, the page, states made again."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from scipy.special import expit, logit

from archive_pipeline.bench.report import make_archive
from archive_pipeline.checks.findings import Examinations, Finding, examination
from archive_pipeline.cli.report import report as command
from archive_pipeline.document_states import DocumentState, DocumentStates
from archive_pipeline.durable import write_bytes, write_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.page import Line, Page, Region, Step
from archive_pipeline.processing.stored_pages import StoredPage, write_model
from archive_pipeline.report import documents as of_documents
from archive_pipeline.report.accuracy import accuracy
from archive_pipeline.report.calibration import calibrate, estimate
from archive_pipeline.report.corrected_pages import CorrectedPage, corrected_pages
from archive_pipeline.report.disk import disk_use
from archive_pipeline.report.figures import figures
from archive_pipeline.report.make import Report, make_report
from archive_pipeline.report.places import Places
from archive_pipeline.report.rebuild import rebuild_states, state_of
from archive_pipeline.report.webpage import POLICY, write_html
from archive_pipeline.report.wording import of_accuracy
from archive_pipeline.report.worklist import work_list
from archive_pipeline.store import DocumentFolder, Store
from archive_pipeline.uploads.register import Upload, UploadRegister

# Synthetic pages: how many errors a confidence really means.
TRUE = (0.4, 1.1)


def _pages(documents: int, seed: int, each: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Confidence, errors, characters and document of pages whose documents differ in what is hard about them."""
    rng = np.random.default_rng(seed)
    sure = 1 - np.exp(rng.uniform(np.log(0.005), np.log(0.25), documents * each))
    labels = np.repeat(np.arange(documents), each)
    hard = rng.normal(0, 0.3, documents)[labels]
    letters = rng.integers(400, 2500, documents * each)
    errors = rng.binomial(letters, expit(TRUE[0] + TRUE[1] * logit(1 - sure) + hard))
    return sure, errors, letters, labels


def test_the_curve_is_found_again() -> None:
    found = calibrate(*_pages(300, seed=1))
    assert found is not None
    assert found.curve == pytest.approx(TRUE, abs=0.12)
    assert found.rate([0.9])[0] == pytest.approx(expit(TRUE[0] + TRUE[1] * logit(0.1)), rel=0.1)
    assert (found.pages, found.documents, found.by_documents) == (1200, 300, True)


def test_the_interval_covers_the_true_rate_about_as_often_as_it_says() -> None:
    # The truth is the mean over documents of all kinds, not the rate of an average document.
    rng = np.random.default_rng(99)
    sure = np.full(1, 0.95)
    truth = 100 * float(np.mean(expit(TRUE[0] + TRUE[1] * logit(0.05) + rng.normal(0, 0.3, 100_000))))
    covered = 0
    for seed in range(100):
        found = calibrate(*_pages(25, seed=seed, each=3))
        assert found is not None
        whole = estimate([(found, sure, [1000])])
        covered += whole.low <= truth <= whole.high
    assert 86 <= covered <= 99


def test_more_pages_make_the_interval_narrower() -> None:
    widths = []
    for documents in (10, 160):
        found = calibrate(*_pages(documents, seed=3))
        assert found is not None
        whole = estimate([(found, [0.9], [1])])
        widths.append(whole.high - whole.low)
    assert widths[1] < widths[0] / 2


def test_too_few_pages_give_no_number() -> None:
    assert calibrate([0.9] * 5, [10] * 5, [100] * 5, range(5)) is None
    assert calibrate([0.9] * 9, [0] * 9, [0] * 9, range(9)) is None


def test_pages_without_an_error_do_not_mean_that_there_are_none() -> None:
    found = calibrate([0.99] * 6, [0] * 6, [500] * 6, range(6))
    assert found is not None
    assert 0 < found.rate([0.99])[0] < 0.001


def test_less_confidence_never_means_fewer_errors() -> None:
    sure = np.linspace(0.7, 0.99, 40)
    found = calibrate(sure, np.linspace(1, 200, 40).astype(int), [1000] * 40, range(40))
    assert found is not None
    rates = found.rate(np.linspace(0.3, 0.999, 50))
    assert (np.diff(rates) <= 1e-12).all()


def test_pages_of_one_document_are_not_taken_for_many() -> None:
    sure, errors, letters, _ = _pages(8, seed=5)
    one = calibrate(sure, errors, letters, ["same"] * len(sure))
    assert one is not None
    assert not one.by_documents


def _classes(*rows: tuple[str, float, int, int]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["model", "mean", "pages", "characters"])
    return table.assign(bin=(table["mean"] * 200).astype(int), weighted=table["mean"] * table["characters"])


def _truth(model: str, count: int, share: float = 1.0) -> list[CorrectedPage]:
    return [CorrectedPage(f"d{n}", 1, model, 0.95, 50, 1000, share) for n in range(count)]


def test_a_model_without_ground_truth_has_no_estimate_and_that_is_said() -> None:
    found = accuracy(_classes(("known", 0.95, 10, 7_500), ("new", 0.6, 10, 2_500)), _truth("known", 8))
    assert found.overall is not None
    assert found.overall.percent == pytest.approx(5.0, abs=0.1)
    assert found.covered == pytest.approx(0.75)
    assert found.missing == ["new"]
    said = " ".join(of_accuracy(found))
    assert "for 75% of the text" in said
    assert "Nothing can be said of what these models read: new." in said


def test_pages_that_are_less_sure_than_all_ground_truth_are_said_to_be_a_guess() -> None:
    found = accuracy(_classes(("known", 0.95, 10, 6_000), ("known", 0.5, 10, 4_000)), _truth("known", 8))
    assert found.beyond == pytest.approx(0.4)
    assert "40% of it was read with less confidence than any corrected page" in " ".join(of_accuracy(found))


def test_without_ground_truth_there_is_no_number_at_all() -> None:
    found = accuracy(_classes(("m", 0.9, 10, 100)), _truth("m", 20, share=0.5))
    assert found.overall is None
    assert found.classes["percent"].isna().all()
    said = " ".join(of_accuracy(found))
    assert "no error rate is given" in said
    assert "20 pages with corrections of some lines only" in said


def _document(store: Store, name: str, sure: float = 0.9, lines: int = 4) -> DocumentFolder:
    folder = store.document(DocumentKey(name))
    texts = [
        Line(id=f"l{n}", boundary=((0, 0), (9, 0), (9, 9)), text="abcdefghij", confidence=sure) for n in range(lines)
    ]
    region = Region(id="r", boundary=((0, 0), (9, 0), (9, 9)), lines=tuple(texts))
    step = Step(task="recognition", engine="kraken", version="1", model="m")
    page = Page(number=1, width=10, height=10, regions=(region,), steps=(step,))
    write_json(folder.source, {"origin": "/nowhere", "key": name})
    write_model(folder.transcription(1), StoredPage(made_from="t", page=page))
    row = {"page": 1, "status": "done", "reason": "", "error": None, "lines": lines, "confidence": sure}
    failed = {
        "page": 2,
        "status": "failed",
        "reason": "too long.",
        "error": "PageTimeout",
        "lines": 0,
        "confidence": None,
    }
    write_json(folder.ledger, {"schema_version": 1, "pages": [row, failed]})
    write_json(folder.exports_record, {"made_from": "x"})
    write_json(folder.run_report, {"pages": {"1": {"total": 2.5}, "2": {"total": 3.5}}})
    return folder


def test_a_page_counts_as_ground_truth_if_a_person_went_through_all_of_it(tmp_path: Path) -> None:
    folder = _document(Store(tmp_path), "a.pdf")
    write_json(folder.correction(1), {"l0": "abcdefghiX"})
    (part,) = corrected_pages(folder)
    assert (part.whole, part.errors, part.characters) == (False, 1, 10)
    write_json(folder.correction(1), {f"l{n}": "abcdefghiX" for n in range(4)} | {"gone": "x"})
    (whole,) = corrected_pages(folder)
    assert (whole.whole, whole.errors, whole.characters, whole.model, whole.confidence) == (True, 4, 40, "m", 0.9)


def test_states_are_made_again_from_folders_and_others_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    folder = _document(store, "a.pdf")
    _document(store, "b.pdf")
    write_json(store.document(DocumentKey("new.pdf")).source, {"origin": "/nowhere"})
    damaged = _document(store, "c.pdf")
    write_bytes(damaged.ledger, b"{")
    states = DocumentStates(store.root)
    known = DocumentState("b.pdf", "refused", "f", "m", 5.0, code="DamagedFile")
    states.write(known)
    assert rebuild_states(store, states) == 1
    assert states.of("b.pdf") == known
    made = states.of("a.pdf")
    assert made == state_of(folder)
    assert made is not None
    assert (made.standing, made.pages, made.failed_pages, made.lines, made.characters) == ("done", 2, 1, 4, 40)
    assert (made.confidence, made.doubtful, made.seconds) == (0.9, 1, 6.0)
    assert set(states.all()) == {"a.pdf", "b.pdf"}


def test_a_document_that_failed_and_one_that_was_stopped_are_told_apart(tmp_path: Path) -> None:
    folder = _document(Store(tmp_path), "a.pdf")
    folder.exports_record.unlink()
    failed = state_of(folder)
    assert failed is not None
    assert (failed.standing, failed.code) == ("failed", "DocumentFailed")
    assert failed.reason == "1 of 2 pages failed; page 2: too long."
    write_json(folder.ledger, {"pages": [{"page": 1, "status": "done", "reason": "", "lines": 1, "confidence": 0.9}]})
    assert state_of(folder) is None


def test_documents_without_a_state_are_waiting_and_states_without_a_document_are_left_out() -> None:
    states = {name: DocumentState(name, "done", "f", "m", 86_400.0, pages=2) for name in ("a", "gone")}
    table = of_documents.documents_table(["a", "b"], states)
    assert table["standing"].tolist() == ["done", "waiting"]
    assert table["when"][0] == pd.Timestamp("1970-01-02", tz="UTC")
    assert pd.isna(table["when"][1])


def test_means_are_weighed_and_failures_are_grouped_by_reason() -> None:
    states = [
        DocumentState("a", "done", "", "", 1, pages=1, characters=100, confidence=0.9, language="fr"),
        DocumentState("b", "done", "", "", 1, pages=9, characters=300, confidence=0.5, language="fr"),
        DocumentState("c", "done", "", "", 1, pages=1, characters=0, confidence=None),
        DocumentState("d", "refused", "", "", 1, code="DamagedFile", reason="torn", remedy="Scan it again."),
        DocumentState("e", "refused", "", "", 1, code="DamagedFile", reason="torn", remedy="Scan it again."),
        DocumentState("f", "failed", "", "", 1, code="DocumentFailed", reason="no page could be read"),
    ]
    table = of_documents.documents_table([state.key for state in states], {state.key: state for state in states})
    french, other = of_documents.counts(table[table["standing"] == "done"], "language").to_dict("records")
    assert french == {
        "language": "fr",
        "documents": 2,
        "pages": 10,
        "characters": 400,
        "confidence": pytest.approx(0.54),
    }
    assert other["language"] == "not said"
    assert np.isnan(other["confidence"])
    failures = of_documents.failures(table)
    assert failures[["code", "documents", "example", "remedy"]].values.tolist() == [
        ["DamagedFile", 2, "d", "Scan it again."],
        ["DocumentFailed", 1, "f", ""],
    ]


def test_throughput_is_that_of_the_days_on_which_documents_were_done() -> None:
    day = 86_400.0
    states = [DocumentState(f"d{n}", "done", "", "", n * day + 7, pages=3, seconds=6.0) for n in (1, 3, 3.5)]
    table = of_documents.documents_table([state.key for state in states], {state.key: state for state in states})
    days = of_documents.by_day(table, 4, pd.Timestamp(3.6 * day, unit="s", tz="UTC"))
    assert days["pages"].tolist() == [0, 3, 0, 6]
    assert days["seconds_a_page"].tolist()[1:4:2] == [2.0, 2.0]
    assert of_documents.pace(table)["median"].tolist() == [2.0]


def test_the_work_list_has_the_pages_with_the_most_errors_to_be_expected(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for name, sure, lines in (
        ("long.pdf", 0.9, 200),
        ("bad.pdf", 0.5, 4),
        ("good.pdf", 0.99, 100),
        ("gone.pdf", 0.1, 900),
    ):
        _document(store, name, sure, lines)
    store.document(DocumentKey("gone.pdf")).transcription(1).unlink()
    rows = [("long.pdf", 0.9, 2000), ("bad.pdf", 0.5, 40), ("good.pdf", 0.99, 1000), ("gone.pdf", 0.1, 9000)]
    doubtful = pd.DataFrame(
        [{"document": name, "page": 1, "confidence": sure, "characters": n, "model": "m"} for name, sure, n in rows]
    )
    found = work_list(doubtful, {}, store)
    assert found["document"].tolist() == ["long.pdf", "bad.pdf", "good.pdf"]
    assert found["errors"].isna().all()
    calibration = calibrate(*_pages(40, seed=2))
    assert calibration is not None
    found = work_list(doubtful, {"m": calibration}, store, wanted=2)
    assert found["document"].tolist() == ["long.pdf", "bad.pdf"]
    assert found["errors"][0] == pytest.approx(2000 * calibration.rate([0.9])[0])


def test_a_page_image_with_two_names_counts_once_and_kinds_are_kept_apart(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    folder = store.document(DocumentKey("a"))
    for path, size in (
        (folder.images / "0001.jpg", 1000),
        (folder.exports / "document.pdf", 300),
        (folder.correction(1), 70),
        (folder.ledger, 5),
        (tmp_path / "models" / "m", 40),
        (tmp_path / "training" / "sets" / "jean" / "set.json", 21),
        (tmp_path / "states.sqlite", 9),
    ):
        write_bytes(path, b"x" * size)
    (folder.exports / "images").mkdir()
    (folder.exports / "images" / "0001.jpg").hardlink_to(folder.images / "0001.jpg")
    (folder.root / "loop").symlink_to(folder.root)
    found = disk_use(
        store.root / "documents",
        ["a"],
        tmp_path / "models",
        [tmp_path / "states.sqlite"],
        tmp_path / "no-report",
        tmp_path / "training",
    )
    assert {kind: size for kind, size in found.bytes.items() if size} == {
        "images": 1000,
        "exports": 300,
        "corrections": 70,
        "records": 5,
        "models": 40,
        "training": 21,
        "database": 9,
    }
    assert not found.estimated


def test_a_large_store_is_measured_on_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archive_pipeline.report.disk.SAMPLE", 5)
    for n in range(20):
        write_bytes(tmp_path / str(n) / "images" / "0001.jpg", b"x" * 10)
    found = disk_use(tmp_path, [str(n) for n in range(20)], None, [], tmp_path / "none")
    assert (found.bytes["images"], found.measured, found.estimated) == (200, 5, True)


def _made(store: Store) -> Report:
    now = datetime(2026, 3, 4, 5, 6, tzinfo=UTC)
    return make_report(store, store.root / "report", places=Places(store.root / "documents"), now=now)


def test_the_tables_have_a_row_for_each_document_and_page_and_the_figures_agree(tmp_path: Path) -> None:
    store = Store(tmp_path)
    make_archive(store, 200)
    report = _made(store)
    documents = pq.read_table(tmp_path / "report" / "documents.parquet").to_pandas()
    pages = pq.read_table(tmp_path / "report" / "pages.parquet").to_pandas()
    assert len(documents) == 200
    assert len(pages) == report.pages.pages == documents["pages"].sum()
    assert report.standings == documents["standing"].value_counts().to_dict()
    assert report.pages.statuses == pages["status"].value_counts().to_dict()
    assert int(report.pages.errors["pages"].sum()) == (pages["status"] == "failed").sum()
    read = pages[(pages["status"] == "done") & pages["confidence"].notna()]
    assert int(report.accuracy.classes["pages"].sum()) == len(read)
    found = figures(report)
    assert found["documents"] == 200
    assert found["accuracy"]["overall"]["low"] < found["accuracy"]["overall"]["high"]


def test_figures_are_the_same_however_many_pages_are_taken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    make_archive(store, 100)
    once = figures(_made(store))
    monkeypatch.setattr("archive_pipeline.report.pages._AT_ONCE", 10)
    again = figures(_made(store))
    for found in (once, again):
        del found["seconds"], found["disk"]
    # Sums in another order differ in the last digits.
    rounded = [json.loads(json.dumps(found), parse_float=lambda text: round(float(text), 6)) for found in (once, again)]
    assert rounded[0] == rounded[1]


class _Read(HTMLParser):
    """Tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


def test_names_and_reasons_of_strangers_stay_inert_on_the_page(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>\x1b[31m\u202e{{ 7*7 }}"
    store = Store(tmp_path)
    _document(store, "a.pdf")
    write_json(store.document(DocumentKey("bad.pdf")).source, {"origin": "x"})
    state = DocumentState("bad.pdf", "failed", "", "", 1, code=hostile, reason=hostile, remedy=hostile)
    DocumentStates(store.root).write(state)
    DocumentStates(store.root).write(DocumentState("a.pdf", "done", "", "", 1, language=hostile, hand=hostile))
    ledger = store.document(DocumentKey("a.pdf")).ledger
    write_json(
        ledger,
        {
            "pages": [
                {"page": 1, "status": "failed", "reason": hostile, "error": hostile, "lines": 0, "confidence": None}
            ]
        },
    )
    refused = Upload(hostile + "caf\udce9", "v", "i", "refused", 0, 0, reason=hostile, remedy=hostile)
    UploadRegister(store.root).write([refused])
    Examinations(store.root).write([examination("a.pdf", "v", 0, [Finding("nothing_lost", "loss", hostile, 1)])])
    html = write_html(_made(store), store.root / "report").read_text("utf-8")
    read = _Read()
    read.feed(html)
    assert not read.tags & {"script", "img", "iframe", "object", "form", "style"}
    assert not {name for name in read.attributes if name.startswith("on") or name == "style"}
    assert all(link.startswith(("#", "style.css", "../documents/", "documents.", "pages.")) for link in read.links)
    assert "\x1b" not in html
    assert "\u202e" not in html
    assert f'content="{POLICY}"'.replace("'", "&#39;") in html
    assert "default-src &#39;none&#39;" in html
    assert "&lt;script&gt;" in html


def test_links_lead_to_views_wherever_the_report_is(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    assert Places(documents).link("a b", 3) == "../documents/a%20b/exports/view/0003.html"
    assert Places(documents, relative=False).link("a") == (documents / "a/exports/view/index.html").as_uri()
    web = Places(documents, "https://archive.example/x/", relative=False)
    assert web.link("a b") == "https://archive.example/x/a%20b/view/index.html"
    assert Places(documents, "https://archive.example/x/").view("a", 2) == "https://archive.example/x/a/view/0002.html"


def test_an_empty_archive_has_a_report_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    write_json(store.document(DocumentKey("a.pdf")).source, {"origin": "x"})
    report = _made(store)
    html = write_html(report, store.root / "report").read_text("utf-8")
    assert "waiting for a run" in html
    assert "None was looked at yet" in html
    assert report.pages.pages == 0


def test_a_damaged_ledger_is_named_and_stops_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    _document(store, "a.pdf")
    write_bytes(_document(store, "b.pdf").ledger, b"[]")
    report = _made(store)
    assert report.pages.damaged == ["b.pdf"]
    assert report.pages.pages == 2
    assert "The page ledgers of 1 document cannot be read: b.pdf." in write_html(report, tmp_path).read_text("utf-8")


def test_the_command_writes_elsewhere_if_asked_and_says_what_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "home"))
    none = CliRunner().invoke(command, [])
    assert "there is no archive in" in str(none.exception)
    _document(Store(tmp_path / "home" / "store"), "a.pdf")
    done = CliRunner().invoke(command, ["--out", str(tmp_path / "out")], catch_exceptions=False)
    assert done.output.splitlines()[:2] == ["1 documents, 2 pages", "1 done"]
    assert "pages_complete: 1 documents need an eye: a.pdf" in done.output
    assert (tmp_path / "out" / "index.html").is_file()
    assert not (tmp_path / "home" / "store" / "report").exists()
    as_json = CliRunner().invoke(command, ["--json"], catch_exceptions=False)
    assert '"ground_truth_pages": 0' in as_json.output
