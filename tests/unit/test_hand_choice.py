"""A hand's promoted model among what is said of a document, and a hand that is misspelt."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from promoted import add_model

from archive_pipeline.errors import ModelError
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.processing.choice import RUN, Said, decide
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.hand_choice import misspelt
from archive_pipeline.processing.said import said_again, said_of

HAND = "Jean Dupont"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


def said(where: str, **wishes: Any) -> Said:
    return Said(where, Wishes(**wishes), dict.fromkeys(wishes, 3), is_file=where.endswith(".yaml"))


PROMOTED = f"promoted for the hand {HAND}"


@pytest.mark.parametrize(
    ("places", "model", "origin"),
    [
        ([said("a.yaml", hand=HAND)], "of-jean", PROMOTED),
        ([said("a.yaml", hand="jean  dupont")], "of-jean", "promoted for the hand jean dupont"),
        ([said("a.yaml", hand="Another")], "ppocr-v6-latin", "built in"),
        ([said("a.yaml", hand=HAND, model="own")], "own", "a.yaml"),
        ([said("a.yaml", model="own"), said("above.yaml", hand=HAND)], "own", "a.yaml"),
        # The hand is named nearer to the document than the model.
        ([said("a.yaml", hand=HAND), said("above.yaml", model="own")], "of-jean", PROMOTED),
        ([said("a.yaml", hand="Another"), said("above.yaml", model="own", hand=HAND)], "own", "above.yaml"),
        ([said("a.yaml", hand=HAND), said("settings", model="own")], "of-jean", PROMOTED),
        ([said(RUN, model="own"), said("a.yaml", hand=HAND)], "own", RUN),
        ([said(RUN, hand=HAND), said("a.yaml", model="own")], "of-jean", PROMOTED),
    ],
    ids=[
        "hand",
        "folded",
        "unknown",
        "same-place",
        "model-nearer",
        "hand-nearer",
        "other-hand",
        "settings",
        "run",
        "run-hand",
    ],
)
def test_the_promoted_model_comes_right_behind_the_place_that_names_the_hand(
    models: Path, places: list[Said], model: str, origin: str
) -> None:
    add_model(models, "own")
    promote(models, HAND, add_model(models, "of-jean"))
    choices = decide(places, ModelLibrary(models)).choices
    assert (choices.model, choices.origins["model"]) == (model, origin)
    assert choices.chosen_by == (
        "run" if RUN in (places[0].where,) else "settings" if model[:3] == "ppo" else "document"
    )


@pytest.mark.parametrize(
    ("places", "segmentation", "origin"),
    [
        ([said("a.yaml", hand=HAND)], "kraken-blla", PROMOTED),
        ([said("a.yaml", hand=HAND), said("settings", engine="ppocr")], "kraken-blla", PROMOTED),
        ([said("a.yaml", hand=HAND, engine="ppocr")], "ppocr-v6-detection", "built in"),
        ([said("a.yaml", segmentation_model="own-lines", hand=HAND)], "own-lines", "a.yaml"),
        # Who names a model for reading has said nothing of lines.
        ([said(RUN, model="own"), said("a.yaml", hand=HAND)], "kraken-blla", PROMOTED),
    ],
    ids=["hand", "settings", "engine", "own", "run"],
)
def test_lines_are_found_as_the_promoted_model_needs_them_unless_somebody_nearer_says_otherwise(
    models: Path, places: list[Said], segmentation: str, origin: str
) -> None:
    add_model(models, "own")
    add_model(models, "own-lines", "segmentation")
    library = ModelLibrary(models)
    promote(models, HAND, add_model(models, "of-jean"), segmentation=library.installed("kraken-blla"))
    choices = decide(places, ModelLibrary(models)).choices
    assert (choices.segmentation_model, choices.origins["segmentation_model"]) == (segmentation, origin)


def test_a_promoted_model_that_is_gone_or_another_one_now_is_said_with_the_way_back(models: Path) -> None:
    model = add_model(models, "of-jean")
    promote(models, HAND, model)
    add_model(models, "of-jean", data=b"another")
    with pytest.raises(ModelError, match="of-jean, promoted for the hand Jean Dupont, cannot be used") as caught:
        decide([said("a.yaml", hand=HAND)], ModelLibrary(models))
    assert "hands rollback" in caught.value.remedy
    (models / "entries" / "of-jean.json").unlink()
    with pytest.raises(ModelError, match="of-jean, promoted for the hand Jean Dupont, cannot be used"):
        decide([said("a.yaml", hand=HAND)], ModelLibrary(models))
    # Whoever names a model has no use for it.
    assert decide([said(RUN, model="ppocr-v6-latin"), said("a.yaml", hand=HAND)], ModelLibrary(models))


@pytest.mark.parametrize("hand", ["Jean Dupon", "jaen dupont", "Jean-Dupont"])
def test_a_hand_that_is_called_nearly_as_one_with_a_model_is_asked_after(models: Path, hand: str) -> None:
    promote(models, HAND, add_model(models, "one"))
    said = misspelt(hand, ModelLibrary(models))
    assert said == f"No model is promoted for the hand '{hand}', but one is for 'Jean Dupont': is that meant?"


@pytest.mark.parametrize("hand", [None, " ", "auto", "JEAN  dupont", "Marie Dupont", "Dupont"])
def test_nothing_is_asked_of_no_hand_an_unknown_one_its_own_or_another_one(models: Path, hand: str | None) -> None:
    promote(models, HAND, add_model(models, "one"))
    assert misspelt(hand, ModelLibrary(models)) is None


@pytest.mark.parametrize(
    ("one", "other", "asked"),
    [
        ("clerk 1", "clerk 2", False),
        ("Schreiber II", "Schreiber III", False),
        ("Scribe A", "Scribe B", False),
        ("P. Dupont", "J. Dupont", False),
        ("scribe-1", "scribe-2", False),
        ("clerk1", "clerk2", False),
        ("Master Lill", "Master Lil", True),
        ("Notary Dubois 1", "Notary Dubios 2", True),
        ("clerk 11", "clerk11", True),
        ("P. Dupont", "P. Dupond", True),
    ],
)
def test_hands_that_are_numbered_are_not_taken_for_one(models: Path, one: str, other: str, asked: bool) -> None:
    promote(models, one, add_model(models, "one"))
    assert (misspelt(other, ModelLibrary(models)) is not None) is asked


def test_behind_numbered_hands_the_one_that_is_meant_is_found(models: Path) -> None:
    for index, hand in enumerate(("clerk 1", "clerk 3", "clerk 4", "clerc 2")):
        promote(models, hand, add_model(models, f"m{index}"))
    said = misspelt("clerk 2", ModelLibrary(models))
    assert said is not None
    assert "'clerc 2'" in said


def test_a_hand_whose_model_somebody_went_back_on_is_no_misspelt_one(models: Path) -> None:
    promote(models, HAND, add_model(models, "one"))
    promote(models, "Jean Dupon", add_model(models, "two"))
    rollback(models, "Jean Dupon")
    assert misspelt("Jean Dupon", ModelLibrary(models)) is None
    rollback(models, HAND)
    assert misspelt("Jean Duponx", ModelLibrary(models)) is None


def test_a_damaged_record_of_another_hand_keeps_no_document_from_being_read(models: Path) -> None:
    promote(models, HAND, add_model(models, "one"))
    next((models / "hands").glob("[!.]*.json")).write_text("{")
    assert misspelt("Jean Dupon", ModelLibrary(models)) is None
    assert misspelt("Jean Dupon", ModelLibrary(None)) is None


def test_what_files_say_comes_back_from_a_state() -> None:
    wishes = (Wishes(hand="Jérôme", language="fr"), Wishes(language="de"), Wishes(engine="kraken", model="x"))
    assert [each.wishes for each in said_again(said_of(wishes))] == [
        Wishes(hand="Jérôme"),
        Wishes(engine="kraken", model="x"),
    ]
    assert said_of([Wishes(language="de")]) == said_of([]) == "[]"
