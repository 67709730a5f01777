"""What a training works out for itself: lines in a batch, and a lower learning rate where it came apart."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from kraken.lib.ppocr import PPOCRv6Model

from archive_pipeline.durable import file_digest
from archive_pipeline.models.language import language_from
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.training.recognition import training
from archive_pipeline.training.recognition.batches import usual_batch
from archive_pipeline.training.recognition.checkpoint import State
from archive_pipeline.training.recognition.lines import CutLine
from archive_pipeline.training.recognition.loop import CHECKPOINT, OUT_OF_TIME, CameApart, Learning
from archive_pipeline.training.recognition.network import TrainableNetwork
from archive_pipeline.training.recognition.recipe import Limits, Plan, Recipe

WILD = 1e6


def _network(_: object = None) -> TrainableNetwork:
    torch.manual_seed(0)
    return TrainableNetwork(
        PPOCRv6Model(variant="tiny", num_classes=5, height=48, codec={"a": [1], "b": [2], "c": [3], " ": [4]}).eval()
    )


def _lines(count: int = 24) -> list[CutLine]:
    draw = np.random.default_rng(0)
    return [CutLine(str(n), "abc"[: 1 + n % 3], draw.integers(0, 256, (48, 64, 3), np.uint8)) for n in range(count)]


@pytest.mark.parametrize(
    ("widths", "lines"),
    [([900] * 9, 8), ([5000, 900, 900], 8), ([400] * 9, 16), ([183, 20, 2000], 35), ([12] * 9, 64)],
    ids=["letters", "wide", "halves", "median", "words"],
)
@pytest.mark.parametrize("larger", [1, 2.5])
def test_as_much_is_learnt_from_at_once_in_short_lines_as_in_long_ones(
    widths: list[int], lines: int, larger: float
) -> None:
    assert usual_batch([round(width * larger) for width in widths], round(48 * larger)) == lines


def test_steps_that_are_too_large_end_a_training_before_it_wastes_its_time(tmp_path: Path) -> None:
    network = _network()
    network.learn_characters(["abc"], 0)
    learning = Learning(network, _lines(), [], Recipe(threads=1, warm_up=0, augmentation=0))
    plan = Plan(steps=30, batch=learning.batch, learning_rate=WILD)
    with pytest.raises(CameApart, match=r"^the training has come apart at step \d+: its loss is (\d+|nan) a character"):
        learning.run(plan, "key", Limits(memory_mb=100_000), tmp_path, lambda _: None)


@pytest.mark.parametrize(
    ("cers", "apart", "minutes"),
    [
        ([30.0, 36.1, 51.4, 51.4, 51.4, 51.4], True, 60),
        ([30.0, 36.1, 44.9, 44.9], False, 60),
        ([0.3, 2.0, 5.2, 5.2], False, 60),
        ([0.3, 5.4, 5.4, 5.4], True, 60),
        ([30.0, 20.0, 60.0], False, 60),
        ([30.0, 90.0, 90.0, 90.0], False, 1e-9),
    ],
    ids=["worse", "noise", "small", "forgets", "late", "out of time"],
)
def test_a_training_that_reads_far_worse_than_before_has_come_apart(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cers: list[float], apart: bool, minutes: float
) -> None:
    network = _network()
    network.learn_characters(["abc"], 0)
    lines = _lines()
    recipe = Recipe(threads=1, augmentation=0, evaluations=len(cers))
    learning = Learning(network, lines, lines[:2], recipe)
    plan = Plan(steps=len(cers), batch=learning.batch, learning_rate=1e-4)
    told = iter(cers)
    monkeypatch.setattr("archive_pipeline.training.recognition.loop.character_error_rate", lambda *_: next(told))
    limits = Limits(memory_mb=100_000, minutes=minutes)
    if not apart:
        state = learning.run(plan, "key", limits, tmp_path, lambda _: None)
        if minutes < 1:  # it stops at its first evaluation, and at the next one when it goes on
            state = learning.run(plan, "key", limits, tmp_path, lambda _: None)
            assert (state.ended, state.step) == (OUT_OF_TIME, 2)
        assert state.best_cer == min(cers)
        return
    with pytest.raises(CameApart, match=rf"it reads with a CER of {max(cers)} % what it read with {min(cers)} %"):
        learning.run(plan, "key", limits, tmp_path, lambda _: None)


@pytest.mark.parametrize(("at", "held", "kept"), [(5, 2, True), (3, 2, False), (5, 0, False)])
def test_what_comes_apart_late_ends_with_its_best_weights_also_when_it_is_called_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, at: int, held: int, kept: bool
) -> None:
    """Half of its steps are three; without lines for validation there are no best weights."""
    recipe = Recipe(threads=1, augmentation=0, evaluations=6)
    cers = iter([30.0, 20.0, 25.0, 22.0])
    monkeypatch.setattr("archive_pipeline.training.recognition.loop.character_error_rate", lambda *_: next(cers))

    def learning() -> Learning:
        network = _network()
        network.learn_characters(["abc"], 0)
        return Learning(network, _lines(), _lines(held), recipe)

    def run(one: Learning, steps: int) -> State:
        plan = Plan(steps=steps, batch=one.batch, learning_rate=1e-3)
        return one.run(plan, "key", Limits(memory_mb=100_000), tmp_path, lambda _: None)

    learn = Learning._learn_from
    monkeypatch.setattr(
        Learning, "_learn_from", lambda self, step: learn(self, step) + (np.nan if step == at - 1 else 0)
    )
    if not kept:
        with pytest.raises(CameApart, match=f"at step {at}: its loss is nan"):
            run(learning(), 6)
        return
    first, again = learning(), learning()
    state = run(first, 6)
    assert state.ended == "the training has come apart at step 5: its loss is nan a character; " + (
        "the weights are its best ones before that"
    )
    assert (state.best_cer, state.best_step) == (20.0, 2)
    assert run(again, 6) == state
    for one, other in zip(first._module.parameters(), again._module.parameters(), strict=True):
        assert torch.isfinite(one).all()
        assert torch.equal(one, other)


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rates of trainings that are tried; all but those below 2e-4 come apart."""
    rates: list[float] = []
    run = Learning.run

    def runs(self: Learning, plan: Plan, key: str, limits: Limits, folder: Path, told: Any) -> State:
        rates.append(plan.learning_rate)
        assert not (folder / CHECKPOINT).exists()
        if plan.learning_rate > 2e-4:
            (folder / CHECKPOINT).write_bytes(b"of weights that are of no use")
            torch.nn.init.normal_(next(self._module.parameters()))
            raise CameApart("the training has come apart at step 3: its loss is 1812 a character")
        return run(self, plan, key, limits, folder, told)

    monkeypatch.setattr(Learning, "run", runs)
    monkeypatch.setattr(Learning, "usual_rate", lambda _: 1e-3)
    monkeypatch.setattr(training, "trainable", _network)
    monkeypatch.setattr(training, "cut_lines", lambda pages, *_, **__: _lines(pages[0]) if pages else [])
    return rates


