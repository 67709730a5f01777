"""What stands beside a document in the UI."""

from pathlib import Path

import dagster as dg

from archive_pipeline.durable import write_bytes
from archive_pipeline.keys import DocumentKey
from archive_pipeline.processing.results import PageOutcome, StageResult
from assets.metadata import exports_metadata, stage_metadata


def _result(*pages: PageOutcome) -> StageResult:
    return StageResult("page_transcriptions", DocumentKey("a.pdf"), "v", pages, 1.0)


def test_pages_that_need_an_eye_are_a_table_with_the_worst_first() -> None:
    metadata = stage_metadata(
        _result(
            PageOutcome(1, "done", lines=3, confidence=0.99),
            PageOutcome(2, "done", lines=3, confidence=0.7),
            PageOutcome(3, "failed", "It timed out."),
            PageOutcome(4, "done", lines=3, confidence=0.5),
        )
    )
    table = metadata["pages that need an eye"]
    assert isinstance(table, dg.TableMetadataValue)
    assert [record.data["page"] for record in table.records] == [3, 4, 2]
    assert metadata["page status"] == "3 done, 1 failed"


def test_where_no_page_needs_an_eye_it_says_so() -> None:
    metadata = stage_metadata(_result(PageOutcome(1, "done", lines=3, confidence=0.99)))
    assert metadata["pages that need an eye"] == "none"


def test_exports_are_links_where_results_are_served_and_a_folder_in_any_case(tmp_path: Path) -> None:
    write_bytes(tmp_path / "view" / "index.html", b"")
    write_bytes(tmp_path / "document.txt", b"")
    served = exports_metadata(tmp_path, lambda path: f"http://archive.example/a.pdf/{path}")
    assert list(served) == ["reading view", "text", "exports"]
    assert served["reading view"].value == "http://archive.example/a.pdf/view/index.html"
    assert list(exports_metadata(tmp_path, lambda _: None)) == ["exports"]
