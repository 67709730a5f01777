"""What Dagster says of a week, asked over its web interface: ticks, runs, what was made, slots; and nights."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from typing import Any

from archive_pipeline.errors import UsageError

ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
_LOCATION = "documents"
_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": _LOCATION}
_RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_MADE_FROM = "dagster/input_event_pointer/page_transcriptions"
_PAGE = 500

_TICKS = """query($s: InstigationSelector!, $before: Float) { instigationStateOrError(instigationSelector: $s) {
  ... on InstigationState { ticks(limit: 500, beforeTimestamp: $before) {
    status timestamp endTimestamp error { message } runIds } } } }"""
_RUNS = """query($limit: Int!, $cursor: String) { runsOrError(limit: $limit, cursor: $cursor) { ... on Runs { results {
  runId status parentRunId jobName startTime endTime tags { key value } } } } }"""
_MADE = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations { partition runId tags { key value } } } } }"""
_KEYS = """query($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionKeys } } }"""
_SLOTS = "{ instance { concurrencyLimits { concurrencyKey claimedSlots { runId } } } }"
_BACKFILLS = """{ partitionBackfillsOrError(limit: 1000) { ... on PartitionBackfills { results { id status } } } }"""
_SCHEDULES = """query($r: RepositorySelector!) { schedulesOrError(repositorySelector: $r) { ... on Schedules { results {
  name futureTicks(limit: 1) { results { timestamp } } } } } }"""
_DRY_RUN = """mutation($s: ScheduleSelector!, $t: Float) { scheduleDryRun(selectorData: $s, timestamp: $t) { __typename
  ... on PythonError { message } ... on DryRunInstigationTick { evaluationResult { skipReason error { message }
  runRequests { runConfigYaml jobName tags { key value } } } } } }"""
_LAUNCH = """mutation($e: ExecutionParams!) { launchRun(executionParams: $e) { __typename
  ... on PythonError { message } ... on RunConfigValidationInvalid { errors { message } } } }"""