def _train(folder: Path, said: list[str], *, held: int = 0, minutes: float = 60, **recipe: Any) -> training.Training:
    base = ModelLibrary(None).installed("ppocr-v6-latin")
    made = Recipe(**{"steps": 2, "threads": 1, **recipe})
    limits = Limits(memory_mb=100_000, minutes=minutes)
    pages: Any = [24], [held] if held else []  # how many lines they have
    return training.train_recognition(*pages, base, made, folder, limits=limits, said=said.append)


def test_a_training_that_came_apart_begins_anew_with_a_lower_rate_and_notes_it(
    wild: list[float], tmp_path: Path
) -> None:
    said: list[str] = []
    made = _train(tmp_path, said)
    assert wild == pytest.approx([1e-3, 1e-3 / 3, 1e-3 / 9])
    assert (made.recipe.learning_rate, made.recipe.batch) == (pytest.approx(1e-3 / 9), 64)
    assert json.loads((tmp_path / "plan.json").read_text())["learning_rate"] == pytest.approx(1e-3 / 9)
    assert [each for each in said if "anew" in each] == [
        "the training has come apart at step 3: its loss is 1812 a character. "
        f"It begins anew with {rate} as its highest learning rate and 2 batches."
        for rate in ("0.0003", "0.0001")
    ]
    # The weights are those of a training that knew the lower rate from the first step on.
    alone = _train(tmp_path / "alone", [], learning_rate=made.recipe.learning_rate)
    assert alone.files == made.files


