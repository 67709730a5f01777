"""Hands in Dagster: four assets by hand, learnt by one step, with curves on the way, and gone back on by one click."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest
from drawn_hand import drawn_hand
from promoted import add_model
from truth_inbox import Inbox, files_of, why

from archive_pipeline.models.hands import hand_record, promoted_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote
from archive_pipeline.models.trained import records_of
from archive_pipeline.promotion.proofs import kept
from archive_pipeline.training.learning import Candidate, Decided, Evaluated, Told
from archive_pipeline.training.recognition.progress import Progress
from archive_pipeline.training.workshop import Workshop
from assets.learning import CANDIDATE, EVALUATION, LEARNING, PROMOTED, TRUTH
from resources.training import TrainingResource

HAND = "Jean Dupont"


class Scripted:
    """A learner that trains nothing."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.asked: dict[str, object] = {}
        self.last: Candidate | None = None
        self._at: Callable[[Progress], None] = lambda _: None

    def learner(self, _: TrainingResource, at: Callable[[Progress], None], **asked: object) -> Scripted:
        """Instead of the resource's own."""
        self._at, self.asked = at, asked
        return self

    def train(self, hand: str, told: Told) -> Candidate:
        self.did.append(f"train {hand}")
        self._at(Progress(step=10, steps=20, epoch=1, loss=2.5, cer=None, seconds=60))
        self._at(Progress(step=20, steps=20, epoch=2, loss=0.5, cer=12.5, seconds=120))
        self.last = Candidate("jean-00000000", "0" * 64, {"CER %": 12.5}, card="# jean\n\nA *card*.")
        return self.last

    def newest(self, hand: str) -> Candidate | None:
        return self.last

    def evaluate(self, hand: str, candidate: Candidate, told: Told) -> Evaluated:
        self.did.append(f"evaluate {candidate.model}")
        return Evaluated("1" * 64, {"CER %": 12.5, "CER % of the model in use": 55.0})

    def promote(self, hand: str, candidate: Candidate, told: Told) -> Decided:
        self.did.append(f"promote {candidate.model}")
        return Decided(candidate.model, promoted=True, reason="it is better on 9 of 10 pages")


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Scripted:
    learner = Scripted()
    monkeypatch.setattr(TrainingResource, "learner", lambda *given, **asked: learner.learner(*given, **asked))
    return learner


def known(inbox: Inbox, *texts: str) -> str:
    """Drop a set of lines of the hand; the hand's key."""
    inbox.drop("jean", files_of(*texts))
    inbox.tick()
    assert inbox.run("jean").success
    (hand,) = inbox.hands()
    return hand


def curve(inbox: Inbox, hand: str) -> list[dict[str, Any]]:
    """The observations of a hand's candidates, the oldest first."""
    wanted = dg.AssetRecordsFilter(asset_key=CANDIDATE, asset_partitions=[hand])
    found = [record.asset_observation for record in inbox.instance.fetch_observations(wanted, limit=1000).records]
    return [{name: value.value for name, value in each.metadata.items()} for each in reversed(found) if each]


def stale(inbox: Inbox, hand: str) -> dict[str, str]:
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    graph = inbox.definitions.resolve_asset_graph()
    resolver = CachingStaleStatusResolver(inbox.instance, graph, LoadingContextForTest(inbox.instance))
    return {key.to_user_string(): resolver.get_status(key, hand).value for key in LEARNING}


def test_one_step_learns_a_hand_and_all_is_fresh_until_there_is_more_ground_truth(
    inbox: Inbox, scripted: Scripted
) -> None:
    hand = known(inbox, "un")
    result = inbox.learn(hand)
    assert result.success, why(result)
    assert scripted.did == [f"train {hand}", "evaluate jean-00000000", "promote jean-00000000"]
    assert [event.materialization.asset_key for event in result.get_asset_materialization_events()] == list(LEARNING)
    assert set(stale(inbox, hand).values()) == {"FRESH"}
    # Another hand's changes nothing here.
    inbox.drop("anne", files_of("deux", hand="writer: Anne"))
    inbox.tick()
    inbox.run("anne")
    assert set(stale(inbox, hand).values()) == {"FRESH"}
    inbox.drop("jean", files_of("un", "deux"))
    inbox.tick()
    inbox.run("jean")
    assert stale(inbox, hand)["ground_truth"] == "FRESH"
    assert stale(inbox, hand)["candidate_model"] == "STALE"


def test_a_training_is_as_the_launchpad_says_and_its_curve_is_observed_on_the_way(
    inbox: Inbox, scripted: Scripted
) -> None:
    hand = known(inbox, "un")
    assert inbox.learn(hand).success
    assert scripted.asked == {"base": None, "minutes": None, "seed": None, "ngrams": None}
    assert curve(inbox, hand) == [
        {"step": 10, "loss": 2.5, "minutes": 1.0},
        {"step": 20, "loss": 0.5, "minutes": 2.0, "CER on the way, %": 12.5},
    ]
    assert inbox.learn(hand, minutes=5, base="mccatmus", seed=3).success
    assert scripted.asked == {"base": "mccatmus", "minutes": 5.0, "seed": 3, "ngrams": None}


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"minutes": 0}, "minutes of a training cannot be 0.0: Input should be greater than 0"),
        ({"seed": -1}, "seed of a training cannot be -1: Input should be greater than or equal to 0"),
        ({"ngrams": 9}, "ngrams of a training cannot be 9: Input should be less than or equal to 8"),
        ({"base": "no-such-model"}, "no-such-model"),
    ],
    ids=["minutes", "seed", "ngrams", "base"],
)
def test_a_training_that_cannot_be_as_the_launchpad_says_fails_in_a_sentence(
    inbox: Inbox, asked: dict[str, object], reason: str
) -> None:
    result = inbox.learn(known(inbox, "un"), **asked)
    assert reason in why(result)
    assert "Traceback" not in why(result)


