"""An installation in containers, as the tests use it."""

import json
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVICES = ("postgres", "gate-launch", "gate-stop", "documents", "models", "webserver", "results", "daemon")
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

_SHOWN = """query($k: AssetKeyInput!, $p: [String!]) { assetOrError(assetKey: $k) { ... on Asset {
  assetMaterializations(partitions: $p, limit: 1) { metadataEntries { ...M } }
  assetObservations(partitions: $p, limit: 1000) { metadataEntries { ...M } } } } }
  fragment M on MetadataEntry { label ... on IntMetadataEntry { intValue } ... on FloatMetadataEntry { floatValue }
    ... on BoolMetadataEntry { boolValue } ... on TextMetadataEntry { text } ... on MarkdownMetadataEntry { mdStr }
    ... on TableMetadataEntry { table { records } } }"""
_LAUNCH = """mutation($e: ExecutionParams!) { launchRun(executionParams: $e) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } } }"""
_RELOAD = """mutation($l: String!) { reloadRepositoryLocation(repositoryLocationName: $l) { __typename
  ... on PythonError { message } } }"""
_AUTOMATIC = """query($r: RepositorySelector!) {
  sensorsOrError(repositorySelector: $r, sensorStatus: RUNNING) { ... on Sensors { results { sensorState { id } } } }
  schedulesOrError(repositorySelector: $r, scheduleStatus: RUNNING) {
    ... on Schedules { results { scheduleState { id } } } } }"""
_STOP_SENSOR = "mutation($i: String!) { stopSensor(id: $i) { __typename } }"
_STOP_SCHEDULE = "mutation($i: String!) { stopRunningSchedule(id: $i) { __typename } }"
_RUN = "query($r: ID!) { runOrError(runId: $r) { ... on Run { status tags { key value } } } }"
_RUNS = "query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { runId jobName } } } }"
_EVENTS = """query($r: ID!) { logsForRun(runId: $r) { ... on EventConnection { events { __typename
  ... on MessageEvent { message } ... on EngineEvent { error { message } }
  ... on ExecutionStepFailureEvent { error { message } } ... on RunFailureEvent { error { message } } } } } }"""


