"""The nights with Dagster in this process: what is asked for, what a run passes over, and where it ends."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value as status_of
from dagster._utils.schedules import schedule_execution_time_iterator
from PIL import Image, ImageDraw

from archive_pipeline.automation import nights
from archive_pipeline.automation.busy import NIGHT, SECONDS
from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.errors import NoSpaceLeft
from archive_pipeline.keys import DocumentKey
from archive_pipeline.nights.begun import BegunDocuments
from archive_pipeline.nights.hours import Hours
from archive_pipeline.processing.processor import Processor
from archive_pipeline.settings import read_settings
from archive_pipeline.uploads.register import Upload, UploadRegister
from assets import turns
from assets.documents import report_source
from assets.partitions import DOCUMENTS
from assets.ranges import RANGE_END, RANGE_START
from resources.archive import ArchiveResource

STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]
HOURS = Hours.of("22:00", "06:00", "Europe/Paris")
assert HOURS is not None


def at(text: str) -> float:
    assert HOURS is not None
    return dt.datetime.fromisoformat(text).replace(tzinfo=HOURS.zone).timestamp()


EVENING = at("2026-11-26 22:00")


class Clock:
    """The time, as the schedule and the runs have it."""

    def __init__(self) -> None:
        self.now = EVENING

    def time(self) -> float:
        return self.now


class Nights:
    """An archive whose schedule is evaluated as the daemon does, with its runs done in this process."""

    def __init__(self, instance: dg.DagsterInstance, clock: Clock) -> None:
        self.instance, self.clock, self.settings = instance, clock, read_settings()
        self.archive = ArchiveResource.from_settings(self.settings)
        self.definitions = build(self.settings)
        self.repository = self.definitions.get_repository_def()
        self.begun: list[str] = []

    def upload(self, *names: str, text: str | None = None) -> None:
        """Small scans; ``no scan`` for files that are none."""
        for name in names:
            path = self.settings.uploads_dir / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text == "no scan":
                path.write_bytes(b"this is no image\n" * 10)
            else:
                image = Image.new("L", (500, 120), "white")
                ImageDraw.Draw(image).text((40, 40), f"{text or 'new'} {name}", font=font(40), fill=0)
                image.save(path)
            key = self.archive.store.register(path, self.settings.uploads_dir)
            self.instance.add_dynamic_partitions(str(DOCUMENTS.name), [key])
            report_source(self.instance, self.archive, key)

    def tick(self) -> tuple[Sequence[dg.RunRequest], str | None]:
        assert HOURS is not None
        with dg.build_schedule_context(
            instance=self.instance,
            resources={"archive": self.archive},
            repository_def=self.repository,
            scheduled_execution_time=dt.datetime.fromtimestamp(EVENING, dt.UTC),
        ) as context:
            data = nights.night_schedule(HOURS).evaluate_tick(context)
        return data.run_requests or [], data.skip_message

    def run(self, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
        return self.definitions.resolve_job_def("documents_job").execute_in_process(
            instance=self.instance,
            tags=dict(request.tags),
            run_config=dict(request.run_config or {}),
            raise_on_error=False,
        )

    def queue(self, status: dg.DagsterRunStatus, tags: dict[str, str], config: object = None) -> dg.DagsterRun:
        """A run that somebody else has asked for."""
        where = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("documents"), "__repository__")
        return self.instance.create_run_for_job(
            self.definitions.resolve_job_def("documents_job"),
            status=status,
            tags=tags,
            run_config=config,
            remote_job_origin=RemoteJobOrigin(where, "documents_job"),
        )

    def states(self, asset: str = "document_exports") -> tuple[set[str], set[str]]:
        """Keys that are materialised, and keys that failed."""
        status = status_of(self.instance, dg.AssetKey(asset), DOCUMENTS)
        assert status is not None
        done = status.deserialize_materialized_partition_subsets(DOCUMENTS).get_partition_keys()
        failed = status.deserialize_failed_partition_subsets(DOCUMENTS).get_partition_keys()
        return set(done), set(failed)

    def events(self, key: str, asset: str = "document_exports") -> list[dg.AssetMaterialization]:
        wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key])
        records = self.instance.fetch_materializations(wanted, limit=100).records
        return [record.asset_materialization for record in records if record.asset_materialization]


def only(request: dg.RunRequest) -> list[str]:
    config = request.run_config["ops"]["documents"]["config"]
    assert config["until"] == "2026-11-27T06:00:00+01:00"
    return list(config["only"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(nights, "time", clock)
    monkeypatch.setattr(turns, "time", clock)
    return clock


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Iterator[Nights]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        yield Nights(instance, clock)


def test_a_night_does_what_is_missing_or_changed_passes_over_the_rest_and_then_has_nothing_to_do(
    archive: Nights,
) -> None:
    archive.upload("a.png", "b.png", "c.png", "d.png")
    (first,), _ = archive.tick()
    assert only(first) == ["a.png", "b.png", "c.png", "d.png"]
    assert archive.run(first).success
    archive.upload("a.png", "c.png", text="changed")
    archive.upload("e.png")
    requests, _ = archive.tick()
    assert [only(request) for request in requests] == [["e.png"], ["a.png", "c.png"]]
    changed = requests[1]
    # Its range spans a gap.
    assert (changed.tags[RANGE_START], changed.tags[RANGE_END]) == ("a.png", "c.png")
    before = archive.archive.store.document(DocumentKey("b.png")).run_report.stat().st_mtime_ns
    assert all(archive.run(request).success for request in requests)
    assert archive.archive.store.document(DocumentKey("b.png")).run_report.stat().st_mtime_ns == before
    assert [len(archive.events(key)) for key in ("a.png", "b.png", "c.png", "d.png", "e.png")] == [2, 1, 2, 1, 1]
    assert archive.states() == ({"a.png", "b.png", "c.png", "d.png", "e.png"}, set())
    requests, said = archive.tick()
    assert not requests
    assert (
        said == "0 of 5 documents are worth a run; 0 are asked for now in 0 runs. The night ends at 2026-11-27 06:00."
    )


def test_a_persons_run_goes_first_and_the_runs_of_a_night_are_told_from_others(archive: Nights) -> None:
    archive.upload("a.png")
    (request,), _ = archive.tick()
    assert int(request.tags["dagster/priority"]) < 0
    assert request.tags[NIGHT] == "2026-11-26"
    assert float(request.tags[SECONDS]) > 0


def test_a_run_that_fails_leaves_the_documents_that_it_passed_over_as_they_stood(archive: Nights) -> None:
    archive.upload("a.png", "b.png", "c.png")
    (first,), _ = archive.tick()
    assert archive.run(first).success
    archive.upload("a.png", text="no scan")
    archive.upload("c.png", text="changed")
    (second,), _ = archive.tick()
    assert only(second) == ["a.png", "c.png"]
    result = archive.run(second)
    assert not result.success
    assert "1 of 2 documents failed: a.png" in str(result.all_events)
    for asset in STAGES:
        done, failed = archive.states(asset)
        assert failed == {"a.png"}
        assert {"b.png", "c.png"} <= done
    now, before = archive.events("b.png")
    assert now.metadata == before.metadata
    assert now.tags is not None
    assert before.tags is not None
    assert now.tags["dagster/data_version"] == before.tags["dagster/data_version"]
    # What was refused is not taken the next night, or ever, unless it changes.
    archive.clock.now = at("2026-11-27 22:00")
    assert archive.tick()[0] == []


def test_nothing_is_begun_after_the_end_and_the_next_night_goes_on(
    archive: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.upload("a.png", "b.png", "c.png")
    (request,), _ = archive.tick()

    def tired(self: BegunDocuments, key: str) -> None:
        archive.clock.now = at("2026-11-27 06:00")

    # After the first document it is morning.
    monkeypatch.setattr(BegunDocuments, "end", tired)
    result = archive.run(request)
    monkeypatch.undo()
    monkeypatch.setattr(nights, "time", archive.clock)
    monkeypatch.setattr(turns, "time", archive.clock)
    assert result.success
    assert archive.states() == ({"a.png"}, set())
    messages = [
        record.event_log_entry.user_message for record in archive.instance.get_records_for_run(result.run_id).records
    ]
    assert "The night has ended: 2 documents are left for the next one: b.png, c.png." in messages
    BegunDocuments(archive.archive.store.root).end("a.png")
    archive.clock.now = at("2026-11-27 22:00")
    (again,), _ = archive.tick()
    assert again.run_config["ops"]["documents"]["config"]["only"] == ["b.png", "c.png"]
    assert archive.run(again).success
    assert archive.states() == ({"a.png", "b.png", "c.png"}, set())


def test_a_run_whose_turn_comes_after_the_end_does_nothing_and_says_so(archive: Nights) -> None:
    archive.upload("a.png")
    (request,), _ = archive.tick()
    archive.clock.now = at("2026-11-27 06:10")
    result = archive.run(request)
    assert result.success
    assert archive.events("a.png") == []
    messages = [
        record.event_log_entry.user_message for record in archive.instance.get_records_for_run(result.run_id).records
    ]
    assert "The night has ended before this run could begin: 1 documents are left." in messages


def test_what_became_current_while_the_run_waited_is_not_done_again(archive: Nights) -> None:
    archive.upload("a.png", "b.png")
    (request,), _ = archive.tick()
    person = archive.definitions.resolve_job_def("documents_job")
    assert person.execute_in_process(instance=archive.instance, partition_key="a.png").success
    assert archive.run(request).success
    assert [len(archive.events(key)) for key in ("a.png", "b.png")] == [1, 1]


def test_a_document_that_another_run_is_writing_is_left_to_that_one(archive: Nights) -> None:
    archive.upload("a.png", "b.png")
    (request,), _ = archive.tick()
    with archive.archive.store.document(DocumentKey("a.png")).lock():
        assert archive.run(request).success
    assert archive.states() == ({"b.png"}, set())


def test_what_is_in_the_queue_or_under_way_is_not_asked_for_once_more(archive: Nights) -> None:
    archive.upload(*(f"{letter}.png" for letter in "abcdef"))
    archive.queue(dg.DagsterRunStatus.QUEUED, {"dagster/partition": "a.png"})
    archive.queue(dg.DagsterRunStatus.STARTED, {RANGE_START: "b.png", RANGE_END: "c.png"})
    archive.queue(dg.DagsterRunStatus.FAILURE, {"dagster/partition": "f.png"})
    UploadRegister(archive.archive.store.root).write([Upload("d.png", "v", "i", "asked", 0.0, 0.0, "d.png")])
    (request,), _ = archive.tick()
    assert only(request) == ["e.png", "f.png"]
    archive.queue(dg.DagsterRunStatus.QUEUED, dict(request.tags), request.run_config)
    requests, said = archive.tick()
    assert not requests
    assert said is not None
    assert "6 are under way or asked for" in said


def test_the_documents_of_a_backfill_that_has_not_ended_are_left_to_it(archive: Nights) -> None:
    archive.upload("a.png", "b.png", "c.png")
    graph = archive.repository.asset_graph
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="asked",
        asset_graph=graph,
        partition_names=["a.png", "c.png"],
        asset_selection=[dg.AssetKey(stage) for stage in STAGES],
        backfill_timestamp=EVENING,
        tags={},
        dynamic_partitions_store=archive.instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    archive.instance.add_backfill(backfill)
    (request,), _ = archive.tick()
    assert only(request) == ["b.png"]
    archive.instance.update_backfill(backfill.with_status(BulkActionStatus.CANCELED))
    (request,), _ = archive.tick()
    assert only(request) == ["a.png", "b.png", "c.png"]


def test_of_a_nights_run_that_is_under_way_only_its_own_documents_are_taken(archive: Nights) -> None:
    archive.upload("a.png", "b.png", "c.png")
    config = {"ops": {"documents": {"config": {"only": ["a.png", "c.png"]}}}}
    tags = {RANGE_START: "a.png", RANGE_END: "c.png", NIGHT: "2026-11-26", SECONDS: "10"}
    archive.queue(dg.DagsterRunStatus.STARTED, tags, config)
    (request,), _ = archive.tick()
    assert only(request) == ["b.png"]


@pytest.mark.parametrize("when", ["2026-11-27 06:00", "2026-11-27 22:00"], ids=["its-end", "the-next-night"])
def test_what_a_night_has_not_begun_is_taken_out_of_the_queue(archive: Nights, when: str) -> None:
    archive.upload("a.png")
    (request,), _ = archive.tick()
    late = archive.queue(dg.DagsterRunStatus.QUEUED, dict(request.tags), request.run_config)
    persons = archive.queue(dg.DagsterRunStatus.QUEUED, {"dagster/partition": "other.png"})
    archive.clock.now = at(when)
    archive.tick()
    for run, status in ((late, dg.DagsterRunStatus.CANCELED), (persons, dg.DagsterRunStatus.QUEUED)):
        found = archive.instance.get_run_by_id(run.run_id)
        assert found is not None
        assert found.status == status


@pytest.mark.parametrize(("now", "asked"), [("2026-11-27 03:00", True), ("2026-11-27 06:00", False)])
def test_a_look_that_comes_late_still_plans_until_the_end_and_not_after_it(
    archive: Nights, now: str, asked: bool
) -> None:
    archive.upload("a.png")
    archive.clock.now = at(now)
    requests, said = archive.tick()
    assert bool(requests) is asked
    assert asked or said == "The night has ended."


def test_a_document_that_fails_for_a_reason_that_may_pass_has_three_nights(archive: Nights) -> None:
    archive.upload("a.png")
    (request,), _ = archive.tick()
    assert archive.run(request).success
    done = archive.archive.states.of("a.png")
    assert done is not None
    nights_taken = []
    for night in range(5):
        archive.clock.now = EVENING + night * 86400.0
        state = archive.archive.states.of("a.png")
        assert state is not None
        taken = bool(archive.tick()[0]) if night else True
        nights_taken.append(taken)
        if taken:
            # As the run leaves it, an hour later.
            failed = replace(done, standing="failed", code="ChildError", tries=night + 1, when=archive.clock.now + 3600)
            archive.archive.states.write(failed)
            archive.clock.now += 7200
            assert archive.tick()[0] == []  # not again in this night
    assert nights_taken == [True, True, True, False, False]


def test_a_setting_that_names_no_model_is_said_instead_of_planning(
    archive: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.upload("a.png")
    monkeypatch.setenv("ARCHIVE_RECOGNITION_MODEL", "no-such-model")
    archive.archive = ArchiveResource.from_settings(read_settings())
    requests, said = archive.tick()
    assert not requests
    assert said is not None
    assert said.startswith("Nothing can be planned: there is no recognition model 'no-such-model'")


@pytest.mark.parametrize(
    ("until", "why"),
    [("tonight", "'tonight' is no time"), ("2026-11-27T06:00:00", "'2026-11-27T06:00:00' is no time")],
    ids=["word", "without-offset"],
)
def test_a_time_that_is_none_fails_the_run_before_anything_is_done(archive: Nights, until: str, why: str) -> None:
    archive.upload("a.png")
    result = archive.definitions.resolve_job_def("documents_job").execute_in_process(
        instance=archive.instance,
        partition_key="a.png",
        run_config={"ops": {"documents": {"config": {"until": until}}}},
        raise_on_error=False,
    )
    assert not result.success
    assert why in str(result.all_events)
    assert archive.events("a.png") == []


def test_what_was_begun_is_forgotten_when_it_has_ended_in_whichever_way(archive: Nights) -> None:
    archive.upload("a.png")
    archive.upload("bad.png", text="no scan")
    (request,), _ = archive.tick()
    archive.run(request)
    assert BegunDocuments(archive.archive.store.root).resting(0.0) == (set(), set())


def test_what_a_person_asked_for_and_a_full_disk_kept_from_being_done_has_failed(
    archive: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive.upload("a.png", "b.png")
    (first,), _ = archive.tick()
    assert archive.run(first).success
    archive.upload("a.png", "b.png", text="changed")

    def full(*_: object, **__: object) -> None:
        raise NoSpaceLeft("no space left to write the ledger")

    monkeypatch.setattr(Processor, "process", full)
    asked = dg.RunRequest(tags={RANGE_START: "a.png", RANGE_END: "b.png"})
    result = archive.run(asked)
    assert "1 of 2 documents failed: a.png" in str(result.all_events)
    assert archive.states()[1] == {"a.png", "b.png"}
    assert len(archive.events("b.png")) == 1, "nobody says that it was made"


@pytest.mark.parametrize("where", ["begin", "end"])
def test_a_night_whose_notes_cannot_be_written_fails_with_a_sentence(
    archive: Nights, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    archive.upload("a.png", "b.png")
    (request,), _ = archive.tick()

    def full(*_: object) -> None:
        raise NoSpaceLeft("no space left to write begun.sqlite")

    monkeypatch.setattr(BegunDocuments, where, full)
    result = archive.run(request)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    assert "1 of 2 documents failed: a.png" in str(failure)
    assert "no space left to write begun.sqlite. Free some space" in str(failure)
    assert len(archive.events("a.png")) == (where == "end")


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"], ids=["clock-put-forward", "clock-put-back"])
def test_dagster_looks_through_the_whole_night_when_the_clock_is_put_forward_or_back(day: str) -> None:
    assert HOURS is not None
    schedule = nights.night_schedule(HOURS)
    night = HOURS.night_at(at(f"{day} 22:00"))
    assert night is not None
    looks: list[float] = []
    for moment in schedule_execution_time_iterator(
        night.began, schedule.cron_schedule, schedule.execution_timezone, ascending=True
    ):
        looks.append(moment.timestamp())
        if looks[-1] >= night.ends:
            break
    assert looks[0] == night.began
    assert looks[-1] == night.ends
    assert max(after - before for before, after in pairwise(looks)) <= 5400


def test_there_is_no_schedule_where_there_are_no_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    def names() -> set[str]:
        return {schedule.name for schedule in build(read_settings()).get_repository_def().schedule_defs}

    before = names()
    assert "night_schedule" in before
    monkeypatch.setenv("ARCHIVE_NIGHT", "off")
    assert names() == before - {"night_schedule"}