def test_a_training_that_begins_anew_makes_as_many_steps_as_fit_into_what_is_left(
    wild: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three tenths of its time are over when it comes apart, and a fifth of the rest when it does so again."""
    now = iter([0.0, 18 * 60.0, 26.4 * 60.0])
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr(Learning, "steps_within", lambda *_: 20)
    limits: list[float] = []
    run = Learning.run

    def runs(self: Learning, plan: Plan, key: str, limit: Limits, folder: Path, told: Any) -> State:
        limits.append(limit.minutes)
        return run(self, plan, key, limit, folder, told)

    monkeypatch.setattr(Learning, "run", runs)
    made = _train(tmp_path, [], steps=None)
    assert limits == pytest.approx([60, 42, 33.6])
    assert (made.steps, made.recipe.steps, made.ended) == (11, 11, "")  # of 20
    assert json.loads((tmp_path / "plan.json").read_text())["fits"] == 20


def test_where_less_than_half_of_the_time_is_left_the_next_attempt_has_all_steps_again(
    wild: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 18 * 60.0, 36 * 60.0, 0.0])
    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: next(now)))
    monkeypatch.setattr(Learning, "steps_within", lambda *_: 20)
    with pytest.raises(CameApart) as apart:
        _train(tmp_path, [], steps=None)
    assert apart.value.remedy == "Start it again: it begins anew with a lower learning rate."
    made = _train(tmp_path, [], steps=None)
    assert wild == pytest.approx([1e-3, 1e-3 / 3, 1e-3 / 9])
    assert made.steps == 20


def test_a_training_that_came_apart_when_its_time_was_over_begins_anew_when_it_is_started_again(
    wild: list[float], tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(CameApart) as apart:
            _train(tmp_path, [], minutes=1e-9)
        assert apart.value.remedy == "Start it again: it begins anew with a lower learning rate."
    _train(tmp_path, [])
    assert wild == pytest.approx([1e-3, 1e-3 / 3, 1e-3 / 9])


def test_no_more_lines_are_read_on_the_way_than_tell_something(wild: list[float], tmp_path: Path) -> None:
    made = _train(tmp_path, [], held=599, learning_rate=1e-4)
    assert (made.validation_lines, made.lines) == (300, 24)


def test_a_finished_training_of_which_a_file_is_not_whole_is_made_again(wild: list[float], tmp_path: Path) -> None:
    made = _train(tmp_path, [], learning_rate=1e-4)
    assert set(made.files) == {"model.safetensors", "model.onnx", "language.json"}
    assert _train(tmp_path, [], learning_rate=1e-4) == made
    assert len(wild) == 1
    for count, name in enumerate(sorted(made.files), start=2):
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-1])
        assert _train(tmp_path, [], learning_rate=1e-4).files == made.files
        assert len(wild) == count
        assert file_digest(tmp_path / name) == made.files[name]
    result = json.loads((tmp_path / "result.json").read_text())
    (tmp_path / "result.json").write_text(json.dumps(result | {"files": {}}))
    assert _train(tmp_path, [], learning_rate=1e-4).files == made.files
    assert len(wild) == 5


def test_a_model_without_a_language_has_none_of_an_earlier_training(wild: list[float], tmp_path: Path) -> None:
    _train(tmp_path, [], learning_rate=1e-4)
    made = _train(tmp_path, [], learning_rate=1e-4, ngrams=0)
    assert made.language is None
    assert set(made.files) == {"model.safetensors", "model.onnx"}
    assert not (tmp_path / "language.json").exists()


@pytest.mark.parametrize(("held", "weighed"), [(6, 0), (30, 30)])
def test_a_language_has_the_lines_to_learn_from_and_those_for_validation(
    wild: list[float], tmp_path: Path, held: int, weighed: int
) -> None:
    made = _train(tmp_path, [], held=held, learning_rate=1e-4)
    assert made.language is not None
    assert made.language.lines == weighed
    language = language_from((tmp_path / "language.json").read_bytes(), "language.json")
    assert sum(language.counts["\x02"].values()) == 24 + held
    assert (language.weight, language.bonus) == (made.language.weight, made.language.bonus)


def test_a_rate_that_a_person_gave_is_not_changed(wild: list[float], tmp_path: Path) -> None:
    with pytest.raises(CameApart) as apart:
        _train(tmp_path, [], learning_rate=5e-4)
    assert wild == [5e-4]
    assert "ground-truth check" in str(apart.value.remedy)


def test_no_rate_is_tried_at_which_nothing_would_be_learnt(
    wild: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Learning, "run", lambda _, plan, *__: wild.append(plan.learning_rate) or _apart())
    with pytest.raises(CameApart):
        _train(tmp_path, [])
    assert wild == pytest.approx([1e-3, 1e-3 / 3, 1e-3 / 9, 1e-3 / 27])


def _apart() -> State:
    raise CameApart("the training has come apart")
