"""What a model that finds lines is worth: what is read on them in the end, and what follows from that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted import add_model, add_record

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.found_lines import FoundPage, end_to_end, has_lines_to_find
from archive_pipeline.evaluation.segmentation import SegmentationScore
from archive_pipeline.hand_names import hand_key
from archive_pipeline.models.hands import Promoted, promoted_model
from archive_pipeline.models.installed import InstalledModel
from archive_pipeline.models.promoting import promote, rollback
from archive_pipeline.page import Line, Page, Region
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.promotion.comparing import compared_lines
from archive_pipeline.promotion.decision import Decision
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.proofs import kept
from archive_pipeline.promotion.weighing import weigh
from archive_pipeline.training import hand_learner, line_learner, proving
from archive_pipeline.training.hand_learner import HandLearner
from archive_pipeline.training.learning import Candidate
from archive_pipeline.training.line_learner import prove_lines
from archive_pipeline.training.recognition.recipe import Limits, Recipe
from archive_pipeline.training.workshop import Workshop
from archive_pipeline.training_sets.lines import TrainingPage
from archive_pipeline.training_sets.splitting import Split

HAND = "Jean Dupont"


def box(top: int, left: int = 0, right: int = 400) -> tuple[tuple[int, int], ...]:
    return ((left, top), (right, top), (right, top + 30), (left, top + 30))


def page_of(*lines: Line) -> Page:
    place = ((0, 0), (900, 0), (900, 900))
    return Page(number=1, width=900, height=900, regions=(Region(id="r", boundary=place, lines=lines),))


def line(row: int, text: str, left: int = 0, right: int = 400) -> Line:
    return Line(id=f"l{row}-{left}", boundary=box(50 * row, left, right), text=text)


def page(number: int, *lines: Line, skip: frozenset[int] = frozenset()) -> TrainingPage:
    return TrainingPage(
        id=f"jean/{number}",
        group=f"jean/{number}",
        image=Path("x.png"),
        image_sha256=f"{number}" * 64,
        page=page_of(*(lines or (line(0, "text"),))),
        skip=skip,
        licence=None,
        origin="set",
    )


TRUTH = page(1, line(0, "first line"), line(1, "second"), line(2, "unfit line"), line(3, "~~~ pencil"), skip={2})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("read", "errors"),
    [
        ((line(0, "first line"), line(1, "second")), 0),
        ((line(1, "second"), line(0, "first line")), 0),
        ((line(0, "fxrst line"), line(1, "second")), 1),
        ((line(0, "first line"),), 6),
        ((), 16),
        # Half of a line is what is missing of it, and again as a line that is none.
        ((line(0, "first", 0, 200), line(0, "line", 200, 400), line(1, "second")), 5 + 4),
        ((line(0, "first line"), line(1, "second"), line(8, "stain")), 5),
        # What stands where the truth does not count is nobody's fault.
        ((line(0, "first line"), line(1, "second"), line(2, "unfit"), line(3, "pencil")), 0),
    ],
    ids=["all", "order", "letter", "missing", "nothing", "in-two", "none", "uncounted"],
)
def test_what_is_read_in_the_end_counts_with_the_lines_that_are_none(read: tuple[Line, ...], errors: int) -> None:
    assert end_to_end(TRUTH, page_of(*read)) == (errors, len("first linesecond"))


@pytest.mark.parametrize("first", ["fit", "unfit"])
@pytest.mark.parametrize(
    ("read", "errors"),
    [
        ((line(0, "first line"),), 0),
        ((line(0, "fxrst line"),), 1),
        # As far from the one as from the other, and with the name of the one that does not count.
        ((Line(id="unfit", boundary=box(3, 10, 400), text="first line"),), 0),
        ((line(0, "first line"), line(0, "pencil", 5, 400)), 0),
        ((line(0, "first line"), line(0, "pencil", 5, 400), line(8, "stain")), 5),
        ((), 10),
    ],
    ids=["alone", "letter", "name", "both", "none", "nothing"],
)
def test_where_a_line_that_does_not_count_lies_on_one_that_does_what_is_read_there_counts(
    read: tuple[Line, ...], errors: int, first: str
) -> None:
    both = [line(0, "first line"), Line(id="unfit", boundary=box(2, 5, 400), text="first line")]
    truth = page(1, *(both if first == "fit" else both[::-1]), skip=frozenset({1 if first == "fit" else 0}))
    assert end_to_end(truth, page_of(*read)) == (errors, 10)


def test_a_line_that_does_not_count_beside_one_that_does_has_what_is_read_in_its_own_place() -> None:
    aside = Line(id="unfit", boundary=box(8), text="pencil")
    truth = page(1, line(0, "first line"), aside, skip=frozenset({1}))
    assert end_to_end(truth, page_of(line(0, "first line"), aside)) == (0, 10)
    assert end_to_end(truth, page_of(aside)) == (10, 10)


def test_an_image_of_one_line_has_no_lines_to_find() -> None:
    whole = ((0, 0), (899, 0), (899, 899), (0, 899))
    assert not has_lines_to_find(page(1, Line(id="line", boundary=whole, text="x")))
    assert has_lines_to_find(page(1, line(0, "x")))
    assert has_lines_to_find(TRUTH)


def found(errors: int, matched: int) -> FoundPage:
    score = SegmentationScore(10, 12, matched, baseline_precision=1, baseline_recall=1, baseline_f1=1, region_iou=None)
    return FoundPage(errors, 100, score)


def test_both_are_held_against_each_other_on_the_pages_that_the_model_in_use_could_read() -> None:
    pages = [page(number) for number in range(3)]
    before = {"jean/0": found(140, 5), "jean/1": found(50, 6)}
    compared, lines = compared_lines(pages, before, {"jean/1": found(20, 9), "jean/2": found(0, 10)})
    assert [each.errors for each in compared.current] == [140, 50]
    # What it could not look at counts for it in no way.
    assert [each.errors for each in compared.candidate] == [140, 20]
    assert (lines.current.recall, lines.candidate.recall) == (55, 45)
    assert (lines.current.precision, lines.candidate.precision) == (pytest.approx(100 * 11 / 24), 75)


@dataclass
class Bench:
    """A hand with six frozen pages, read by ``of-jean``, and what is read on the lines that each model finds."""

    shop: Workshop
    errors: dict[str, int]
    looked: list[tuple[str, str]]

    @property
    def models(self) -> Path:
        return self.shop.models

    def prove(self, lines: str) -> tuple[bool, str]:
        decided = prove_lines(self.shop, hand_key(HAND), lines, lambda _: None)
        return decided.promoted, decided.reason

    def promoted(self) -> Promoted | None:
        return promoted_model(self.models, HAND)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    models = tmp_path / "models"
    shop = Workshop(
        training=tmp_path / "training",
        models=models,
        store=tmp_path / "store",
        options=ProcessingOptions(models_dir=models),
        recipe=Recipe(),
        limits=Limits(),
    )
    made = Bench(shop, {"ppocr-v6-detection": 40, "kraken-blla": 30}, [])
    split = Split(hand=HAND, key=hand_key(HAND), frozen=tuple(page(number) for number in range(6)))

    def read(
        pages: Sequence[TrainingPage], lines: InstalledModel, reader: InstalledModel, *_: object
    ) -> dict[str, FoundPage]:
        made.looked.append((lines.id, reader.id))
        return {each.id: found(made.errors[lines.id], 8) for each in pages}

    def judgeable(*_: object) -> Split:
        return split

    monkeypatch.setattr(proving, "read_found_lines", read)
    monkeypatch.setattr(line_learner, "judgeable", judgeable)
    return made


def test_lines_are_promoted_if_more_is_read_right_on_them_by_the_model_that_reads_the_hand(bench: Bench) -> None:
    with pytest.raises(UsageError, match="no model is promoted for the hand Jean Dupont"):
        bench.prove("kraken-blla")
    promote(bench.models, HAND, add_model(bench.models, "of-jean"))
    promoted, why = bench.prove("kraken-blla")
    assert promoted
    assert bench.looked == [("ppocr-v6-detection", "of-jean"), ("kraken-blla", "of-jean")]
    assert "The candidate is better on 6 frozen pages: CER 40.00 % → 30.00 %" in why
    assert "Both were read with of-jean. Of 60 lines 80.0 % → 80.0 % were found, and 66.7 % → 66.7 %" in why
    now = bench.promoted()
    assert now is not None
    assert (now.model, now.segmentation_model) == ("of-jean", "kraken-blla")
    (decision,) = (each.decision for each in kept(bench.models, HAND))
    assert (decision.task, decision.candidate.id, decision.verdict) == ("segmentation", "kraken-blla", "promoted")
    assert decision.read_with is not None
    assert decision.read_with.digest == now.digest
    assert bench.prove("kraken-blla") == (False, "kraken-blla finds the lines of this hand already.")
    # A person who goes back outweighs the same proof.
    rollback(bench.models, HAND)
    with pytest.raises(UsageError, match="somebody went back on model kraken-blla"):
        bench.prove("kraken-blla")
    assert bench.promoted() == Promoted(model="of-jean", digest=now.digest)


@pytest.mark.parametrize(
    ("errors", "why"), [(40, "A tie"), (50, "The candidate makes more errors")], ids=["tie", "worse"]
)
def test_lines_on_which_no_more_is_read_right_are_not_used(bench: Bench, errors: int, why: str) -> None:
    promote(bench.models, HAND, add_model(bench.models, "of-jean"))
    bench.errors["kraken-blla"] = errors
    promoted, reason = bench.prove("kraken-blla")
    assert not promoted
    assert reason.startswith(why)
    assert [each.decision.verdict for each in kept(bench.models, HAND)] == ["kept"]
    now = bench.promoted()
    assert now is not None
    assert now.segmentation_model is None


def test_lines_that_learnt_from_a_frozen_page_or_from_nobody_knows_what_are_not_judged(bench: Bench) -> None:
    promote(bench.models, HAND, add_model(bench.models, "of-jean"))
    add_model(bench.models, "lines", "segmentation")
    promoted, why = bench.prove("lines")
    assert (promoted, why.startswith("Nobody knows which pages lines was trained with")) == (False, True)
    add_record(bench.models, "lines", ("3" * 64, ""))
    promoted, why = bench.prove("lines")
    assert (promoted, "jean/3 (there as page/0, by image)" in why) == (False, True)
    assert bench.looked == []
    assert [each.decision.task for each in kept(bench.models, HAND)] == ["segmentation"] * 2
    add_record(bench.models, "lines", ("9" * 64, ""))
    bench.errors["lines"] = 0
    assert bench.prove("lines")[0]


def test_a_proof_against_other_lines_than_those_of_now_is_out_of_date(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = add_model(bench.models, "of-jean")
    promote(bench.models, HAND, reader)
    others = add_model(bench.models, "lines", "segmentation")
    real: Callable[..., object] = line_learner.follow_lines

    def late(*given: object) -> object:
        promote(bench.models, HAND, reader, segmentation=others)
        return real(*given)

    monkeypatch.setattr(line_learner, "follow_lines", late)
    with pytest.raises(UsageError, match="kraken-blla was not compared with of-jean on lines of lines, which the hand"):
        bench.prove("kraken-blla")


def test_on_images_of_lines_nothing_is_proved(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    promote(bench.models, HAND, add_model(bench.models, "of-jean"))
    whole = ((0, 0), (899, 0), (899, 899), (0, 899))
    frozen = tuple(page(number, Line(id="line", boundary=whole, text="x")) for number in range(6))
    split = Split(hand=HAND, key=hand_key(HAND), frozen=frozen)

    def judgeable(*_: object) -> Split:
        return split

    monkeypatch.setattr(line_learner, "judgeable", judgeable)
    assert bench.prove("kraken-blla") == (
        False,
        "The frozen pages are images of lines, on which no lines are to be found.",
    )


@pytest.mark.parametrize(
    ("errors", "bound", "lines", "why"),
    [
        (30, None, "kraken-blla", "as errors, too): The candidate is better on 6 frozen pages"),
        (40, None, None, "as errors, too): A tie"),
        (30, "lines", "lines", "The candidate is better"),
    ],
    ids=["better", "tie", "bound-before"],
)
def test_with_a_model_that_reads_other_lines_are_promoted_by_proof_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, errors: int, bound: str | None, lines: str | None, why: str
) -> None:
    new = add_model(bench.models, "of-jean")
    if bound:
        promote(
            bench.models,
            HAND,
            add_model(bench.models, "before"),
            segmentation=add_model(bench.models, bound, "segmentation"),
        )
    bench.errors["kraken-blla"] = errors
    outline = ((0, 0), (400, 0), (400, 30), (200, 35), (0, 30))
    drawn = tuple(page(number, Line(id="l", boundary=outline, text="x")) for number in range(7, 9))
    split = Split(hand=HAND, key=hand_key(HAND), frozen=tuple(page(number) for number in range(6)), train=drawn)

    def judgeable(*_: object) -> Split:
        return split

    def decide(_: object, of: Split, current: InstalledModel, candidate: InstalledModel, __: object) -> Decision:
        both = ([PageErrors(f"p{n}", f"i{n}", wrong, 100) for n in range(6)] for wrong in (40, 10))
        return weigh(of.hand, proving.named(current), proving.named(candidate), Compared(*both), {})

    monkeypatch.setattr(hand_learner, "judgeable", judgeable)
    monkeypatch.setattr(hand_learner, "decide", decide)
    decided = HandLearner(bench.shop).promote(hand_key(HAND), Candidate(new.id, new.digest), lambda _: None)
    assert decided.promoted
    assert why in decided.reason
    assert bench.promoted() == Promoted(model="of-jean", digest=new.digest, segmentation_model=lines)
    # One step back goes back on both.
    rollback(bench.models, HAND)
    now = bench.promoted()
    assert (now.model if now else None) == ("before" if bound else None)
    # The lines are read by the candidate, which is to read them.
    assert {reader for _, reader in bench.looked} == (set() if bound else {"of-jean"})
