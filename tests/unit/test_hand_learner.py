"""What a hand is learnt from, what is not even looked at, and what a proof is followed by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from promoted import add_model, add_record

from archive_pipeline.errors import ArchiveError, ModelError, Stopped, UsageError
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.hands import Promoted, promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.promoting import promote
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.decision import Decision
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.proofs import kept
from archive_pipeline.promotion.weighing import weigh
from archive_pipeline.training import hand_learner, proving
from archive_pipeline.training.hand_learner import HandLearner
from archive_pipeline.training.learning import Candidate
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splitting import Split

HAND = "Jean Dupont"
LONGER = "another text, as long as it has to be so that it is known again wherever it may be come upon " * 2
LONG = "a text that is long enough to be known by, wherever it comes from, in whatever form " * 2


def page(name: str, image: str, *, text: str = "text", group: str | None = None) -> TrainingPage:
    outline = ((0, 0), (400, 0), (400, 30), (200, 35), (0, 30))
    line = Line(id="l", boundary=outline, text=text)
    return TrainingPage(
        id=name,
        group=group or name,
        image=Path("x.png"),
        image_sha256=image * 64,
        page=Page(number=1, width=900, height=900, regions=(Region(id="r", boundary=outline, lines=(line,)),)),
        skip=frozenset(),
        licence=None,
        origin="set",
    )


FROZEN = tuple(page(f"jean/{number}", str(number)) for number in range(6))
DRAWN = (page("jean/7", "7"), page("jean/8", "8"))
GUARDED = [page("others/1", "a"), page("others/2", "b", text=LONG)]


def learner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: Split, **more: object) -> HandLearner:
    """Of a hand with those pages, and with a guarded set, ``others``."""

    def of_hand(*_: object) -> Split:
        return split

    def guarded(_: object) -> dict[str, list[TrainingPage]]:
        return {"others": GUARDED}

    monkeypatch.setattr(Workshop, "split", of_hand)
    for module in (hand_learner, proving):
        monkeypatch.setattr(module, "guarded_pages", guarded)
    models = tmp_path / "models"
    return HandLearner(
        Workshop(
            training=tmp_path / "training",
            models=models,
            store=tmp_path / "store",
            options=ProcessingOptions(models_dir=models),
            **({"recipe": Recipe(), "limits": Limits()} | more),  # type: ignore[arg-type]
        )
    )


def quiet(_: str) -> None:
    pass


# What is trained with


def test_copies_of_guarded_pages_are_not_trained_with_in_whatever_set_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = [page(f"jean/{number}", f"{number}") for number in range(6)]
    apart = [
        page("jean/copy", "a"),
        page("jean/scanned-anew", "f", text=LONG),
        # Lines of one page, of which one is in the guarded set.
        page("jean/line-1", "b", group="jean/lines"),
        page("jean/line-2", "c", group="jean/lines"),
        # A new scan of a mended copy: nothing of it is in the guarded set.
        page("jean/copy-of-a-copy", "d", text=LONGER),
        page("jean/mended-copy", "a", text=LONGER),
    ]
    split = Split(HAND, hand_key(HAND), FROZEN, train=(*free[:3], *apart), validate=(*free[3:], GUARDED[0]))
    trained: list[list[str]] = []

    def train(training: Sequence[TrainingPage], validate: Sequence[TrainingPage], *_: object, **__: object) -> None:
        trained.extend([each.id for each in pages] for pages in (training, validate))
        raise UsageError("enough")

    monkeypatch.setattr(hand_learner, "train_recognition", train)
    said: list[str] = []
    with pytest.raises(UsageError, match="enough"):
        learner(tmp_path, monkeypatch, split).train(hand_key(HAND), said.append)
    assert trained == [[each.id for each in free], []]
    assert said[0] == "7 pages are in a guarded set, or copies of its pages, and not trained with."


def test_a_training_goes_on_where_one_of_as_many_minutes_ended_and_takes_the_place_of_none_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_model(tmp_path / "models", "base")
    add_record(tmp_path / "models", "base")
    folders: list[Path] = []

    def train(*given: object, **_: object) -> None:
        assert isinstance(given[4], Path)
        folders.append(given[4])
        raise UsageError("enough")

    monkeypatch.setattr(hand_learner, "train_recognition", train)
    split = Split(HAND, hand_key(HAND), FROZEN, train=DRAWN)
    for steps, minutes in ((None, 60), (None, 90), (None, 60), (9, 60), (9, 90)):
        recipe = Recipe(steps=steps)
        jean = learner(tmp_path, monkeypatch, split, recipe=recipe, limits=Limits(minutes=minutes), base="base")
        with pytest.raises(UsageError, match="enough"):
            jean.train(hand_key(HAND), quiet)
    assert folders[0] == folders[2] != folders[1]
    assert folders[3] == folders[4]
    assert len(set(folders)) == 3


@pytest.mark.parametrize("image", ["2", "a"], ids=["frozen", "guarded"])
def test_no_training_begins_with_a_base_that_saw_what_the_new_model_is_judged_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: str
) -> None:
    add_model(tmp_path / "models", "base")
    add_record(tmp_path / "models", "base", (image * 64, ""))
    split = Split(HAND, hand_key(HAND), FROZEN, train=DRAWN)
    seen = {"2": "jean/2", "a": "others/1"}[image]
    with pytest.raises(UsageError, match=rf"cannot begin with base: .*{seen} \(there as page/0, by image\)"):
        learner(tmp_path, monkeypatch, split, base="base").train(hand_key(HAND), quiet)


# What is looked at


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ("3", "A leak: model of-jean was trained with pages that it would be judged by: jean/3"),
        ("a", "A leak: model of-jean was trained with pages that it would be judged by: others/1"),
        ("", "Nobody knows which pages of-jean was trained with"),
    ],
    ids=["frozen", "guarded", "unknown"],
)
def test_a_candidate_that_may_have_seen_a_page_reads_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: str, why: str
) -> None:
    def reads(*_: object) -> None:
        pytest.fail("something was read")

    monkeypatch.setattr(hand_learner, "evaluation", reads)
    monkeypatch.setattr(proving, "evaluation", reads)
    models = tmp_path / "models"
    new = add_model(models, "of-jean")
    if image:
        add_record(models, "of-jean", (image * 64, ""))
    jean = learner(tmp_path, monkeypatch, Split(HAND, hand_key(HAND), FROZEN, train=DRAWN))
    candidate = Candidate(new.id, new.digest)
    evaluated = jean.evaluate(hand_key(HAND), candidate, quiet)
    assert list(evaluated.figures) == ["note"]
    assert str(evaluated.figures["note"]).startswith(why)
    decided = jean.promote(hand_key(HAND), candidate, quiet)
    assert (decided.promoted, decided.reason) == (False, evaluated.figures["note"])
    assert promoted_model(models, HAND) is None


# What follows from a proof


def proved(_: object, of: Split, current: InstalledModel, new: InstalledModel, __: object) -> Decision:
    """That a candidate is better on eight pages."""
    both = ([PageErrors(f"p{n}", f"i{n}", wrong, 100) for n in range(8)] for wrong in (40, 10))
    return weigh(of.hand, proving.named(current), proving.named(new), Compared(*both), {})


@pytest.mark.parametrize(
    "error",
    [ModelError("model kraken-blla is damaged"), UsageError("there is no page that could be read")],
    ids=["model", "pages"],
)
def test_a_model_that_is_proved_is_promoted_although_lines_beside_it_cannot_be_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: ArchiveError
) -> None:
    def fails(*_: object) -> Decision:
        raise error

    monkeypatch.setattr(hand_learner, "decide", proved)
    monkeypatch.setattr(hand_learner, "decide_lines", fails)
    models = tmp_path / "models"
    new = add_model(models, "of-jean")
    jean = learner(tmp_path, monkeypatch, Split(HAND, hand_key(HAND), FROZEN, train=DRAWN))
    decided = jean.promote(hand_key(HAND), Candidate(new.id, new.digest), quiet)
    assert (decided.promoted, decided.model) == (True, "of-jean")
    assert f"found as before, since those of kraken-blla could not be tried: {error.what}." in decided.reason
    assert decided.reason.endswith("hands prove 'Jean Dupont' --segmentation-model kraken-blla")
    assert promoted_model(models, HAND) == Promoted(model="of-jean", digest=new.digest)


def test_who_is_asked_to_stop_while_lines_are_tried_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: object) -> Decision:
        raise Stopped("asked to stop")

    monkeypatch.setattr(hand_learner, "decide", proved)
    monkeypatch.setattr(hand_learner, "decide_lines", stops)
    new = add_model(tmp_path / "models", "of-jean")
    jean = learner(tmp_path, monkeypatch, Split(HAND, hand_key(HAND), FROZEN, train=DRAWN))
    with pytest.raises(Stopped):
        jean.promote(hand_key(HAND), Candidate(new.id, new.digest), quiet)
    assert promoted_model(tmp_path / "models", HAND) is None


@pytest.mark.parametrize("had_lines", [True, False], ids=["had-lines", "got-lines"])
def test_lines_of_which_somebody_decides_while_a_model_is_proved_stay_as_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, had_lines: bool
) -> None:
    models = tmp_path / "models"
    before, new = add_model(models, "before"), add_model(models, "of-jean")
    lines = add_model(models, "lines", "segmentation")
    others = add_model(models, "others", "segmentation")
    promote(models, HAND, before, segmentation=lines if had_lines else None)

    def decide(*given: object) -> Decision:
        promote(models, HAND, before, segmentation=others, reason="meanwhile")
        return proved(*given)  # type: ignore[arg-type]

    def none(*_: object) -> None:
        pytest.fail("lines were tried")

    monkeypatch.setattr(hand_learner, "decide", decide)
    monkeypatch.setattr(hand_learner, "decide_lines", none)
    # Without outlines there are no lines to try.
    jean = learner(tmp_path, monkeypatch, Split(HAND, hand_key(HAND), FROZEN))
    with pytest.raises(UsageError, match="of-jean was not compared with before on lines of others"):
        jean.promote(hand_key(HAND), Candidate(new.id, new.digest), quiet)
    now = promoted_model(models, HAND)
    assert now == Promoted(model="before", digest=before.digest, segmentation_model="others")
    assert [each.decision.verdict for each in kept(models, HAND)] == ["promoted"]
