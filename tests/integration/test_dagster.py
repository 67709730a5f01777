"""Dagster's side: one step for many documents, right states, freshness, and a snapshot of all definitions."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver
from dagster._core.loader import LoadingContextForTest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value as status_of
from PIL import Image, ImageDraw

from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import Settings, read_settings
from archive_pipeline.store import Store
from assets.documents import report_source
from assets.partitions import DOCUMENTS
from resources.archive import ArchiveResource

STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]


class Archive:
    """An archive with Dagster in this process."""

    def __init__(self, folder: Path, instance: dg.DagsterInstance, settings: Settings) -> None:
        self.folder, self.instance, self.settings = folder, instance, settings
        self.definitions = build(settings)
        self.store = Store(settings.store_dir)

    def upload(self, name: str, text: str | None) -> DocumentKey:
        """A small scan with one line of text; None for a file that is none."""
        path = self.settings.uploads_dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.write_bytes(b"this is no image\n" * 10)
        else:
            image = Image.new("L", (700, 160), "white")
            ImageDraw.Draw(image).text((40, 50), text, font=font(40), fill=0)
            image.save(path)
        key = self.store.register(path, self.settings.uploads_dir)
        self.instance.add_dynamic_partitions(str(DOCUMENTS.name), [key])
        report_source(self.instance, ArchiveResource.from_settings(self.settings), key)
        return key

    def run(self, first: str, last: str, selection: list[str] | None = None) -> dg.ExecuteInProcessResult:
        job = self.definitions.resolve_job_def("documents_job")
        return job.execute_in_process(
            instance=self.instance,
            asset_selection=[dg.AssetKey(name) for name in selection] if selection else None,
            tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
            raise_on_error=False,
        )

    def states(self, asset: str) -> tuple[set[str], set[str]]:
        """Keys that are materialised, and keys that failed."""
        status = status_of(self.instance, dg.AssetKey(asset), DOCUMENTS)
        assert status is not None
        done = status.deserialize_materialized_partition_subsets(DOCUMENTS).get_partition_keys()
        failed = status.deserialize_failed_partition_subsets(DOCUMENTS).get_partition_keys()
        return set(done), set(failed)

    def staleness(self, key: str) -> list[str]:
        graph = self.definitions.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(self.instance, graph, LoadingContextForTest(self.instance))
        return [resolver.get_status(dg.AssetKey(asset), key).value for asset in STAGES]

    def materializations(self, asset: str, key: str) -> list[dg.AssetMaterialization]:
        wanted = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key])
        records = self.instance.fetch_materializations(wanted, limit=100).records
        return [record.asset_materialization for record in records if record.asset_materialization]


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    monkeypatch.setenv("ARCHIVE_HOME", str(tmp_path / "archive"))
    (tmp_path / "instance").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "instance")) as instance:
        yield Archive(tmp_path, instance, read_settings())


def test_three_bad_documents_of_twenty_hurt_only_themselves(archive: Archive) -> None:
    bad = {3, 11, 19}
    keys = [archive.upload(f"doc{n:02d}.png", None if n in bad else f"document {n}") for n in range(20)]
    result = archive.run(keys[0], keys[-1])
    expected_bad = {keys[n] for n in bad}
    assert not result.success
    for asset in STAGES:
        assert archive.states(asset) == (set(keys) - expected_bad, expected_bad)
    failures = [event for event in result.all_events if event.is_step_failure]
    assert len(failures) == 1
    described = failures[0].step_failure_data.error
    assert described is not None
    assert "3 of 20 documents failed: doc03.png, doc11.png, doc19.png" in str(described)


def test_a_document_is_fresh_after_its_run_stale_after_a_change_and_fresh_again(archive: Archive) -> None:
    key = archive.upload("letter.png", "first version")
    assert archive.run(key, key).success
    assert archive.staleness(key) == ["FRESH"] * 4
    os.utime(archive.settings.uploads_dir / "letter.png", (1, 1))
    archive.upload("letter.png", "second version")
    assert "STALE" in archive.staleness(key)
    assert archive.run(key, key).success
    assert archive.staleness(key) == ["FRESH"] * 4
    text = (archive.store.document(key).exports / "document.txt").read_text("utf-8")
    assert "second version" in text


def test_a_changed_archive_yaml_makes_a_document_stale_and_a_run_does_only_what_it_asks_for(archive: Archive) -> None:
    key = archive.upload("letter.png", "settings")
    other = archive.upload("box/other.png", "other")
    uploads, folder = archive.settings.uploads_dir, archive.store.document(key)
    assert archive.run(key, key).success
    read = folder.transcription(1).stat().st_mtime_ns
    (uploads / "archive.yaml").write_text("language: deu\n")
    report_source(archive.instance, ArchiveResource.from_settings(archive.settings), key)
    assert "STALE" in archive.staleness(key)
    assert archive.run(key, key).success
    assert archive.staleness(key) == ["FRESH"] * 4
    assert folder.transcription(1).stat().st_mtime_ns == read
    assert 'lang="de"' in (folder.exports / "hocr" / "0001.hocr").read_text("utf-8")
    told = str(archive.materializations("document_exports", key)[0].metadata["read with"].value)
    assert "- language de (archive.yaml)".replace("(", "\\(").replace(")", "\\)") in told
    # One that cannot be obeyed refuses the documents that it is for, and no other.
    (uploads / "box" / "archive.yaml").write_text("language: de\nmodel: none\n")
    result = archive.run(key, other)
    assert "box/archive.yaml, line 2: there is no recognition model" in str(result.all_events)
    assert archive.states("document_exports") == ({key}, {other})


@pytest.mark.parametrize("asset", STAGES)
def test_each_asset_can_be_materialised_alone(archive: Archive, asset: str) -> None:
    key = archive.upload("letter.png", "alone")
    assert archive.run(key, key, [asset]).success
    for name in STAGES:
        assert len(archive.materializations(name, key)) == (name == asset)


def test_exports_have_text_even_if_only_images_are_asked_for_beside_them(archive: Archive) -> None:
    key = archive.upload("letter.png", "not forgotten")
    assert archive.run(key, key, ["page_images", "document_exports"]).success
    assert "not forgotten" in (archive.store.document(key).exports / "document.txt").read_text("utf-8")


def test_an_archivist_sees_pages_lines_confidence_a_picture_and_what_needs_an_eye(archive: Archive) -> None:
    key = archive.upload("letter.png", "A line of text")
    result = archive.run(key, key)
    (event,) = archive.materializations("page_transcriptions", key)
    metadata = event.metadata
    assert metadata["pages"].value == 1
    assert metadata["lines"].value == 1
    assert 0.8 < float(str(metadata["mean confidence"].value)) <= 1
    assert str(metadata["preview"].value).startswith("![page with its lines](data:image/jpeg;base64,")
    assert metadata["pages that need an eye"].value == "none"
    (exports,) = archive.materializations("document_exports", key)
    assert exports.metadata["exports"].value == str(archive.store.document(key).exports)
    assert result.success
    events = [record.event_log_entry for record in archive.instance.get_records_for_run(result.run_id).records]
    about = [
        e for e in events if e.dagster_event is None or e.dagster_event.event_type_value == "ASSET_MATERIALIZATION"
    ]
    assert 4 <= len(about) <= 10


def test_a_run_with_other_options_takes_them_from_its_config(archive: Archive) -> None:
    key = archive.upload("letter.png", "options")
    job = archive.definitions.resolve_job_def("documents_job")
    result = job.execute_in_process(
        instance=archive.instance,
        partition_key=key,
        run_config={"ops": {"documents": {"config": {"recognition_model": "no-such-model"}}}},
        raise_on_error=False,
    )
    assert not result.success
    assert "there is no recognition model 'no-such-model'" in str(result.all_events)


def test_hostile_names_stay_inert_in_the_ui(archive: Archive) -> None:
    key = archive.upload("![x](javascript:alert(1))<img src=x>.png", "hostile")
    assert archive.run(key, key).success
    for asset in STAGES:
        for event in archive.materializations(asset, key):
            for name, value in event.metadata.items():
                if isinstance(value, dg.MarkdownMetadataValue) and name != "preview":
                    assert "![x]" not in str(value.value)
                    assert "<img" not in str(value.value)


def _specs(definitions: dg.Definitions) -> dict[str, Any]:
    repository = definitions.get_repository_def()
    return {
        "assets": {
            spec.key.to_user_string(): {
                "deps": sorted(dep.asset_key.to_user_string() for dep in spec.deps),
                "group": spec.group_name,
                "code_version": spec.code_version,
                "partitions": getattr(spec.partitions_def, "name", None),
                "description": spec.description,
            }
            for spec in sorted(definitions.resolve_all_asset_specs(), key=lambda s: s.key.to_user_string())
        },
        "jobs": sorted(job.name for job in repository.get_all_jobs()),
        "schedules": sorted(schedule.name for schedule in repository.schedule_defs),
        "sensors": sorted(sensor.name for sensor in repository.sensor_defs),
    }


def test_the_definitions_are_those_of_the_snapshot(archive: Archive) -> None:
    """After a change on purpose, copy the JSON that the failure prints into ``definitions.json``."""
    snapshot = json.loads((Path(__file__).parent / "definitions.json").read_text("utf-8"))
    found = _specs(archive.definitions)
    assert found == snapshot, json.dumps(found, indent=1)


@pytest.mark.parametrize("describes", ["archive_pipeline.definitions", "archive_pipeline.models_definitions"])
def test_what_describes_the_assets_loads_no_engine_and_nothing_that_trains(describes: str) -> None:
    """Every code location, run and command loads it, and these take ten seconds and half a gigabyte."""
    heavy = ("torch", "kraken", "lightning", "onnxruntime")
    code = f"import sys, {describes}; print(sorted(sys.modules.keys() & set({heavy})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
