"""Old run containers: kept for a day, so that one can look at them, then removed by the gate itself."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from datetime import datetime

from archive_pipeline.containers import engine
from archive_pipeline.containers.policy import is_ours
from archive_pipeline.containers.runs import run_containers

_log = logging.getLogger(__name__)
KEEP = 24 * 3600.0
"""Seconds that a run container is kept after its end."""
_EVERY = 3600.0


def prune_daily(project: str) -> threading.Thread:
    """Look for old run containers now and every hour, in a thread of its own."""

    def work() -> None:
        while True:
            try:
                prune(project, time.time() - KEEP)
            except (OSError, ValueError, http.client.HTTPException) as error:
                _log.error("old run containers cannot be removed now: %s", error)
            time.sleep(_EVERY)

    thread = threading.Thread(target=work, name="prune", daemon=True)
    thread.start()
    return thread


def prune(project: str, before: float) -> list[str]:
    """Remove run containers of a project that ended, or were made and never started, before a time.

    Args:
        before: Seconds since the epoch.

    Returns:
        The ids of those removed.
    """
    removed = []
    # "created" too: of a launch that was killed between the two calls.
    for container in run_containers(project, ["exited", "dead", "created"]):
        name = container["Id"]
        found = engine.ask("GET", f"/containers/{name}/json")
        if found.status != 200 or not is_ours(found.body, project):
            continue
        state = json.loads(found.body)
        if max(_seconds(state["State"]["FinishedAt"]), _seconds(state["Created"])) >= before:
            continue
        answer = engine.ask("DELETE", f"/containers/{name}?v=1")
        if answer.status == 204:
            removed.append(name)
            _log.info("removed the run container %s, which ended more than a day ago", name[:12])
        else:
            _log.warning("the run container %s cannot be removed: %s", name[:12], answer.body.decode(errors="replace"))
    return removed


def _seconds(stamp: str) -> float:
    """The engine's time, with its nanoseconds cut, since the epoch; its year 1 for never is 0."""
    if stamp.startswith("0001"):
        return 0.0
    return datetime.fromisoformat(f"{stamp[:19]}+00:00").timestamp()
