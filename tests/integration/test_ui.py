"""Dagster's UI and daemon, as the command starts them: a backfill with a bad document ends, and names it."""

import time
from pathlib import Path
from typing import Any

import pytest
from ui_process import Ui

from archive_pipeline.demo.pages import make_pdf

STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]


@pytest.mark.timeout(1500)
def test_a_backfill_with_a_bad_document_ends_with_the_others_done(cli: Any, tmp_path: Path) -> None:
    scans = tmp_path / "scans"
    scans.mkdir()
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        make_pdf(scans / name, pages=1, lines=2)
    cli("run", scans)
    (scans / "b.pdf").write_bytes(b"no longer a PDF")
    ui = Ui(cli.home)
    try:
        ui.wait_until_ready()
        launched = ui.ask(
            "mutation($p: LaunchBackfillParams!){launchPartitionBackfill(backfillParams:$p){"
            "... on LaunchBackfillSuccess{backfillId}}}",
            p={
                "assetSelection": [{"path": [stage]} for stage in STAGES],
                "partitionNames": ["a.pdf", "b.pdf", "c.pdf"],
                "fromFailure": False,
            },
        )["launchPartitionBackfill"]
        query = (
            "query($b:String!){partitionBackfillOrError(backfillId:$b){... on PartitionBackfill{status "
            "assetBackfillData{assetBackfillStatuses{... on AssetPartitionsStatusCounts{"
            "numPartitionsMaterialized numPartitionsFailed}}}}}}"
        )
        deadline = time.monotonic() + 500
        state: Any = {"status": "REQUESTED"}
        while (
            state["status"] not in ("COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED") and time.monotonic() < deadline
        ):
            time.sleep(2)
            state = ui.ask(query, b=launched["backfillId"])["partitionBackfillOrError"]
        assert state["status"] == "COMPLETED_FAILED"
        counts = state["assetBackfillData"]["assetBackfillStatuses"]
        assert counts == [{"numPartitionsMaterialized": 2, "numPartitionsFailed": 1}] * len(STAGES)
    finally:
        ui.stop()
