"""A document that was forgotten is in no file of the archive any more, and the others are as they were."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster._core.execution.backfill import BulkActionStatus
from forgettable import NAME, Archive, forget

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.store import forgetting as command
from archive_pipeline.cli.store import store as store_command
from archive_pipeline.definitions import build
from archive_pipeline.document_states import DocumentStates
from archive_pipeline.errors import DocumentBusy, UsageError
from archive_pipeline.history import forget as history
from archive_pipeline.keeping import forgetting
from archive_pipeline.keeping.rounds import FixityBook
from archive_pipeline.uploads.register import Upload, UploadRegister
from assets.partitions import DOCUMENTS


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_WORKERS", "1")
    for variable in ("DAGSTER_HOME", "ARCHIVE_STORE", "UPLOADS_DIR"):
        monkeypatch.delenv(variable, raising=False)
    yield Archive(tmp_path / "archive")
    os.environ.pop("DAGSTER_HOME", None)


@pytest.mark.parametrize(
    ("names", "readable"),
    [
        (["amsel 1.png", NAME, "amsel 2.png"], True),
        ([NAME, "amsel 1.png"], True),
        (["amsel 1.png", NAME], False),
    ],
    ids=["in the middle", "first of its range", "last and refused"],
)
def test_nothing_of_a_forgotten_document_is_left_and_the_others_stay_done(
    archive: Archive, names: list[str], readable: bool
) -> None:
    archive.make(names, readable=readable)
    assert len(archive.naming()) > 8
    (archive.settings.uploads_dir / NAME).unlink()
    told = forget(archive.key)
    assert told["forgotten"] == [archive.key]
    assert archive.naming() == []
    for name in names:
        assert name == NAME or archive.done(name)
    with open_instance(archive.settings.dagster_home) as instance:
        others = [archive.keys[name] for name in names if name != NAME]
        assert instance.get_dynamic_partitions(str(DOCUMENTS.name)) == others
        (run,) = instance.get_runs()
        assert run.tags["dagster/asset_partition_range_start"] == others[0]
        assert run.tags["dagster/asset_partition_range_end"] == others[-1]
        kinds = [each.event_log_entry.dagster_event_type for each in instance.get_records_for_run(run.run_id).records]
        assert instance.all_instigator_state()[0].instigator_data.cursor == "token"  # type: ignore[union-attr]
        assert dg.DagsterEventType.RUN_SUCCESS in kinds or dg.DagsterEventType.RUN_FAILURE in kinds
    with pytest.raises(UsageError, match="there is no such document"):
        forget(archive.key)


def test_a_scan_that_would_come_back_is_asked_about(archive: Archive) -> None:
    archive.make([NAME])
    with pytest.raises(UsageError, match="still lies in the upload folder"):
        forget(archive.key)
    assert archive.store.document(archive.key).correction(1).exists()
    # Another one was refused for having the same bytes, and that reason names this document.
    states, register = DocumentStates(archive.store.root), UploadRegister(archive.store.root)
    own = states.of(archive.key)
    assert own is not None
    reason = f"it has the same bytes as {archive.key}, which is done"
    states.write(replace(own, key="copy.png", standing="refused", code="DuplicateDocument", reason=reason))
    register.write(
        [Upload("copy.png", "1", "1:2", "refused", 1.0, 1.0, "copy.png", code="DuplicateDocument", reason=reason)]
    )
    forget(archive.key, "--source")
    assert archive.naming() == []
    assert states.of("copy.png") is None
    assert [upload.path for upload in register.in_state("waiting")] == ["copy.png"]


def test_nothing_goes_without_a_yes(archive: Archive) -> None:
    archive.make([NAME])
    (archive.settings.uploads_dir / NAME).unlink()
    before = archive.naming()
    result = CliRunner().invoke(store_command, ["forget", archive.key], input="n\n")
    assert "people's corrections on 1 pages" in result.output
    assert "2 runs of its own" in result.output
    assert result.exit_code == 1
    assert archive.naming() == before


class Killed(BaseException):
    """What no code of ours catches."""


_STEPS: list[tuple[Any, str]] = [
    (forgetting, "begin"),
    (history, "remove_run"),
    (history, "_forget_events"),
    (history, "_forget_in_assets"),
    (history, "_forget_in_runs"),
    (history, "_forget_in_ticks"),
    (command, "forget_document"),
    (forgetting, "forget_source"),
    (forgetting.shutil, "rmtree"),
    (DocumentStates, "forget"),
    (UploadRegister, "forget"),
    (FixityBook, "forget"),
    (command, "compact"),
    (forgetting, "end"),
]


def test_what_a_kill_at_any_step_leaves_the_same_command_takes_away(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.make(["amsel 1.png", NAME])
    (archive.settings.uploads_dir / NAME).unlink()

    def dies(original: Callable[..., Any]) -> Callable[..., Any]:
        def work(*arguments: Any, **options: Any) -> Any:
            original(*arguments, **options)
            raise Killed

        return work

    for place, name in _STEPS[:-1]:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, dies(getattr(place, name)))
            try:
                forget(archive.key)
            except Killed:
                assert forgetting.unfinished(archive.store) == [archive.key]
            else:
                # Runs, for one, are gone since an earlier kill.
                raise AssertionError(name)
    forget(archive.key)
    assert forgetting.unfinished(archive.store) == []
    assert archive.naming() == []
    assert archive.done("amsel 1.png")


def test_a_document_that_a_run_waits_for_is_not_forgotten(archive: Archive) -> None:
    archive.make([NAME])
    (archive.settings.uploads_dir / NAME).unlink()
    with open_instance(archive.settings.dagster_home) as instance:
        job = build(archive.settings).resolve_job_def("documents_job")
        tags = {"dagster/asset_partition_range_start": archive.key, "dagster/asset_partition_range_end": archive.key}
        run = instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.STARTED)
        with pytest.raises(DocumentBusy, match=run.run_id):
            forget(archive.key)
        instance.report_run_canceled(run)
        archive.backfill(instance, "under way", BulkActionStatus.REQUESTED)
        with pytest.raises(DocumentBusy, match="under way"):
            forget(archive.key)
    assert archive.store.document(archive.key).correction(1).exists()
    assert forgetting.unfinished(archive.store) == []
