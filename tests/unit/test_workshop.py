"""How an installation learns hands: its settings, and what somebody asks for."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from archive_pipeline.errors import UsageError
from archive_pipeline.settings import read_settings
from archive_pipeline.training import workshop
from archive_pipeline.training.workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    monkeypatch.setenv("ARCHIVE_TRAINING_MEMORY_MB", "3000")
    monkeypatch.setenv("ARCHIVE_TRAINING_MINUTES", "7")
    monkeypatch.setattr(workshop, "usable_cpus", lambda: 512)
    return Workshop.from_settings(read_settings(home=tmp_path))


def test_the_largest_machine_trains_with_as_many_threads_as_a_recipe_takes(shop: Workshop) -> None:
    assert shop.recipe.threads == 256


def test_lines_are_learnt_within_the_limits_of_the_installation(shop: Workshop) -> None:
    recipe = shop.for_lines(steps=5)
    assert (recipe.memory_mb, recipe.seconds, recipe.threads, recipe.steps) == (3000, 420, 256, 5)
    assert shop.for_lines(minutes=2).seconds == 120


@pytest.mark.parametrize("minutes", [math.inf, math.nan, 0.0])
def test_a_time_that_is_none_is_said_in_a_sentence(shop: Workshop, minutes: float) -> None:
    with pytest.raises(UsageError, match="minutes of a training cannot be"):
        shop.asked(minutes=minutes)
    with pytest.raises(UsageError, match="seconds of a training cannot be"):
        shop.for_lines(minutes=minutes)


def test_no_training_takes_the_place_of_one_with_another_base_or_recipe(shop: Workshop) -> None:
    one = shop.folder("jean", "base", shop.recipe.model_dump(mode="json"))
    assert one == shop.folder("jean", "base", shop.recipe.model_dump(mode="json"))
    others = [
        shop.folder("jean", "base", shop.asked(seed=1).recipe.model_dump(mode="json")),
        shop.folder("jean", "other", shop.recipe.model_dump(mode="json")),
        shop.folder("jeanne", "base", shop.recipe.model_dump(mode="json")),
    ]
    assert len({one, *others}) == 4
    assert {each.parent for each in others} == {one.parent}
