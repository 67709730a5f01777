"""What a gate lets through.

The body of a create call is not searched for bad keys: the engine reads keys without regard to case and takes the
last of two equal ones, so every such filter has been passed. It is read strictly, and what is sent on is made anew:
a body is let through if it is, key by key, the one that a profile gives for this run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from archive_pipeline.containers.profiles import JOB, LOCATION, PROJECT, ROLE, RUN_ID, Profile
from archive_pipeline.errors import LaunchRefused

MAX_BODY = 256 * 1024


def checked_body(raw: bytes, profiles: Mapping[str, Profile]) -> bytes:
    """The body to send on.

    Raises:
        LaunchRefused: The body is not what one of the profiles gives.
    """
    try:
        given = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise LaunchRefused(f"the body is not JSON: {error}") from None
    if not isinstance(given, dict):
        raise LaunchRefused("the body is no object")
    labels: dict[str, str] = _of_text(given.get("Labels"), dict)
    command: list[str] = _of_text(given.get("Cmd"), list)
    profile = profiles.get(labels.get(LOCATION, ""))
    if profile is None:
        raise LaunchRefused("its label names no code location")
    body = profile.body(run_id=labels.get(RUN_ID, ""), job=labels.get(JOB, ""), arguments=command[-1])
    if difference := next(_differences(given, body), None):
        raise LaunchRefused(f"{difference} is not as the profile {profile.location} has it")
    return json.dumps(body).encode()


def is_ours(inspected: bytes, project: str) -> bool:
    """Whether what the engine says of a container names it a run container of this project."""
    labels = json.loads(inspected)["Config"].get("Labels") or {}
    return labels.get(ROLE) == "run" and labels.get(PROJECT) == project


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key.casefold() for key, _ in pairs}) != len(pairs):
        raise LaunchRefused("a key comes twice in the body")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise LaunchRefused(f"the body holds {name}")


def _of_text(value: Any, kind: type) -> Any:
    """The value, if it is of this kind, not empty, and holds nothing but text."""
    inside = value.values() if isinstance(value, dict) else value
    if not isinstance(value, kind) or not value or not all(isinstance(part, str) for part in inside):
        raise LaunchRefused("labels or command are missing, or are not text")
    return value


def _differences(given: Any, wanted: Any, where: str = "") -> Iterator[str]:
    if isinstance(given, dict) and isinstance(wanted, dict):
        for key in [*given, *(key for key in wanted if key not in given)]:
            if key not in given or key not in wanted:
                yield f"{where}{key}"
            else:
                yield from _differences(given[key], wanted[key], f"{where}{key}.")
    elif type(given) is not type(wanted) or given != wanted:
        yield where.rstrip(".")
