"""Housekeeping and fixity with Dagster in this process: what is old goes, what an asset shows stays."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value as status_of
from PIL import Image, ImageDraw

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.embedded_launcher import EmbeddedRunLauncher
from archive_pipeline.errors import DocumentBusy
from archive_pipeline.history import storages
from archive_pipeline.history.logs import log_folder, sweep_logs
from archive_pipeline.history.runs import remove_run, sweep_runs
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store
from assets.documents import report_source
from assets.fixity import CHECK, FIXITY
from assets.partitions import DOCUMENTS
from assets.ranges import range_tags
from resources.archive import ArchiveResource

STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]


class Archive:
    """An archive on the embedded instance."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.settings = instance, read_settings()
        self.resource = ArchiveResource.from_settings(self.settings)
        self.store = Store(self.settings.store_dir)
        self.definitions = build(self.settings)
        self.settings.uploads_dir.mkdir(parents=True)

    def upload(self, name: str, text: str | None) -> DocumentKey:
        path = self.settings.uploads_dir / name
        if text is None:
            path.write_bytes(b"this is no image\n" * 10)
        else:
            image = Image.new("L", (700, 160), "white")
            ImageDraw.Draw(image).text((40, 50), text, font=font(40), fill=0)
            image.save(path)
        key = self.store.register(path, self.settings.uploads_dir)
        self.instance.add_dynamic_partitions(str(DOCUMENTS.name), [key])
        report_source(self.instance, self.resource, key)
        return key

    def run(self, first: str, last: str) -> str:
        job = self.definitions.resolve_job_def("documents_job")
        tags = range_tags([first, last])
        return job.execute_in_process(instance=self.instance, tags=tags, raise_on_error=False).run_id

    def job(self, name: str) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def(name).execute_in_process(instance=self.instance)

    def shown(self) -> dict[str, tuple[set[str], set[str], list[str]]]:
        """By asset: keys that are done, that failed, and how fresh the done ones are."""
        graph = self.definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        found = {}
        for stage in STAGES:
            asset = dg.AssetKey(stage)
            status = status_of(self.instance, asset, DOCUMENTS)
            assert status is not None
            done = set(status.deserialize_materialized_partition_subsets(DOCUMENTS).get_partition_keys())
            failed = set(status.deserialize_failed_partition_subsets(DOCUMENTS).get_partition_keys())
            found[stage] = (done, failed, [resolver.get_status(asset, key).value for key in sorted(done)])
        return found


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_WORKERS", "1")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    with open_instance(tmp_path / "dagster") as instance:
        yield Archive(instance)


def test_old_runs_go_but_for_those_that_show_how_a_document_stands(archive: Archive) -> None:
    a, b, bad = archive.upload("a.png", "one"), archive.upload("b.png", "two"), archive.upload("c.png", None)
    superseded = archive.run(a, b)
    first_failure, second_failure = archive.run(bad, bad), archive.run(bad, bad)
    newest = {archive.run(a, a), archive.run(b, b), second_failure}
    before = archive.shown()
    assert before["document_exports"] == ({a, b}, {bad}, ["FRESH", "FRESH"])
    logs = log_folder(archive.instance)
    assert logs is not None
    gone = {superseded, first_failure}
    assert all((logs / run_id).is_dir() and storages.shard(archive.instance, run_id) for run_id in gone)

    untouched = sweep_runs(archive.instance, time.time() - 3600)
    assert (untouched.removed, untouched.kept) == (0, 0)
    swept = sweep_runs(archive.instance, time.time() + 60)

    assert (swept.removed, swept.kept) == (2, 3)
    assert {run.run_id for run in archive.instance.get_runs()} == newest
    assert not any((logs / run_id).exists() or storages.shard(archive.instance, run_id) for run_id in gone)
    for stage in STAGES:
        archive.instance.event_log_storage.wipe_asset_cached_status(dg.AssetKey(stage))
    assert archive.shown() == before
    # The logs of what stays are old, too.
    assert sweep_logs(archive.instance, time.time() + 60)[0] == 3
    assert not any((logs / run_id).exists() for run_id in newest)


