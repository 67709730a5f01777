"""A hand that nobody knows: when it is tried, what is taken, and what is left to the general model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from promoted import add_model

from archive_pipeline.document_states import DocumentState
from archive_pipeline.errors import UsageError
from archive_pipeline.models.library import ModelLibrary
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.nights.plan import why_of
from archive_pipeline.nights.today import Today
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.choice import RUN, Said, decide
from archive_pipeline.processing.document_settings import Wishes
from archive_pipeline.processing.hand_choice import Found, asks_for_a_hand
from archive_pipeline.processing.hand_trial import Tried, judge, promoted_digest, promoted_now
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.processing.unknown_hand import _some_lines
from archive_pipeline.store import Store


def said(where: str, **wishes: Any) -> Said:
    return Said(where, Wishes(**wishes), is_file=where.endswith(".yaml"))


@pytest.mark.parametrize(
    ("places", "asks"),
    [
        ([said("a.yaml", hand="auto")], True),
        ([said("a.yaml", hand=" Auto ")], True),
        ([said("a.yaml", hand="Jean"), said("above.yaml", hand="auto")], False),
        ([said("a.yaml"), said("above.yaml", hand="auto", language="fr")], True),
        ([said("a.yaml", hand="auto", model="own")], False),
        ([said(RUN, model="own"), said("a.yaml", hand="auto")], False),
        ([said("a.yaml", hand="auto"), said("above.yaml", model="own")], True),
        ([], False),
    ],
    ids=["auto", "folded", "named-nearer", "above", "model-beside", "model-of-run", "model-above", "nothing"],
)
def test_models_are_tried_where_the_nearest_hand_is_unknown_and_nobody_nearer_names_a_model(
    places: list[Said], asks: bool
) -> None:
    assert asks_for_a_hand(places) == asks


def tried(hand: str, confidence: float | None, lines: int = 20) -> Tried:
    return Tried(hand=hand, model=f"of-{hand or 'all'}", lines=lines, confidence=confidence)


@pytest.mark.parametrize(
    ("general", "hands", "hand", "margin", "why"),
    [
        (0.80, {"Jean": 0.93, "Meier": 0.90}, "Jean", 0.03, "Jean fits best, 93.0% sure against 80.0% of the general"),
        (0.90, {"Jean": 0.93, "Meier": 0.2}, "", -0.03, "none is surer than the general model by 5%"),
        (0.90, {"Jean": 0.2}, "", 0.7, "none is surer"),
        (None, {"Jean": 0.6}, "Jean", None, "Jean fits best, 60.0% sure against 0.0%"),
        (None, {"Jean": None}, "", None, "no hand's model could be tried"),
        (0.9, {}, "", None, "no hand's model could be tried"),
    ],
    ids=["best", "margin", "worse", "general-reads-nothing", "no-lines", "no-hands"],
)
def test_the_model_that_is_surest_of_its_lines_is_taken_if_it_is_so_by_a_margin(
    general: float | None, hands: dict[str, float | None], hand: str, margin: float | None, why: str
) -> None:
    trial = judge("key", tried("", general), [tried(name, sure) for name, sure in hands.items()])
    assert (trial.hand, trial.margin) == (hand, margin)
    assert trial.found.hand == hand
    assert why in trial.found.why


def test_a_few_long_lines_are_taken_from_all_over_the_page() -> None:
    def line(number: int, width: int) -> Line:
        top = number * 50
        return Line(id=f"l{number}", boundary=((0, top), (width, top), (width, top + 30), (0, top + 30)))

    place = ((0, 0), (9, 0), (9, 9))
    first = Region(id="r1", boundary=place, lines=tuple(line(number, 400) for number in range(10)))
    second = Region(id="r2", boundary=place, lines=tuple(line(number, 40) for number in range(10, 20)))
    page = Page(number=1, width=900, height=900, regions=(first, second))
    assert [each.id for each in _some_lines(page, 4).lines()] == ["l0", "l2", "l5", "l7"]
    assert len(_some_lines(page, 99).regions) == 1
    only_short = page.model_copy(update={"regions": (second,)})
    assert [each.id for each in _some_lines(only_short, 2).lines()] == ["l10", "l15"]
    assert list(_some_lines(page, 0).lines()) == []


def test_what_was_found_is_chosen_and_told_and_the_hand_stays_unknown(tmp_path: Path) -> None:
    models = tmp_path / "models"
    promote(models, "Jean", add_model(models, "of-jean"))
    places = [said("a.yaml", hand="auto"), said("above.yaml", model="own")]
    told = decide(places, ModelLibrary(models), found_hand=Found("Jean", "Jean fits best")).choices.told()
    assert told["model"] == {"value": "of-jean", "from": "promoted for the hand Jean, which was found"}
    # Nobody's ground truth: a guess is no name.
    assert told["hand"] == {"value": "auto", "from": "a.yaml; Jean fits best"}
    choices = decide(places[:1], ModelLibrary(models), found_hand=Found("", "none is surer")).choices
    assert (choices.model, choices.origins["hand"]) == ("ppocr-v6-latin", "a.yaml; none is surer")
    assert decide(places[:1], ModelLibrary(models)).choices.model == "ppocr-v6-latin"


def test_no_model_is_promoted_for_unknown_hands(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stands for a hand that nobody knows"):
        promote(tmp_path, "Auto", add_model(tmp_path, "one"))


def test_the_night_has_unknown_hands_tried_again_when_another_model_is_promoted(tmp_path: Path) -> None:
    models, uploads, store = tmp_path / "models", tmp_path / "uploads", Store(tmp_path / "store")
    uploads.mkdir()
    (uploads / "a.pdf").write_bytes(b"x")
    key = store.register(uploads / "a.pdf", uploads)
    options = ProcessingOptions(uploads_dir=uploads, models_dir=models)
    promote(models, "Jean", add_model(models, "of-jean"))

    def why(state: DocumentState) -> str | None:
        return why_of(state, Today(store, options)(key, state))

    digest = promoted_digest(promoted_now(ModelLibrary(models)))
    state = DocumentState(
        key, "done", "", "", 0.0, chosen_by="document", hand="auto", said='[{"hand": "Jean"}]', tried=digest
    )
    wanted = Today(store, options)(key, state)
    assert wanted.models == ("ppocr-v6-detection", "of-jean")
    state = replace(state, fingerprint=wanted.fingerprint, made_with=wanted.made_with)
    state = replace(state, segmentation=wanted.models[0], recognition=wanted.models[1])
    assert why(state) is None
    promote(models, "Meier", add_model(models, "of-meier"))
    assert why(state) == "model"
    rollback(models, "Meier")
    assert why(state) is None
    rollback(models, "Jean")
    assert why(state) == "model"
    (models / "hands" / "meier.json").write_text("{")
    assert why(replace(state, said="[]", segmentation="ppocr-v6-detection", recognition="ppocr-v6-latin")) == "made"