@dataclass(frozen=True)
class Tick:
    """One evaluation of the upload sensor.

    Attributes:
        seconds: From its begin to its end, runs asked for; None if it was killed before.
        runs: How many it asked for.
    """

    status: str
    seconds: float | None
    error: str
    runs: int


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        first, last: Keys of its range; empty if it has none.
        crashed: It failed without any step that failed: it was killed, or could not be launched.
    """

    id: str
    status: str
    first: str
    last: str
    crashed: bool


@dataclass(frozen=True)
class Facts:
    """All of it.

    Attributes:
        keys: Of documents, in the order of registration.
        made: How often the exports of a document were reported made.
        slots: Claimed pool slots.
        backfills: States of backfills, by id.
    """

    ticks: tuple[Tick, ...]
    runs: tuple[Run, ...]
    keys: tuple[str, ...]
    made: Counter[str]
    slots: int
    backfills: dict[str, str]

    def crashes_of(self) -> Counter[str]:
        """How many runs of a document crashed, by its key."""
        place = {key: number for number, key in enumerate(self.keys)}
        hit: Counter[str] = Counter()
        for run in self.runs:
            if run.crashed and run.first in place and run.last in place:
                hit.update(self.keys[place[run.first] : place[run.last] + 1])
        return hit


_TRIES = 20


class Dagster:
    """Dagster's web interface at an address."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/graphql"

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Answer of a query.

        Raises:
            OSError: Nobody answers.
            UsageError: The query is refused.
        """
        for _ in range(_TRIES - 1):
            try:
                return self._ask(query, variables)
            except UsageError as error:
                # Connections to a database that was killed fail once each; the web server makes new ones.
                if "OperationalError" not in error.what:
                    raise
                time.sleep(1)
        return self._ask(query, variables)

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310 - our own
        try:
            with urllib.request.urlopen(request, timeout=300) as answer:  # noqa: S310
                said = json.load(answer)
        except urllib.error.HTTPError as error:
            raise UsageError(f"Dagster refuses a query: {error.read()[:400]!r}") from None
        if said.get("errors"):
            raise UsageError(f"Dagster refuses a query: {said['errors'][0]['message']}")
        data: dict[str, Any] = said["data"]
        return data

    def wait_until_ready(self, seconds: float) -> None:
        """Wait for the web server and the code location behind it.

        Raises:
            UsageError: They do not come up.
        """
        end = time.monotonic() + seconds
        while not self._ready():
            if time.monotonic() > end:
                raise UsageError(f"the installation did not come up in {seconds:.0f} s", remedy="Look at its logs.")
            time.sleep(1)

    def _ready(self) -> bool:
        try:
            return bool(self._schedules() is not None and self.keys() is not None)
        except (OSError, ValueError, KeyError, UsageError):
            return False

    def unfinished(self) -> int:
        """Runs that are not at their end."""
        return sum(run.status not in ENDED for run in self.runs())

    def facts(self) -> Facts:
        """Everything that there is to know when a week is over."""
        made = self.ask(_MADE, key={"path": ["document_exports"]})["assetOrError"].get("assetMaterializations", [])
        limits = self.ask(_SLOTS)["instance"]["concurrencyLimits"]
        backfills = self.ask(_BACKFILLS)["partitionBackfillsOrError"]["results"]
        return Facts(
            tuple(self.ticks()),
            tuple(self.runs()),
            tuple(self.keys()),
            Counter(key for key, _ in {_making(each) for each in made}),
            sum(len(each["claimedSlots"]) for each in limits),
            {each["id"]: each["status"] for each in backfills},
        )

    def keys(self) -> list[str]:
        """Keys of documents, in the order of registration."""
        keys: list[str] = self.ask(_KEYS, key={"path": ["document_exports"]})["assetNodeOrError"]["partitionKeys"]
        return keys

    def runs(self) -> list[Run]:
        """All runs, the newest first."""
        found: list[Run] = []
        cursor = None
        while True:
            page = self.ask(_RUNS, limit=_PAGE, cursor=cursor)["runsOrError"]["results"]
            found += map(_run, page)
            if len(page) < _PAGE:
                return found
            cursor = page[-1]["runId"]

    def ticks(self) -> list[Tick]:
        """All ticks of the upload sensor, the newest first."""
        found: list[Tick] = []
        before = None
        while True:
            selector = _REPOSITORY | {"name": "upload_sensor"}
            page = self.ask(_TICKS, s=selector, before=before)["instigationStateOrError"]["ticks"]
            found += map(_tick, page)
            if len(page) < _PAGE:
                return found
            before = page[-1]["timestamp"]

    def night(self) -> int | None:
        """Have the nights of the installation now, whatever the hour.

        Evaluates every schedule whose name begins with ``night`` as for its next tick, and launches the runs that it
        asks for, as "Test schedule" and "Launch all" do in the UI.

        Returns:
            How many runs were launched; None if there is no such schedule.

        Raises:
            OSError, UsageError: Dagster does not answer, or the schedule fails.
        """
        nights = [each for each in self._schedules() if each["name"].startswith("night")]
        launched = 0
        for each in nights:
            selector = {**_REPOSITORY, "scheduleName": each["name"]}
            ticks = each["futureTicks"]["results"]
            said = self.ask(_DRY_RUN, s=selector, t=ticks[0]["timestamp"] if ticks else time.time())["scheduleDryRun"]
            result = said.get("evaluationResult") or {"error": said}
            if result.get("error"):
                raise UsageError(f"the schedule {each['name']} failed: {result['error']['message']}")
            for request in result["runRequests"] or []:
                self._launch(request)
                launched += 1
        return launched if nights else None

    def _launch(self, request: dict[str, Any]) -> None:
        parameters = {
            "selector": {**_REPOSITORY, "jobName": request["jobName"] or "documents_job"},
            "mode": "default",
            "runConfigData": request["runConfigYaml"],
            "executionMetadata": {"tags": request["tags"]},
        }
        said = self.ask(_LAUNCH, e=parameters)["launchRun"]
        if said["__typename"] != "LaunchRunSuccess":
            raise UsageError(f"a run of the night was not launched: {said}")

    def _schedules(self) -> list[dict[str, Any]]:
        schedules: list[dict[str, Any]] = self.ask(_SCHEDULES, r=_REPOSITORY)["schedulesOrError"]["results"]
        return schedules


def _tick(said: dict[str, Any]) -> Tick:
    ended = said["endTimestamp"]
    seconds = None if ended is None or said["status"] == "STARTED" else ended - said["timestamp"]
    return Tick(said["status"], seconds, (said["error"] or {}).get("message", ""), len(said["runIds"]))


def _making(said: dict[str, Any]) -> tuple[str, str]:
    """Key of a document, and what its exports were made from; a run that passes over it says the same once more."""
    tags = {tag["key"]: tag["value"] for tag in said["tags"]}
    return str(said["partition"]), tags.get(_MADE_FROM, said["runId"])


def _run(said: dict[str, Any]) -> Run:
    tags = {tag["key"]: tag["value"] for tag in said["tags"]}
    single = tags.get("dagster/partition", "")
    first, last = (tags.get(name, single) for name in _RANGE)
    crashed = said["status"] == "FAILURE" and tags.get("dagster/failure_reason") != "STEP_FAILURE"
    return Run(said["runId"], said["status"], first, last, crashed)
