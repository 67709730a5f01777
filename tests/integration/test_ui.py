"""Dagster's UI and daemon, as the command starts them: a backfill with a bad document ends, and names it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from archive_pipeline.demo.pages import make_pdf

STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]


class Ui:
    """A running UI, asked through its GraphQL API."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = home.parent / "ui.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "archive_pipeline.cli", "ui", "--port", str(self.port)],
                env=os.environ | {"ARCHIVE_HOME": str(home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.ask("{repositoriesOrError{... on RepositoryConnection{nodes{name}}}}")["repositoriesOrError"][
                    "nodes"
                ]:
                    return
            except OSError:
                pass
            time.sleep(1)
        raise AssertionError(self.log.read_text("utf-8")[-3000:])

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


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
        deadline = time.monotonic() + 240
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