def test_where_there_is_too_little_the_step_says_so_and_the_ground_truth_of_the_hand_is_there(inbox: Inbox) -> None:
    result = inbox.learn(known(inbox, "un"))
    assert "there are 1 lines to train with, and 20 are the least" in why(result)
    assert [event.materialization.asset_key for event in result.get_asset_materialization_events()] == [TRUTH]


def test_a_hand_is_learnt_for_real_and_every_asset_shows_what_is_in_the_store(inbox: Inbox) -> None:
    drawn_hand(inbox.folder / "jean", 10, 6)
    assert inbox.tick() == ["jean"]
    assert inbox.run("jean").success
    (hand,) = inbox.hands()
    result = inbox.learn(hand, minutes=0.2)
    assert result.success, why(result)
    models = inbox.settings.models_dir
    (record,) = records_of(models, hand)

    # Those of a beginning that came apart stay before them.
    made = record.made["curve"]
    points = curve(inbox, hand)[-len(made) :]
    assert [point["step"] for point in points] == [each["step"] for each in made]
    assert [point["loss"] for point in points] == [each["loss"] for each in made]
    assert points[-1]["step"] == record.made["steps"]
    assert all(0 < float(point["loss"]) < 100 for point in points)

    shown = inbox.shown(CANDIDATE, hand)
    assert (shown["model"], shown["sha256"]) == (record.model, record.digest)
    assert (shown["base"], shown["steps"], shown["licence"]) == ("ppocr-v6-latin", record.made["steps"], "CC0-1.0")
    lines = str(shown["model card"]).splitlines()
    assert "    - jean: 4 pages, CC0-1.0" in lines
    # A block of code: nothing in it becomes a link or a picture.
    assert all(line.startswith("    ") for line in lines)
    assert ModelLibrary(models).installed(record.model).digest == record.digest

    shown = inbox.shown(EVALUATION, hand)
    assert (shown["model"], shown["model in use"], shown["pages"]) == (record.model, "ppocr-v6-latin", 6)
    # The letters on paper are others than in the truth: the general model cannot know.
    assert 20 < float(str(shown["CER in use, %"])) < 60
    read = float(str(shown["CER, %"]))

    shown = inbox.shown(PROMOTED, hand)
    (decision,) = kept(models, HAND)
    assert shown["decision"] == decision.name
    # Twelve seconds teach as much as the machine is quick: both verdicts are right, if the figures say so.
    figures = decision.decision.frozen
    assert figures is not None
    assert figures.gain.low is not None
    assert figures.candidate.value == pytest.approx(read, abs=0.01)
    assert decision.decision.promoted is (figures.p < decision.decision.level and figures.gain.low > 0)
    print(record.made["steps"], "steps:", shown["reason"])
    assert shown["reason"] == " ".join(decision.decision.reasons)
    promoted = promoted_model(models, HAND)
    assert shown["promoted"] is decision.decision.promoted is (promoted is not None)
    assert shown["model"] == (record.model if promoted else "ppocr-v6-latin")
    assert shown["candidate"] == record.model

    # Decided anew, it is the same proof with the same outcome, or there is nothing left to decide.
    result = inbox.learn(hand, only=PROMOTED)
    assert result.success, why(result)
    again = inbox.shown(PROMOTED, hand)
    assert again["promoted"] is False
    assert "already" in str(again["reason"]) if promoted else again["reason"] == shown["reason"]
    assert again["model"] == shown["model"]


def test_a_rollback_is_one_click_and_shows_at_once_which_model_reads_the_hand(inbox: Inbox, scripted: Scripted) -> None:
    hand = known(inbox, "un")
    assert inbox.learn(hand).success
    models = inbox.settings.models_dir
    before, after = (add_model(models, model) for model in ("jean-00000000", "jean-11111111"))
    for model in (before, after):
        promote(models, HAND, model, reason="by a test")
    # Lost, it is gone back to all the same: who is told that it failed clicks again, and goes back twice.
    shutil.rmtree(models / before.digest)

    def roll_back(**config: object) -> dg.ExecuteInProcessResult:
        return inbox.run(hand, "rollback_job", "roll_back", **config)

    assert roll_back(reason="worse on the minutes").success
    assert inbox.shown(PROMOTED, hand) == {
        "model": "jean-00000000",
        "promoted": False,
        "candidate": "jean-11111111",
        "reason": "Somebody went back on jean-11111111. worse on the minutes",
    }
    promoted, record = promoted_model(models, HAND), hand_record(models, HAND)
    assert promoted is not None
    assert promoted.model == "jean-00000000"
    assert record is not None
    assert (record.history[-1].how, record.history[-1].reason) == ("rolled back", "worse on the minutes")
    assert roll_back().success
    assert inbox.shown(PROMOTED, hand)["model"] == "ppocr-v6-latin"
    assert set(stale(inbox, hand).values()) == {"FRESH"}
    result = roll_back()
    assert "no model is promoted for the hand" in why(result)
    assert "Traceback" not in why(result)


def test_a_shop_is_of_the_settings_and_not_of_the_environment_later(
    inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shops: list[Workshop] = []
    monkeypatch.setattr("archive_pipeline.training.hand_learner.HandLearner", lambda shop, _: shops.append(shop))
    training = TrainingResource.from_settings(inbox.settings)
    monkeypatch.setenv("ARCHIVE_HOME", "/nowhere")
    training.learner(lambda _: None, minutes=2)
    training.learner(lambda _: None)
    assert [shop.training for shop in shops] == [inbox.settings.training_dir] * 2
    assert [shop.limits.minutes for shop in shops] == [2, 60]
