"""An archive on the embedded instance, with a document that is to be forgotten."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
from click.testing import CliRunner
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value as status_of
from PIL import Image, ImageDraw

from archive_pipeline.cli.instance import open_instance
from archive_pipeline.cli.store import store as store_command
from archive_pipeline.definitions import build
from archive_pipeline.demo.typing import font
from archive_pipeline.durable import write_json
from archive_pipeline.keeping.rounds import FixityBook, Rounds
from archive_pipeline.keys import DocumentKey
from archive_pipeline.settings import read_settings
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import Upload, UploadRegister
from assets.documents import report_source
from assets.partitions import DOCUMENTS
from resources.archive import ArchiveResource

NAME = "briefe/zebrafink an mutter.png"
WORD = "Zebrafink"
STAGES = ["page_images", "page_layouts", "page_transcriptions", "document_exports"]


class Archive:
    """An archive on the embedded instance, with documents that were run together and alone."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings = read_settings()
        self.store = Store(self.settings.store_dir)
        self.keys: dict[str, DocumentKey] = {}
        self.settings.uploads_dir.mkdir(parents=True)

    def make(self, names: list[str], *, readable: bool = True) -> None:
        with open_instance(self.settings.dagster_home) as instance:
            for name in names:
                self._upload(instance, name, readable=readable or name != NAME)
            definitions = build(self.settings)
            job = definitions.resolve_job_def("documents_job")
            keys = [self.keys[name] for name in names]
            for first, last in ((keys[0], keys[-1]), (self.key, self.key)):
                job.execute_in_process(
                    instance=instance,
                    tags={"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last},
                    raise_on_error=False,
                )
            # Whatever names documents in what it reports.
            told = dg.AssetMaterialization("uploads", metadata={"refused": f"- {self.key} ({NAME})"})
            instance.report_runless_asset_event(told)
            self._trace_elsewhere(instance)
        write_json(self.store.document(self.key).correction(1), {"r1l1": f"{WORD}, verbessert"})
        rows = [Upload(name, "1", "1:1", "taken", 1.0, 1.0, key=key) for name, key in self.keys.items()]
        UploadRegister(self.store.root).write(rows)
        list(FixityBook(self.store).verify(self.store.keys(), Rounds(), 1.0))

    def backfill(self, instance: dg.DagsterInstance, name: str, status: BulkActionStatus) -> None:
        instance.add_backfill(
            PartitionBackfill(
                backfill_id=name,
                status=status,
                from_failure=False,
                tags={},
                backfill_timestamp=1.0,
                partition_names=[self.key],
            )
        )

    def _trace_elsewhere(self, instance: dg.DagsterInstance) -> None:
        """A backfill that is finished, a tick, and what a sensor asked for last."""
        self.backfill(instance, "finished", BulkActionStatus.COMPLETED_SUCCESS)
        run_key = f"upload:{self.key}:0123"
        instance.create_tick(
            TickData("o", "upload_sensor", InstigatorType.SENSOR, TickStatus.SUCCESS, 1.0, [], [run_key])
        )
        origin = RemoteInstigatorOrigin(
            RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("documents"), "__repository__"), "upload_sensor"
        )
        data = SensorInstigatorData(last_run_key=run_key, cursor="token")
        instance.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, data))

    @property
    def key(self) -> DocumentKey:
        return self.keys[NAME]

    def _upload(self, instance: dg.DagsterInstance, name: str, *, readable: bool) -> None:
        path = self.settings.uploads_dir / name
        path.parent.mkdir(exist_ok=True)
        if readable:
            image = Image.new("L", (900, 160), "white")
            ImageDraw.Draw(image).text((40, 50), f"{WORD if name == NAME else name[:7]} singt", font=font(40), fill=0)
            image.save(path)
        else:
            path.write_bytes(b"this is no image\n" * 10)
        key = self.keys[name] = self.store.register(path, self.settings.uploads_dir)
        instance.add_dynamic_partitions(str(DOCUMENTS.name), [key])
        report_source(instance, ArchiveResource.from_settings(self.settings), key)

    def naming(self) -> list[str]:
        """Files that name the document or hold its text, and paths that do."""
        return [str(path) for path in sorted(self.home.rglob("*")) if self._names(path)]

    def _names(self, path: Path) -> bool:
        if "zebrafink" in str(path.relative_to(self.home)).lower():
            return True
        return path.is_file() and any(word in path.read_bytes() for word in (b"zebrafink", b"Zebrafink"))

    def done(self, name: str) -> bool:
        with open_instance(self.settings.dagster_home) as instance:
            key = self.keys[name]
            for stage in STAGES:
                status = status_of(instance, dg.AssetKey(stage), DOCUMENTS)
                assert status is not None
                if key not in status.deserialize_materialized_partition_subsets(DOCUMENTS).get_partition_keys():
                    return False
        return True


def forget(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(store_command, ["forget", *arguments, "--yes", "--json"], catch_exceptions=False)
    return dict(json.loads(result.stdout))
