"""The upload sensor with Dagster in this process: from a dropped file to a run, and to a reason if it is refused."""

import functools
import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from PIL import Image, ImageDraw

from archive_pipeline.automation import upload_sensor
from archive_pipeline.automation.uploads import LOOK_TAG
from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.settings import read_settings
from archive_pipeline.uploads.register import UploadRegister
from archive_pipeline.uploads.watch import Rules
from assets.partitions import DOCUMENTS
from assets.ranges import RANGE_END, RANGE_START
from assets.uploads import UPLOADS
from assets.versions import observed_version
from resources.archive import ArchiveResource


class Sensor:
    """The sensor as the daemon evaluates it, with its runs done in this process."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.settings = instance, read_settings()
        self.uploads = self.settings.uploads_dir
        self.uploads.mkdir(parents=True)
        self.register = UploadRegister(self.settings.store_dir)
        self.definitions = build(self.settings)
        self.cursor: str | None = None
        self.keys_seen: set[str] = set()

    def drop(self, name: str, text: str | None = "a line of text") -> None:
        path = self.uploads / name
        if text is None:
            path.write_bytes(b"this is no image\n" * 10)
        else:
            image = Image.new("L", (700, 160), "white")
            ImageDraw.Draw(image).text((40, 50), f"{text} of {name}", font=font(40), fill=0)
            image.save(path)

    def tick(self) -> list[tuple[str, str]]:
        """Ranges of the runs that are asked for and were not asked for before."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources={"archive": ArchiveResource.from_settings(self.settings)},
            definitions=self.definitions,
        ) as context:
            data = upload_sensor.evaluate_tick(context)
        for request in data.dynamic_partitions_requests:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        for event in data.asset_events:
            self.instance.report_runless_asset_event(event)
        self.cursor = data.cursor
        fresh = [request for request in data.run_requests or [] if request.run_key not in self.keys_seen]
        self.keys_seen |= {str(request.run_key) for request in fresh}
        return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in fresh]

    def ticks(self) -> list[tuple[str, str]]:
        """What ticks ask for until there is nothing more; one takes no more than it has time for."""
        asked: list[tuple[str, str]] = []
        while more := self.tick():
            asked += more
        return asked

    def run(self, first: str, last: str) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def("documents_job").execute_in_process(
            instance=self.instance, tags={RANGE_START: first, RANGE_END: last}, raise_on_error=False
        )

    def shown(self) -> dict[str, object]:
        event = self.instance.get_latest_materialization_event(UPLOADS)
        assert event is not None
        assert event.asset_materialization is not None
        return {
            name: value if isinstance(value, dg.TableMetadataValue) else value.value
            for name, value in event.asset_materialization.metadata.items()
        }


@pytest.fixture
def sensor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sensor]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    monkeypatch.setenv("ARCHIVE_QUIET_SECONDS", "0")
    monkeypatch.setenv("ARCHIVE_BATCH", "2")
    # A look takes all that is there, however slow the machine is.
    monkeypatch.setattr("resources.archive.Rules", functools.partial(Rules, seconds=60))
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        yield Sensor(instance)


def test_uploads_become_runs_of_neighbours_and_nothing_is_asked_for_twice(sensor: Sensor) -> None:
    for name in ("a.png", "b.png", "c.png"):
        sensor.drop(name)
    assert sensor.ticks() == [("a.png", "b.png"), ("c.png", "c.png")]
    assert sensor.instance.get_dynamic_partitions(str(DOCUMENTS.name)) == ["a.png", "b.png", "c.png"]
    assert sensor.tick() == []
    assert sensor.run("a.png", "b.png").success
    assert (sensor.settings.store_dir / "documents" / "b.png" / "exports" / "document.pdf").exists()


def test_replaced_documents_are_asked_for_again_in_the_order_of_their_registration(sensor: Sensor) -> None:
    for name in ("a.png", "b.png", "c.png", "d.png"):
        sensor.drop(name)
    sensor.ticks()
    for name in ("a.png", "b.png", "d.png"):
        sensor.drop(name, "quite another text")
    assert sensor.ticks() == [("a.png", "b.png"), ("d.png", "d.png")]