def test_a_run_whose_deletion_was_killed_is_deleted_by_the_next_sweep(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = archive.upload("a.png", None)
    old, _newest = archive.run(key, key), archive.run(key, key)
    with monkeypatch.context() as patch:
        patch.setattr(type(archive.instance), "delete_run", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            remove_run(archive.instance, old)
    assert archive.instance.get_run_by_id(old) is not None
    sweep_runs(archive.instance, time.time() + 60)
    assert archive.instance.get_run_by_id(old) is None
    assert storages.shard(archive.instance, old) is None


def test_the_nightly_job_says_what_it_removed(archive: Archive) -> None:
    orphan = archive.store.document(DocumentKey("nobody-registered-this"))
    with orphan.lock():
        pass
    os.utime(orphan.root, (1, 1))
    result = archive.job("housekeeping_job")
    assert result.success
    (output,) = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
    metadata = output.step_output_data.metadata
    assert metadata["leftovers in the store"].value == "1 empty document"
    assert metadata["runs deleted"].value == 0
    assert not orphan.root.exists()


def test_damage_is_shown_as_a_failed_check_with_what_to_do_until_it_is_mended(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARCHIVE_VERIFY_NIGHTS", "1")
    key = archive.upload("a.png", "one")
    archive.run(key, key)
    image = archive.store.document(key).images / "0001.png"
    image = image if image.exists() else image.with_suffix(".jpg")
    whole = image.read_bytes()

    def verified() -> tuple[bool, dg.AssetMaterialization]:
        result = archive.job("fixity_job")
        assert result.success
        (evaluation,) = result.get_asset_check_evaluations()
        assert (evaluation.asset_key, evaluation.check_name) == (FIXITY, CHECK)
        (event,) = result.get_asset_materialization_events()
        return evaluation.passed, event.materialization

    archive.definitions = build(read_settings())
    passed, shown = verified()
    assert passed
    assert shown.metadata["verified now"].value == 1
    # A file of its own: that of the exports is the same one under a second name.
    image.unlink()
    image.write_bytes(whole[:-1] + b"\0")
    passed, shown = verified()
    assert not passed
    assert shown.metadata["damaged files"].value == "1 image"
    table = shown.metadata["damage"]
    assert isinstance(table, dg.TableMetadataValue)
    (row,) = table.records
    assert (row.data["document"], row.data["file"]) == (key, str(image))
    assert "Run the document again" in str(row.data["what to do"])
    image.write_bytes(whole)
    assert verified()[0]


def test_who_goes_on_for_another_run_waits_for_it_and_nobody_else_does(archive: Archive) -> None:
    key = archive.upload("a.png", "one")
    held, leave = threading.Event(), threading.Event()

    def predecessor() -> None:
        with archive.store.document(key).lock():
            held.set()
            leave.wait(60)

    thread = threading.Thread(target=predecessor)
    thread.start()
    try:
        held.wait(60)
        with archive.resource.processor() as processor, pytest.raises(DocumentBusy):
            list(processor.process(key))
        threading.Timer(1, leave.set).start()
        with archive.resource.processor(patience=60) as processor:
            assert [result.stage for result in processor.process(key)] == STAGES
    finally:
        leave.set()
        thread.join()


def test_a_run_is_known_to_be_dead_by_its_process_even_if_another_has_its_number(archive: Archive) -> None:
    launcher = archive.instance.run_launcher
    assert isinstance(launcher, EmbeddedRunLauncher)
    job = archive.definitions.resolve_job_def("housekeeping_job")

    def health(pid: int | None, *, said: float | None = None) -> WorkerStatus:
        run = archive.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        if pid is not None:
            with pytest.MonkeyPatch.context() as patch:
                if said is not None:
                    patch.setattr("time.time", lambda: said)
                archive.instance.report_engine_event("Started", run, EngineEventData.in_process(pid))
        return launcher.check_run_worker_health(run).status

    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert health(os.getpid()) == WorkerStatus.RUNNING
    assert health(ended.pid) == WorkerStatus.FAILED
    assert health(None) == WorkerStatus.RUNNING
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as later:
        assert health(later.pid) == WorkerStatus.RUNNING
        assert health(later.pid, said=time.time() - 3600) == WorkerStatus.FAILED
