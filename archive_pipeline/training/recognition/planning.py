"""What a recipe leaves open, worked out once and written down, so that a training that goes on is the same training."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from archive_pipeline.durable import read_json, write_json
from archive_pipeline.training.recognition.loop import CHECKPOINT, CameApart, Learning
from archive_pipeline.training.recognition.recipe import Plan, Recipe

_PLAN, _MEASURED = "plan.json", "fits"
_MANY = 200
_FEW = " These are few: a hand takes some hundreds."
_SLOWER, _LOWEST_RATE = 1 / 3, 3e-5
_WORTH_IT = 0.5  # of the time: with less a model would come of it that has hardly begun to learn


def planned(
    folder: Path, key: str, recipe: Recipe, learning: Learning, minutes: float, said: Callable[[str], None]
) -> Plan:
    """What the recipe says, and where it does not: what was worked out at an earlier attempt, or now."""
    data = read_json(folder / _PLAN)
    if isinstance(data, dict) and data.pop("key", None) == key:
        data.pop(_MEASURED, None)
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
    write_json(folder / _PLAN, {"key": key, _MEASURED: plan.steps, **plan.model_dump()})
    said(f"{plan.steps} batches.{_FEW if plan.steps < _MANY else ''}")
    return plan


def slower(folder: Path, key: str, recipe: Recipe, plan: Plan, left: float, error: CameApart) -> Plan:
    """The plan with a lower learning rate, of as many batches as fit; what came apart is thrown away.

    Args:
        left: Share of the time that is left.

    Raises:
        CameApart: That given, where a rate was given, where a lower one is of no use, or where too little time is
            left; then the next attempt begins anew.
    """
    lower = plan.learning_rate * _SLOWER
    if recipe.learning_rate is not None or lower < _LOWEST_RATE:
        raise error
    worth_it = left >= _WORTH_IT
    measured = (read_json(folder / _PLAN) or {}).get(_MEASURED, plan.steps)
    steps = recipe.steps or (max(1, int(measured * left)) if worth_it else measured)
    plan = plan.model_copy(update={"learning_rate": lower, "steps": steps})
    # First, so that a kill in between does not leave what came apart beside the new plan.
    (folder / CHECKPOINT).unlink(missing_ok=True)
    write_json(folder / _PLAN, {"key": key, _MEASURED: measured, **plan.model_dump()})
    if not worth_it:
        raise CameApart(error.what, remedy="Start it again: it begins anew with a lower learning rate.")
    return plan
