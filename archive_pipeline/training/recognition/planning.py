"""What a recipe leaves open, worked out once and written down, so that a training that goes on is the same training."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.training.recognition.loop import CHECKPOINT, CameApart, Learning
from archive_pipeline.training.recognition.recipe import Limits, Plan, Recipe

_PLAN = "plan.json"
_MANY = 200
_FEW = " These are few: a hand takes some hundreds."
_SLOWER, _LOWEST_RATE = 1 / 3, 3e-5


def planned(
    folder: Path, key: str, recipe: Recipe, learning: Learning, minutes: float, said: Callable[[str], None]
) -> Plan:
    """What the recipe says, and where it does not: what was worked out at an earlier attempt, or now."""
    data = read_json(folder / _PLAN)
    if isinstance(data, dict) and data.pop("key", None) == key:
        with suppress(ValidationError):
            plan = Plan.model_validate(data)
            said(f"A training of {plan.steps} batches was begun, and goes on.")
            return plan
    if recipe.steps is None:
        said(f"Measuring how many batches of {learning.batch} lines fit into {minutes:g} minutes.")
    plan = Plan(
        batch=learning.batch,
        learning_rate=recipe.learning_rate or learning.usual_rate(),
        steps=recipe.steps or learning.steps_within(minutes),
    )
    write_json(folder / _PLAN, {"key": key, **plan.model_dump()})
    said(f"{plan.steps} batches.{_FEW if plan.steps < _MANY else ''}")
    return plan


def slower(folder: Path, key: str, recipe: Recipe, plan: Plan, error: CameApart) -> Plan:
    """The plan with a lower learning rate; what came apart is thrown away.

    Raises:
        CameApart: That given, where a person said the rate, or where a lower one is of no use.
    """
    lower = plan.model_copy(update={"learning_rate": plan.learning_rate * _SLOWER})
    if recipe.learning_rate is not None or lower.learning_rate < _LOWEST_RATE:
        raise error
    # First, so that a kill in between does not leave what came apart beside the new plan.
    (folder / CHECKPOINT).unlink(missing_ok=True)
    write_json(folder / _PLAN, {"key": key, **lower.model_dump()})
    return lower


def left(limits: Limits, started: float, error: CameApart) -> Limits:
    """What is left of the minutes for a training that came apart, to begin anew.

    Raises:
        CameApart: Nothing is.
    """
    minutes = limits.minutes - (time.monotonic() - started) / 60
    if minutes <= 0:
        raise CameApart(error.what, remedy="Start it again: it begins anew with a lower learning rate.")
    return limits.model_copy(update={"minutes": minutes})
