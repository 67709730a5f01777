"""The run containers of one installation, as the engine lists them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from archive_pipeline.containers import engine
from archive_pipeline.containers.profiles import PROJECT, ROLE

RUNNING = ("running", "paused", "restarting")
LIVE = ("created", *RUNNING)
"""A container that was made can be started at any time."""
MOST_LIVE = 16
"""Run containers of one installation that may be there at once. Dagster starts ``max_concurrent_runs`` (2), and each
may take all that a run may take: whoever has taken over the daemon must not fill the host with them."""


def run_containers(project: str, states: Sequence[str]) -> list[dict[str, Any]]:
    """Those in one of some states.

    Raises:
        OSError, http.client.HTTPException: The engine does not answer, or not so.
        ValueError: Its answer is no JSON.
    """
    filters = json.dumps({"label": [f"{ROLE}=run", f"{PROJECT}={project}"], "status": list(states)})
    listed = engine.ask("GET", f"/containers/json?all=1&filters={quote(filters)}")
    if listed.status != 200:
        raise OSError(listed.body.decode(errors="replace"))
    found: list[dict[str, Any]] = json.loads(listed.body)
    return found
