"""Each candidate that is judged by the same pages has its chance of luck: what that asks of the next one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive_pipeline.evaluation.statistics import ALPHA, least_pages, smallest_p
from archive_pipeline.promotion.counting import proof_number
from archive_pipeline.promotion.decision import Decision, ModelName, not_judged
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.proofs import keep, kept
from archive_pipeline.promotion.weighing import weigh

CURRENT = ModelName(id="general", digest="0" * 64)


def model(name: str) -> ModelName:
    return ModelName(id=name, digest=name * 64)


def frozen(current: Sequence[int], candidate: Sequence[int], first: int = 0) -> Compared:
    """Pages of 1000 characters, whose images are numbered from ``first``."""
    pages = (
        [PageErrors(f"p{first + n}", f"image {first + n}", each, 1000) for n, each in enumerate(errors)]
        for errors in (current, candidate)
    )
    return Compared(*pages)


SAME = frozen([50] * 8, [50] * 8)


def decision(name: str, on: Compared = SAME, number: int = 1, current: ModelName = CURRENT) -> Decision:
    return weigh("Jean", current, model(name), on, {}, proof=number)


def number(before: Sequence[Decision], name: str, on: Compared = SAME, current: ModelName = CURRENT) -> int:
    return proof_number(before, "recognition", current, model(name), on)


def test_other_candidates_on_these_pages_count_and_the_same_one_does_not_count_twice() -> None:
    assert number([], "a") == 1
    before = [decision("a"), decision("b"), decision("a"), decision("a")]
    assert number(before, "c") == 3
    # Proved again, a candidate has the number that it had, whatever came after it.
    assert (number(before, "a"), number(before, "b")) == (1, 2)


def test_the_same_candidate_against_another_model_is_another_proof() -> None:
    before = [decision("a"), decision("b"), decision("a", current=model("b"))]
    assert [number(before, "a", current=each) for each in (CURRENT, model("b"), model("c"))] == [1, 3, 4]
    # What a server holds has no digest and is known by its name.
    served = [ModelName(id=name) for name in ("x", "y")]
    assert [number([decision("a", current=served[0])], "a", current=each) for each in served] == [1, 2]


def test_lines_that_another_model_reads_are_another_proof() -> None:
    before = [
        decision(name).model_copy(update={"task": "segmentation", "read_with": model(reader)})
        for name, reader in (("a", "d"), ("b", "d"), ("a", "e"))
    ]
    found = [proof_number(before, "segmentation", CURRENT, model("a"), SAME, model(each)) for each in "def"]
    assert found == [1, 3, 4]


def test_pages_in_common_count_and_on_more_pages_a_candidate_is_looked_at_anew() -> None:
    before = [decision("a"), decision("b")]
    more = frozen([50] * 10, [50] * 10)
    assert (number(before, "c", more), number(before, "a", more)) == (3, 3)
    others = frozen([50] * 8, [50] * 8, first=20)
    assert number(before, "a", others) == 1


def test_what_gave_chance_nothing_to_win_does_not_count() -> None:
    few = frozen([50] * 6, [1] * 6)
    leak = not_judged("Jean", CURRENT, model("a"), "A leak.")
    lines = decision("b").model_copy(update={"task": "segmentation"})
    assert number([leak, lines], "c") == 1
    # With six pages the first proof can be won, and no second one.
    assert decision("d", few).promoted
    second = decision("e", few, 2)
    assert not second.promoted
    assert "With 6 frozen pages nothing can be shown, however large the difference" in second.reasons[0]
    assert "probability of 3.1%, and it has to be below 2.5%" in second.reasons[0]
    assert "--test NAME), so that 7 are frozen" in second.reasons[0]
    assert number([decision("d", few), second], "f", few) == 2


def test_a_later_proof_must_be_surer_and_says_so_with_level_and_count() -> None:
    # Seven pages better, one a little worse: p is 4 / 256.
    close = frozen([60] * 8, [30] * 7 + [75])
    first, third, fourth = (decision("a", close, number) for number in (1, 3, 4))
    assert first.frozen is not None
    assert first.frozen.p == pytest.approx(4 / 2**8)
    assert (first.promoted, third.promoted, fourth.promoted) == (True, True, False)
    assert fourth.reasons[0].startswith("It is not shown that the candidate is better on the frozen pages: CER 6.00 %")
    assert ", 98.75 % [" in fourth.reasons[0]
    assert fourth.reasons[-1] == "It is proof 4 on these frozen pages, so that p had to be below 0.05 / 4 = 0.0125."
    assert (fourth.proof, fourth.level) == (4, ALPHA / 4)
    assert fourth.frozen is not None
    assert fourth.frozen.gain.confidence == pytest.approx(0.9875)
    assert fourth.frozen.gain.low is not None
    assert first.frozen.gain.low is not None
    assert fourth.frozen.gain.low <= first.frozen.gain.low


def test_the_number_comes_from_the_decisions_that_are_kept(tmp_path: Path) -> None:
    when = datetime(2026, 5, 1, tzinfo=UTC)
    for day, name in enumerate("abab"):
        before = [each.decision for each in kept(tmp_path, "Jean")]
        made = decision(name, number=number(before, name))
        assert made.proof == {"a": 1, "b": 2}[name]
        keep(tmp_path, made, when + timedelta(days=day))
    assert number([each.decision for each in kept(tmp_path, "Jean")], "c") == 3


@pytest.mark.parametrize(("level", "pages"), [(0.05, 6), (0.025, 7), (0.01, 8), (0.005, 9)])
def test_the_surer_it_must_be_the_more_pages_it_takes(level: float, pages: int) -> None:
    assert least_pages(level) == pages
    assert smallest_p(pages) < level <= smallest_p(pages - 1)
