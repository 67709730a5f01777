"""The folder for ground truth and its sensors, with Dagster in this process."""

import io
import zipfile

import dagster as dg
from PIL import Image, ImageDraw

from archive_pipeline.automation import ground_truth_sensor
from archive_pipeline.models_definitions import build
from archive_pipeline.settings import read_settings
from archive_pipeline.training_sets.inbox import inbox_register
from archive_pipeline.training_sets.stored import truths_in
from assets.partitions import HANDS
from resources.training import TrainingResource


def line_image(number: int) -> bytes:
    image = Image.new("L", (300, 60), 255)
    ImageDraw.Draw(image).line((10 + number, 30, 280, 30 + number % 20), fill=0, width=3)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def files_of(*texts: str, hand: str = "writer: Jean Dupont\nlanguage: fr\nlicence: CC-BY-4.0\n") -> dict[str, bytes]:
    files = {"hand.yaml": hand.encode()}
    for number, text in enumerate(texts, 1):
        files[f"p{number}-1.png"] = line_image(number)
        files[f"p{number}-1.gt.txt"] = text.encode()
    return files


class Inbox:
    """The sensors as the daemon evaluates them, with the runs done in this process."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.settings = instance, read_settings()
        self.folder = self.settings.ground_truth_dir
        self.folder.mkdir(parents=True)
        self.truths = truths_in(self.settings.training_dir)
        self.register = inbox_register(self.settings.training_dir)
        self.definitions = build(self.settings)
        self.cursor: str | None = None
        self.keys_seen: set[str] = set()

    def drop(self, name: str, files: dict[str, bytes]) -> None:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
        for file, data in files.items():
            (folder / file).write_bytes(data)

    def drop_zip(self, name: str, files: dict[str, bytes]) -> None:
        with zipfile.ZipFile(self.folder / name, "w") as archive:
            for file, data in files.items():
                archive.writestr(file, data)

    def tick(self, sensor: dg.SensorDefinition = ground_truth_sensor) -> list[str]:
        """The sets of which runs are asked for and were not asked for before."""
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self.cursor,
            resources={"training": TrainingResource.from_settings(self.settings)},
            definitions=self.definitions,
        ) as context:
            data = sensor.evaluate_tick(context)
        for request in data.dynamic_partitions_requests:
            self.instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
        for event in data.asset_events:
            self.instance.report_runless_asset_event(event)
        if sensor is ground_truth_sensor:
            self.cursor = data.cursor
        fresh = [request for request in data.run_requests or [] if request.run_key not in self.keys_seen]
        self.keys_seen |= {str(request.run_key) for request in fresh}
        return [request.tags["dagster/partition"] for request in fresh]

    def run(
        self,
        name: str,
        job: str = "ground_truth_job",
        step: str = "ground_truth_set",
        only: dg.AssetKey | None = None,
        **config: object,
    ) -> dg.ExecuteInProcessResult:
        """One run for a partition; the configuration is that of its step."""
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=name,
            run_config={"ops": {step: {"config": config}}} if config else {},
            asset_selection=[only] if only else None,
            raise_on_error=False,
        )

    def learn(self, hand: str, only: dg.AssetKey | None = None, **config: object) -> dg.ExecuteInProcessResult:
        return self.run(hand, "learning_job", "learning", only, **config)

    def shown(self, key: dg.AssetKey, partition: str | None = None) -> dict[str, object]:
        wanted = dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition] if partition else None)
        (record,) = self.instance.fetch_materializations(wanted, limit=1).records
        assert record.asset_materialization is not None
        metadata = record.asset_materialization.metadata
        return {
            name: value if isinstance(value, dg.TableMetadataValue) else value.value for name, value in metadata.items()
        }

    def refused(self) -> dict[str, str]:
        return {each.path: each.reason for each in self.register.in_state("refused")}

    def hands(self) -> list[str]:
        return list(self.instance.get_dynamic_partitions(str(HANDS.name)))


def why(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    return str(failure.step_failure_data.error)
