"""Which model reads a hand: promoted, gone back on, and kept from pruning."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock, Timeout
from promoted import add_model, reads

from archive_pipeline.cli import cli
from archive_pipeline.errors import ModelError, UsageError
from archive_pipeline.models import prune
from archive_pipeline.models.hands import hand_record, hand_records, promoted_model
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.models.prune import candidates, remove

HAND = "Jean Dupont"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def test_a_hand_goes_back_step_by_step_and_its_history_only_grows(models: Path) -> None:
    one, two = add_model(models, "one"), add_model(models, "two")
    assert reads(models, HAND) is None
    promote(models, HAND, one, reason="first")
    promote(models, "jean  DUPONT", two, reason="second")
    assert (reads(models, HAND), reads(models, "JEAN dupont"), reads(models, "Jeanne")) == ("two", "two", None)
    steps = [rollback(models, HAND).promoted, rollback(models, HAND).promoted]
    assert [each.model if each else None for each in steps] == ["one", None]
    with pytest.raises(UsageError, match="no model is promoted for the hand 'Jean Dupont'"):
        rollback(models, HAND)
    promote(models, HAND, one)
    record = hand_record(models, HAND)
    assert record is not None
    assert record.name == HAND
    assert [entry.how for entry in record.history] == [
        "promoted",
        "promoted",
        "rolled back",
        "rolled back",
        "promoted",
    ]
    assert [entry.reason for entry in record.history[:2]] == ["first", "second"]
    assert (reads(models, HAND), record.before) == ("one", None)


def test_to_promote_what_is_promoted_changes_nothing(models: Path) -> None:
    one = add_model(models, "one")
    assert promote(models, HAND, one) == promote(models, HAND, one, reason="again")


def test_lines_are_found_as_before_where_nobody_names_a_model_for_them(models: Path) -> None:
    lines, others = (add_model(models, name, "segmentation") for name in ("lines", "others"))
    promote(models, HAND, add_model(models, "one"), segmentation=lines)
    for name, segmentation in (("two", None), ("three", others), ("four", None)):
        promote(models, HAND, add_model(models, name), segmentation=segmentation, reason="a person knows better")
    record = hand_record(models, HAND)
    assert record is not None
    found = [entry.promoted.segmentation_model for entry in record.history if entry.promoted]
    assert found == ["lines", "lines", "others", "others"]
    # They are as much in the way as the model itself if they were removed.
    others.path.unlink()
    with pytest.raises(ModelError, match="model others is not there any more"):
        promote(models, HAND, add_model(models, "five"))
    assert reads(models, HAND) == "four"


def test_two_at_once_lose_nothing(models: Path) -> None:
    several = [add_model(models, f"model-{number}") for number in range(8)]
    threads = [threading.Thread(target=promote, args=(models, HAND, model)) for model in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    record = hand_record(models, HAND)
    assert record is not None
    assert {entry.promoted.model for entry in record.history if entry.promoted} == {each.id for each in several}
    assert len(record.history) == 8


def test_what_finds_lines_or_is_served_is_not_promoted_to_read(models: Path) -> None:
    with pytest.raises(UsageError, match="another task"):
        promote(models, HAND, add_model(models, "lines", "segmentation"))
    with pytest.raises(UsageError, match="another task"):
        promote(models, HAND, add_model(models, "one"), segmentation=add_model(models, "two"))
    with pytest.raises(UsageError, match="read by a server"):
        promote(models, HAND, ModelLibrary(models).installed("surya-ocr-2"))
    assert hand_records(models) == ()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"schema_version": 1, "name": "Jean Dupont", "history": []}',
        '{"schema_version": 1, "name": "Another", "history": [{"how": "promoted", "promoted": null, "when": ""}]}',
        '{"schema_version": 1, "name": "Jean Dupont", "history": [{"how":"rolled back","promoted":null,"when":""}]}',
    ],
    ids=["torn", "empty", "no-history", "another-hand", "back-too-far"],
)
def test_a_damaged_record_is_said_and_never_taken_for_none(models: Path, text: str) -> None:
    record = promote(models, HAND, add_model(models, "one"))
    (models / "hands" / f"{record.key}.json").write_text(text)
    with pytest.raises(ModelError, match="says what model reads a hand, is damaged") as damaged:
        promoted_model(models, HAND)
    assert damaged.value.remedy.startswith("Restore it")


# --- pruning ---------------------------------------------------------------------------------------------------------


def test_models_that_a_hand_needs_are_not_pruned_and_those_it_had_are_told(models: Path) -> None:
    several = [add_model(models, name) for name in ("first", "second", "third", "other")]
    lines = add_model(models, "lines", "segmentation")
    promote(models, HAND, several[0], segmentation=lines)
    elsewhere = ModelLibrary(models).installed("kraken-blla")
    promote(models, HAND, several[1], segmentation=elsewhere)
    promote(models, HAND, several[2])
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    assert {name: each.hands for name, each in found.items()} == {
        "first": (),
        "second": (HAND,),
        "third": (HAND,),
        "other": (),
        "lines": (),
    }
    assert {name for name, each in found.items() if each.once} == {"first"}
    with pytest.raises(UsageError, match="model third reads Jean Dupont, or would after a rollback"):
        remove(found["third"], models)
    assert ModelLibrary(models).installed("third").path.exists()
    rollback(models, HAND)
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    # A rollback would go to the first one, and to its lines.
    assert {name for name, each in found.items() if each.hands} == {"first", "second", "lines"}
    assert {name for name, each in found.items() if each.once} == {"third"}


@pytest.mark.parametrize("role", ["recognition", "segmentation"])
def test_a_model_that_a_hand_got_since_it_was_listed_is_not_pruned(models: Path, role: str) -> None:
    one, lines = add_model(models, "one"), add_model(models, "lines", "segmentation")
    found = {each.what: each for each in candidates(ModelLibrary(models), (), everything=True)}
    promote(models, HAND, one, segmentation=lines)
    name = "one" if role == "recognition" else "lines"
    assert found[name].hands == ()
    with pytest.raises(UsageError, match=f"model {name} reads Jean Dupont"):
        remove(found[name], models)
    ModelLibrary(models).installed(name).verify()


def test_nothing_is_promoted_while_a_model_is_removed(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_model(models, "one")
    (found,) = candidates(ModelLibrary(models), (), everything=True)
    held: list[bool] = []

    def removed(folder: Path, root: Path) -> None:
        try:
            FileLock(root / "hands" / ".lock").acquire(timeout=0)
        except Timeout:
            held.append(True)

    monkeypatch.setattr(prune, "remove_folder", removed)
    assert remove(found, models)
    assert held == [True]


def test_a_model_that_was_pruned_meanwhile_is_not_promoted(models: Path) -> None:
    one = add_model(models, "one")
    (found,) = candidates(ModelLibrary(models), (), everything=True)
    assert remove(found, models)
    with pytest.raises(ModelError, match="model one is not there any more"):
        promote(models, HAND, one)
    assert promoted_model(models, HAND) is None


def test_the_prune_command_keeps_them(models: Path, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        promote(models, HAND, add_model(models, name))
    add_model(models, "four")
    environment = {"ARCHIVE_HOME": str(tmp_path)}
    (tmp_path / "store" / "documents").mkdir(parents=True)
    told = CliRunner().invoke(cli, ["models", "prune", "--all", "--json"], env=environment)
    stays = {row["what"]: row["stays"] for row in json.loads(told.stdout)}
    assert stays["four"] is None
    assert stays["one"] == "it has read the hand Jean Dupont; add --even-used"
    assert stays["three"].startswith("it reads the hand Jean Dupont, or would after a rollback")
    CliRunner().invoke(cli, ["models", "prune", "--all", "--even-used"], env=environment)
    assert {entry.id for entry in ModelLibrary(models).kept} == {"two", "three"}
