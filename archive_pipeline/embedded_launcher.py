"""Runs as processes of this machine, of which Dagster sees when they are gone.

Dagster's own launcher leaves it to the code server that started a run's process to notice its end. If both are killed,
as by a power cut or by closing the terminal, the run stays "started" for ever and holds a place in the queue. This one
tells run monitoring whether the process is still there.
"""

from __future__ import annotations

from typing import Any

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun

PID_TAG = "archive/pid"
"""Of a run that goes on inside a command: the id of its process."""
_CLOCKS = 2.0
"""Seconds by which the times of a process and of an event may differ."""
_GONE = "The run's process is gone: it was killed, or the machine was restarted. What was done is kept."


class EmbeddedRunLauncher(DefaultRunLauncher):
    """Launches runs as Dagster's own launcher does, and knows whether they live."""

    @classmethod
    def from_config_value(cls, inst_data: Any, config_value: Any) -> EmbeddedRunLauncher:  # noqa: ARG003
        return cls(inst_data=inst_data)

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that said that it has begun the run is still the one of that number."""
        found = self._process_of(run)
        if found is None or _lives(*found):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED)

    def get_run_worker_debug_info(
        self,
        run: DagsterRun,  # noqa: ARG002 - Dagster's interface
        include_container_logs: bool | None = True,  # noqa: ARG002
    ) -> str | None:
        """What the UI says of a run whose process is gone, when Dagster gives it up."""
        return _GONE

    def _process_of(self, run: DagsterRun) -> tuple[int, float] | None:
        """Number of a run's process, and a time in seconds of the epoch at which it was there; None if unknown."""
        record = self._instance.get_run_record_by_id(run.run_id)
        tagged = run.tags.get(PID_TAG, "")
        if tagged.isdecimal() and record is not None:
            return int(tagged), record.create_timestamp.timestamp()
        for entry in reversed(self._instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)):
            pid = entry.get_dagster_event().engine_event_data.metadata.get("pid")
            if pid is not None:
                return int(str(pid.value)), entry.timestamp
        return None


def _lives(pid: int, was_there: float) -> bool:
    try:
        process = psutil.Process(pid)
        # Another process may have its number by now; and one that was killed may wait to be collected.
        return process.create_time() <= was_there + _CLOCKS and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