def docker(*arguments: str, given: str | None = None, check: bool = True, timeout: float = 600) -> str:
    """Output of a docker command."""
    done = subprocess.run(
        ["docker", *arguments], input=given, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert not check or done.returncode == 0, f"docker {' '.join(arguments)}: {done.stderr}{done.stdout}"
    return (done.stdout + ("" if check else done.stderr)).strip()


@dataclass(frozen=True)
class Stack:
    """One installation."""

    project: str
    port: int
    uploads: Path
    image: str
    quiet_seconds: int = 3600

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ARCHIVE_PROJECT": self.project,
            "ARCHIVE_PORT": str(self.port),
            "ARCHIVE_RESULTS_PORT": str(self.port + 100),
            "ARCHIVE_UPLOADS": str(self.uploads),
            "ARCHIVE_GROUND_TRUTH": str(self.ground_truth),
            "ARCHIVE_IMAGE": self.image,
            "ARCHIVE_RUN_MEMORY": "3g",
            # Tests start runs themselves, but for those of what starts by itself.
            "ARCHIVE_QUIET_SECONDS": str(self.quiet_seconds),
        }

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Compose with the values of production, but for name, port and uploads."""
        done = subprocess.run(
            [str(ROOT / "docker" / "compose.sh"), "production", *arguments],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert not check or done.returncode == 0, f"compose {' '.join(arguments)}: {done.stderr}{done.stdout}"
        return (done.stdout + ("" if check else done.stderr)).strip()

    @property
    def ground_truth(self) -> Path:
        """The folder that ground truth is dropped into; made by :meth:`up`."""
        return self.uploads.with_name(f"{self.uploads.name}-ground-truth")

    def up(self, *, automatic: bool = False) -> None:
        """Start it; what would start runs by itself is switched off, unless a test is about that."""
        self.ground_truth.mkdir(exist_ok=True)
        self.ground_truth.chmod(0o755)
        self.compose("up", "-d", "--wait")
        if automatic:
            return
        for location in ("documents", "models"):
            where = {"repositoryName": "__repository__", "repositoryLocationName": location}
            found = self.ask(_AUTOMATIC, r=where)
            for sensor in found["sensorsOrError"]["results"]:
                self.ask(_STOP_SENSOR, i=sensor["sensorState"]["id"])
            for schedule in found["schedulesOrError"]["results"]:
                self.ask(_STOP_SCHEDULE, i=schedule["scheduleState"]["id"])

    def down(self, *more: str) -> None:
        for container in self.run_containers():
            docker("rm", "-f", container)
        self.compose("down", "--remove-orphans", *more)
        if "--volumes" in more:
            shutil.rmtree(self.ground_truth, ignore_errors=True)

    def container(self, service: str) -> str:
        return self.compose("ps", "-q", "--no-trunc", service)

    def run_containers(self, run_id: str | None = None, *, all_states: bool = True) -> list[str]:
        chosen = ["--filter", f"label=archive.project={self.project}", "--filter", "label=archive.role=run"]
        if run_id is not None:
            chosen += ["--filter", f"label=dagster/run_id={run_id}"]
        return docker("ps", "-q", "--no-trunc", *(["-a"] if all_states else []), *chosen).split()

    def running(self, run_id: str) -> bool:
        return bool(self.run_containers(run_id, all_states=False))

    def upload(self, path: Path) -> str:
        """Put a file into the upload folder and register it; its key."""
        target = self.uploads / path.name
        shutil.copyfile(path, target)
        target.chmod(0o644)
        return self.compose("exec", "-T", "documents", "archive-pipeline", "register", f"/data/uploads/{path.name}")

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        assert not said.get("errors"), said["errors"]
        return said["data"]

    def reload(self, location: str) -> None:
        """Have a code location look at what it describes again, as the button in the UI does."""
        loaded = self.ask(_RELOAD, l=location)["reloadRepositoryLocation"]
        assert loaded["__typename"] == "WorkspaceLocationEntry", loaded

    def materialise(self, location: str, *key: str) -> str:
        """Ask Dagster for a run that materialises one asset; its id."""
        return self._launch(location, {"jobName": "__ASSET_JOB", "assetSelection": [{"path": list(key)}]}, {})

    def launch(self, location: str, partition: str | None = None, **tags: str) -> str:
        """Ask Dagster for a run of a location's job; its id.

        It is not started again by itself after a crash, unless its tags say so: it would hold the queue up.
        """
        if partition:
            tags["dagster/partition"] = partition
        return self._launch(location, {"jobName": f"{location}_job"}, {"dagster/max_retries": "0"} | tags)

    def learn(self, hand: str, **config: object) -> str:
        """Ask Dagster for the training of a hand, as the launchpad says; the run's id."""
        tags = {"dagster/max_retries": "0", "dagster/partition": hand}
        return self._launch("models", {"jobName": "learning_job"}, tags, {"ops": {"learning": {"config": config}}})

    def _launch(
        self, location: str, job: dict[str, Any], tags: dict[str, str], config: dict[str, Any] | None = None
    ) -> str:
        parameters = {
            "selector": {"repositoryName": "__repository__", "repositoryLocationName": location} | job,
            "mode": "default",
            "runConfigData": config or {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        launched = self.ask(_LAUNCH, e=parameters)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return str(launched["run"]["runId"])

    def shown(self, asset: str, partition: str | None = None) -> dict[str, Any]:
        """The metadata of an asset's newest materialization, by label; empty if there is none."""
        found = self._of_asset(asset, partition)["assetMaterializations"]
        return found[0] if found else {}

    def observed(self, asset: str, partition: str) -> list[dict[str, Any]]:
        """The metadata of all observations of a partition, the newest first."""
        return self._of_asset(asset, partition)["assetObservations"]

    def _of_asset(self, asset: str, partition: str | None) -> dict[str, list[dict[str, Any]]]:
        partitions = [partition] if partition else None
        found = self.ask(_SHOWN, k={"path": [asset]}, p=partitions)["assetOrError"]
        return {
            kind: [
                {
                    entry["label"]: next((value for name, value in entry.items() if name != "label"), None)
                    for entry in event["metadataEntries"]
                }
                for event in found.get(kind) or []
            ]
            for kind in ("assetMaterializations", "assetObservations")
        }

    def until(self, what: Callable[[], object], seconds: float = 420) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < end, self.compose("logs", "--tail", "40", "models", "daemon")
            time.sleep(1)

    def status(self, run_id: str) -> str:
        return str(self.ask(_RUN, r=run_id)["runOrError"]["status"])

    def started_again(self, run_id: str) -> str | None:
        """The run that Dagster started by itself in place of one."""
        runs = self.ask(_RUNS, f={"tags": [{"key": "dagster/parent_run_id", "value": run_id}]})["runsOrError"][
            "results"
        ]
        return runs[0]["runId"] if runs else None

    def under_way(self) -> list[str]:
        """The jobs whose runs are started and not ended, one for each run."""
        runs = self.ask(_RUNS, f={"statuses": ["STARTING", "STARTED", "CANCELING"]})["runsOrError"]["results"]
        return sorted(run["jobName"] for run in runs)

    def tags(self, run_id: str) -> dict[str, str]:
        return {tag["key"]: tag["value"] for tag in self.ask(_RUN, r=run_id)["runOrError"]["tags"]}

    def wait(self, run_id: str, seconds: float = 300) -> str:
        """The status in which a run ended."""
        end = time.monotonic() + seconds
        while (status := self.status(run_id)) not in ENDED:
            assert time.monotonic() < end, f"the run is still {status}: {self.messages(run_id)}"
            time.sleep(0.5)
        return status

    def messages(self, run_id: str) -> str:
        """All that the UI shows as the events of a run."""
        events = self.ask(_EVENTS, r=run_id)["logsForRun"]["events"]
        lines = []
        for event in events:
            error = event.get("error") or {}
            lines.append(f"{event['__typename']}: {event.get('message') or ''} {error.get('message') or ''}")
        return "\n".join(lines)

    def started(self, location: str, partition: str | None = None, **tags: str) -> tuple[str, str]:
        """A run that Dagster knows to be under way, and its container.

        Of one that has not reported yet Dagster waits a minute and a half before it looks at its container.
        """
        run = self.launch(location, partition, **tags)
        container = self.wait_for_container(run)
        end = time.monotonic() + 120
        while (status := self.status(run)) != "STARTED":
            assert status in ("STARTING", "QUEUED", "NOT_STARTED"), self.messages(run)
            assert time.monotonic() < end, self.messages(run)
            time.sleep(0.2)
        return run, container

    def wait_for_container(self, run_id: str, seconds: float = 120) -> str:
        """The container of a run, as soon as it runs."""
        end = time.monotonic() + seconds
        while not (found := self.run_containers(run_id, all_states=False)):
            assert time.monotonic() < end, f"no container: {self.messages(run_id)}"
            time.sleep(0.1)
        return found[0]
