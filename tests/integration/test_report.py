"""Checks and corpus report with Dagster in this process: one place that says which documents need an eye."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from PIL import Image, ImageDraw

from archive_pipeline.checks.findings import CHECKS
from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.durable import read_json, write_json
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store
from assets.checks import CHECKED
from assets.documents import report_source
from assets.partitions import DOCUMENTS
from assets.ranges import range_tags
from resources.archive import ArchiveResource


class Archive:
    """An archive with Dagster in this process."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.settings = instance, read_settings()
        self.definitions = build(self.settings)
        self.store = Store(self.settings.store_dir)

    def upload(self, name: str, texts: list[str]) -> DocumentKey:
        """A folder of page images with one line each."""
        folder = self.settings.uploads_dir / name
        folder.mkdir(parents=True)
        for number, text in enumerate(texts):
            image = Image.new("L", (700, 160), "white")
            ImageDraw.Draw(image).text((40, 50), text, font=font(40), fill=0)
            image.save(folder / f"{number}.png")
        return self.register(folder)

    def register(self, folder: Path) -> DocumentKey:
        key = self.store.register(folder, self.settings.uploads_dir)
        self.instance.add_dynamic_partitions(str(DOCUMENTS.name), [key])
        report_source(self.instance, ArchiveResource.from_settings(self.settings), key)
        return key

    def run(self, *keys: str) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_job_def("documents_job")
        return job.execute_in_process(instance=self.instance, tags=range_tags(keys), raise_on_error=False)

    def report(self) -> dict[str, dg.MetadataValue]:  # type: ignore[type-arg]
        assert self.definitions.resolve_job_def("report_job").execute_in_process(instance=self.instance).success
        event = self.instance.get_latest_materialization_event(dg.AssetKey("corpus_report"))
        assert event is not None
        assert event.asset_materialization is not None
        return dict(event.asset_materialization.metadata)

    def check(self, name: str) -> dg.AssetCheckEvaluation:
        """The evaluation that the UI shows."""
        storage = self.instance.event_log_storage
        (record,) = storage.get_asset_check_execution_history(dg.AssetCheckKey(CHECKED, name), limit=1)
        assert record.event is not None
        assert record.event.dagster_event is not None
        return record.event.dagster_event.asset_check_evaluation_data

    def failing(self) -> dict[str, str]:
        return {name: evaluation.severity.value for name in CHECKS if not (evaluation := self.check(name)).passed}


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        yield Archive(instance)


def test_a_document_whose_transcription_lost_a_page_is_named_in_one_place(archive: Archive) -> None:
    whole, torn = archive.upload("whole", ["first page"]), archive.upload("torn", ["one", "two", "three"])
    assert archive.run(whole, torn).success
    assert archive.failing() == {}
    assert archive.check("text_layer").metadata["pages compared"].value == 4
    folder = archive.store.document(torn)
    folder.transcription(2).unlink()
    archive.report()
    assert archive.failing() == {"nothing_lost": "ERROR"}
    evaluation = archive.check("nothing_lost")
    assert evaluation.description == "1 of 2 documents need an eye, 1 of them with a loss: torn."
    table = evaluation.metadata["documents"]
    assert isinstance(table, dg.TableMetadataValue)
    (row,) = table.records
    assert row.data["what"] == "its transcription is gone"
    assert row.data["pages"].split(", ")[0] == "2"
    view = Path(str(row.data["reading view"]))
    assert view == folder.exports / "view" / "0002.html"
    assert view.is_file()
    # Another document's run does not turn the light green.
    assert archive.run(whole).success
    assert archive.failing() == {"nothing_lost": "ERROR"}
    # Run again, it is whole again, and the run itself says so.
    assert archive.run(torn).success
    assert archive.failing() == {}


def test_checks_that_are_asked_for_with_the_assets_are_evaluated_by_their_step(archive: Archive) -> None:
    key = archive.upload("letter", ["a line"])
    job = archive.definitions.resolve_implicit_global_asset_job_def()
    result = job.execute_in_process(
        instance=archive.instance,
        partition_key=key,
        asset_selection=[dg.AssetKey(name) for name in ("page_images", "page_layouts", "page_transcriptions")]
        + [CHECKED],
        raise_on_error=False,
    )
    assert result.success
    assert {archive.check(name).passed for name in CHECKS} == {True}


def test_a_failed_run_says_which_document_needs_an_eye(archive: Archive) -> None:
    folder = archive.settings.uploads_dir / "scans"
    folder.mkdir(parents=True)
    for number in (1, 2):
        Image.new("RGB", (600, 200), "white").save(folder / f"{number}.jpg")
    data = (folder / "2.jpg").read_bytes()
    (folder / "2.jpg").write_bytes(data[: len(data) // 2])
    key = archive.register(folder)
    assert not archive.run(key).success
    assert archive.failing() == {"pages_complete": "WARN"}
    assert archive.check("pages_complete").description == "1 of 1 documents need an eye: scans."


def test_the_report_is_a_page_tables_and_figures(archive: Archive) -> None:
    key = archive.upload("<img src=x onerror=alert(1)>", ["twelve letters of ink", "and one more page"])
    archive.upload("waiting", ["nobody has run it"])
    assert archive.run(key).success
    metadata = archive.report()
    assert {name: metadata[name].value for name in ("documents", "pages", "documents done")} == {
        "documents": 2,
        "pages": 2,
        "documents done": 1,
    }
    assert metadata["documents waiting for a run"].value == 1
    assert "There is no ground truth" in str(metadata["character errors"].value)
    assert "estimated CER %" not in metadata
    page = Path(str(metadata["report"].value))
    html = page.read_text("utf-8")
    assert "<img" not in html
    assert "not known: no ground truth" in html
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html",
        "style.css",
        "documents.parquet",
        "pages.parquet",
    }
    records = archive.instance.get_records_for_run(
        next(iter(archive.instance.get_run_records(limit=1))).dagster_run.run_id
    ).records
    assert all(len(record.event_log_entry.to_json()) < 50_000 for record in records)


def test_corrected_pages_give_an_estimate_for_the_others(archive: Archive) -> None:
    texts = [f"page {number} of the book" for number in range(7)]
    key = archive.upload("book", texts)
    assert archive.run(key).success
    folder = archive.store.document(key)
    for number, text in enumerate(texts[:6], start=1):
        regions = read_json(folder.transcription(number))["page"]["regions"]
        write_json(folder.correction(number), {line["id"]: text for each in regions for line in each["lines"]})
    metadata = archive.report()
    low, percent, high = (
        float(str(metadata[name].value))
        for name in ("estimated CER %, low", "estimated CER %", "estimated CER %, high")
    )
    assert 0 < low <= percent <= high < 20
    assert "fewer than 6 documents" in str(metadata["character errors"].value)
    table = metadata["pages to correct first"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [(row.data["document"], row.data["page"]) for row in table.records] == [("book", 7)]
    assert archive.failing() == {"nothing_lost": "WARN"}
    older = archive.check("nothing_lost").metadata["documents"]
    assert isinstance(older, dg.TableMetadataValue)
    assert "exports are older" in str(older.records[0].data["what"])
