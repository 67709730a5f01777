"""Runs of the embedded instance: Dagster's own launcher, which also knows whether a run's process is still there.

Dagster's server notices when a run that it started has died. Where the server was killed, too, or the run was one of
the command line, nobody does: such a run would count as running for ever, and hold the queue.
"""

from __future__ import annotations

import time

import psutil
from dagster import DagsterEventType
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.dagster_run import DagsterRun

_NO_PROCESS_YET = 120.0
"""Seconds after its start in which a run may not have said yet which process it is."""
_SLACK = 2.0
"""Seconds by which the clock of the system and that of an event may differ."""


class EmbeddedRunLauncher(DefaultRunLauncher):
    """Launches runs as processes of the code server, and tells the run monitor which of them are gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process that said it executes the run is still that process.

        A process id that another process has by now is told by its start, which lies after what the run said.
        """
        said = self._process_of(run.run_id)
        if said is None:
            record = self._instance.get_run_record_by_id(run.run_id)
            started = record.start_time if record is not None and record.start_time else time.time()
            if time.time() - started < _NO_PROCESS_YET:
                return CheckRunHealthResult(WorkerStatus.RUNNING)
            return CheckRunHealthResult(WorkerStatus.FAILED, "It never said which process it is.")
        number, when = said
        try:
            process = psutil.Process(number)
            if process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= when + _SLACK:
                return CheckRunHealthResult(WorkerStatus.RUNNING)
        except psutil.NoSuchProcess:
            pass
        return CheckRunHealthResult(WorkerStatus.FAILED, f"Its process {number} is gone.")

    def get_run_worker_debug_info(self, run: DagsterRun, include_container_logs: bool | None = True) -> str | None:  # noqa: ARG002 - Dagster's interface
        """What the UI says of a run that is given up."""
        return "It was killed, or the computer was switched off. What was done is kept: a new run goes on from there."

    def _process_of(self, run_id: str) -> tuple[int, float] | None:
        """Process id of a run, and when it was told."""
        records = self._instance.get_records_for_run(run_id, of_type=DagsterEventType.ENGINE_EVENT).records
        for record in reversed(records):
            entry = record.event_log_entry
            event = entry.dagster_event
            pid = event.engine_event_data.metadata.get("pid") if event is not None else None
            if pid is not None and str(pid.value).isdigit():
                return int(str(pid.value)), entry.timestamp
        return None