def test_an_older_version_that_is_restored_is_asked_for_though_it_was_asked_for_before(sensor: Sensor) -> None:
    sensor.drop("a.png")
    path, older = sensor.uploads / "a.png", sensor.settings.home / "older.png"
    shutil.copy2(path, older)
    assert sensor.tick() == [("a.png", "a.png")]
    sensor.drop("a.png", "quite another text")
    assert sensor.tick() == [("a.png", "a.png")]
    shutil.copy2(older, path)
    assert sensor.tick() == [("a.png", "a.png")]
    assert sensor.tick() == []


@pytest.mark.parametrize(
    ("status", "state"),
    [(dg.DagsterRunStatus.QUEUED, "taken"), (dg.DagsterRunStatus.NOT_STARTED, "asked")],
    ids=["launched", "made-only"],
)
def test_a_run_that_was_launched_before_the_tick_was_lost_is_not_asked_for_among_others(
    sensor: Sensor, status: dg.DagsterRunStatus, state: str
) -> None:
    sensor.drop("a.png")
    assert sensor.ticks() == [("a.png", "a.png")]
    sensor.drop("b.png")
    sensor.drop("c.png")
    sensor.tick()
    sensor.instance.create_run_for_job(
        sensor.definitions.resolve_job_def("documents_job"),
        status=status,
        tags={RANGE_START: "b.png", RANGE_END: "c.png", LOOK_TAG: str(sensor.cursor)},
        remote_job_origin=RemoteJobOrigin(
            RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("documents"), "__repository__"), "documents_job"
        ),
    )
    sensor.drop("d.png")
    sensor.cursor = "of an earlier tick"
    # Under the key that it had: Dagster then starts what was only made.
    assert sensor.tick() == [("d.png", "d.png")]
    assert {sensor.register.all()[name].state for name in ("b.png", "c.png")} == {state}


def test_what_a_tick_takes_is_observed_even_if_nobody_hears_of_the_tick(sensor: Sensor) -> None:
    sensor.drop("a.png")
    asked = sensor.tick()
    sensor.cursor = "of an earlier tick"
    # The same run again: Dagster knows it by its key and launches no other.
    assert sensor.tick() == []
    assert asked == [("a.png", "a.png")]
    assert observed_version(sensor.instance, "a.png") is not None


def test_a_refused_document_is_shown_with_its_reason_until_it_is_mended(sensor: Sensor) -> None:
    sensor.drop("bad.png", None)
    sensor.drop("good.png")
    (sensor.uploads / "notes.docx").write_bytes(b"x")
    (both,) = sensor.tick()
    assert not sensor.run(*both).success
    shown = sensor.shown()
    assert (shown["documents"], shown["refused"]) == (1, 2)
    table = shown["refused uploads"]
    assert isinstance(table, dg.TableMetadataValue)
    rows = {row.data["upload"]: row.data for row in table.records}
    assert rows["bad.png"]["reason"] == "it looks like a text file"
    assert rows["bad.png"]["what to do"]
    assert rows["notes.docx"]["reason"] == "its name is that of no scan"
    sensor.drop("bad.png", "mended")
    (again,) = sensor.tick()
    assert again == ("bad.png", "bad.png")
    assert sensor.run(*again).success
    assert [upload.path for upload in sensor.register.in_state("refused")] == ["notes.docx"]
    assert (sensor.shown()["documents"], sensor.shown()["refused"]) == (2, 1)


def test_a_missing_upload_folder_is_said_and_nothing_is_forgotten(sensor: Sensor) -> None:
    sensor.drop("a.png")
    sensor.tick()
    sensor.uploads.rename(sensor.uploads.with_name("away"))
    with dg.build_sensor_context(
        instance=sensor.instance, resources={"archive": ArchiveResource.from_settings(sensor.settings)}
    ) as context:
        data = upload_sensor.evaluate_tick(context)
    assert data.skip_message is not None
    assert "The upload folder cannot be read" in data.skip_message
    assert len(sensor.register.in_state("asked")) == 1
