"""When a candidate takes the place of the model in use, and when not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_pipeline.errors import UsageError
from archive_pipeline.evaluation.statistics import paired_difference
from archive_pipeline.promotion.decision import Decision, ModelName, not_judged
from archive_pipeline.promotion.figures import Compared, PageErrors
from archive_pipeline.promotion.weighing import weigh

CURRENT, CANDIDATE = ModelName(id="general", digest="a" * 64), ModelName(id="jean-12345678", digest="b" * 64)


def pages(errors: list[int], characters: int = 1000) -> list[PageErrors]:
    return [PageErrors(f"p{number}", f"image {number}", each, characters) for number, each in enumerate(errors)]


def compared(current: list[int], candidate: list[int], characters: int = 1000) -> Compared:
    return Compared(pages(current, characters), pages(candidate, characters))


def decided(frozen: Compared, margin: float = 0.3, **guarded: Compared) -> Decision:
    return weigh("Jean Dupont", CURRENT, CANDIDATE, frozen, guarded, margin)


CLEARLY_BETTER = compared([300, 280, 310, 290, 305, 295, 300, 310], [80, 75, 90, 70, 85, 82, 79, 95])


def test_a_candidate_that_is_better_on_every_page_is_promoted_with_its_figures() -> None:
    decision = decided(CLEARLY_BETTER)
    assert decision.verdict == "promoted"
    assert decision.frozen is not None
    assert decision.frozen.current.value == pytest.approx(100 * 2390 / 8000)
    assert decision.frozen.candidate.value == pytest.approx(100 * 656 / 8000)
    assert decision.frozen.gain.value == pytest.approx(100 * 1734 / 8000)
    assert decision.frozen.p == pytest.approx(2 / 2**8)
    assert decision.reasons == (
        "The candidate is better on 8 frozen pages: CER 29.88 % → 8.20 %, gain 21.68 points, "
        f"95 % [{decision.frozen.gain.low:.2f}, {decision.frozen.gain.high:.2f}], p = 0.0078.",
        "It is proof 1 on these frozen pages, so that p had to be below 0.05.",
    )
    assert (decision.proof, decision.level) == (1, 0.05)


@pytest.mark.parametrize(
    ("frozen", "reason"),
    [
        (Compared(CLEARLY_BETTER.candidate, CLEARLY_BETTER.current), "The candidate makes more errors on the frozen"),
        (compared([9, 8, 7, 6, 5, 4, 3], [9, 8, 7, 6, 5, 4, 3]), "A tie: both make as many errors on 7 frozen pages"),
        (compared([9, 8, 7, 6, 5, 4], [8, 9, 6, 7, 4, 5]), "A tie: both make as many errors on 6 frozen pages"),
        (compared([90] * 5, [1] * 5), "With 5 frozen pages nothing can be shown"),
        (compared([1] * 5, [90] * 5), "The candidate makes more errors on the frozen"),
        (compared([50, 50, 50, 50, 50, 50], [10, 90, 10, 90, 10, 80]), "It is not shown that the candidate is better"),
        (compared([], []), "The hand has no frozen page with ground truth"),
        (compared([0, 0], [0, 0], characters=0), "The hand has no frozen page with ground truth"),
    ],
    ids=["worse", "same", "tie", "few", "few-and-worse", "chance", "none", "empty"],
)
def test_what_is_not_shown_to_be_better_is_kept_with_the_reason(frozen: Compared, reason: str) -> None:
    decision = decided(frozen)
    assert decision.verdict == "kept"
    assert decision.reasons[0].startswith(reason)


def test_a_candidate_that_must_not_be_judged_is_kept_back_without_figures() -> None:
    decision = not_judged("Jean Dupont", CURRENT, CANDIDATE, "A leak: it saw p3.")
    assert (decision.verdict, decision.reasons) == ("kept", ("A leak: it saw p3.",))
    assert (decision.frozen, decision.guarded) == (None, {})


@pytest.mark.parametrize(
    ("guard", "verdict", "reason"),
    [
        (compared([10] * 8, [10] * 8), "promoted", "On guarded set g: CER 1.00 % → 1.00 %"),
        (compared([10], [10]), "promoted", "On guarded set g"),
        (compared([10] * 8, [12] * 8), "promoted", "On guarded set g: CER 1.00 % → 1.20 %"),  # every page by 0.2 points
        (compared([10] * 8, [14] * 8), "kept", "On guarded set g the candidate is worse by more than 0.3 points"),
        # 0.2 points in the mean, which 0.8 on single pages do not prove to be all.
        (compared([10] * 8, [18, 18, 10, 10, 10, 10, 10, 10]), "kept", "it is not shown that the candidate is worse"),
        (compared([10], [9]), "kept", "Guarded set g has 1 page"),
        (compared([], []), "kept", "Guarded set g has no ground truth"),
    ],
    ids=["same", "same-page", "within", "beyond", "unsure", "page", "none"],
)
def test_a_guarded_set_must_be_shown_not_to_lose_more_than_the_margin(
    guard: Compared, verdict: str, reason: str
) -> None:
    decision = decided(CLEARLY_BETTER, g=guard)
    assert decision.verdict == verdict
    assert reason in decision.reasons[1]


def test_the_margin_is_what_somebody_set() -> None:
    guard = compared([10] * 8, [14] * 8)
    assert decided(CLEARLY_BETTER, margin=0.5, g=guard).promoted
    assert not decided(CLEARLY_BETTER, margin=0.0, g=guard).promoted
    with pytest.raises(UsageError, match="margin"):
        decided(CLEARLY_BETTER, margin=-1)
    with pytest.raises(UsageError, match="margin"):
        decided(CLEARLY_BETTER, margin=float("nan"))


def test_figures_of_other_pages_are_not_compared() -> None:
    with pytest.raises(UsageError, match="guarded set g are not of the same pages"):
        decided(CLEARLY_BETTER, g=Compared(pages([1, 2]), pages([1])))
    with pytest.raises(UsageError, match="the frozen pages are not of the same pages"):
        decided(Compared(pages([1]), [replace(pages([1])[0], image_sha256="another")]))


def test_a_decision_is_the_same_after_a_journey_as_json() -> None:
    decision = decided(CLEARLY_BETTER, g=compared([10], [10]))
    assert Decision.model_validate_json(decision.model_dump_json()) == decision


errors = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=8)


@settings(max_examples=40)
@given(errors, errors)
def test_no_candidate_is_promoted_that_is_worse_or_equal_or_breaks_a_guard(
    frozen: list[tuple[int, int]], guard: list[tuple[int, int]]
) -> None:
    decision = decided(
        compared([a for a, _ in frozen], [b for _, b in frozen]),
        g=compared([a for a, _ in guard], [b for _, b in guard]),
    )
    lost = 100 * sum(b - a for a, b in guard) / (1000 * len(guard))
    if sum(b for _, b in frozen) >= sum(a for a, _ in frozen) or len(frozen) < 6 or lost > 0.3:
        assert not decision.promoted
    assert decision.promoted == (decision.verdict == "promoted")
    assert decision.reasons


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=6, max_size=8), st.data())
def test_with_fewer_errors_on_a_page_that_it_wins_a_candidate_never_gets_a_smaller_gain(
    frozen: list[tuple[int, int]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(frozen) - 1))
    before = [b for _, b in frozen]
    after = [max(0, b - data.draw(st.integers(0, 10))) if n == place else b for n, b in enumerate(before)]
    current = [a for a, _ in frozen]
    totals = [1000] * len(frozen)
    one, other = (paired_difference(current, each, totals) for each in (before, after))
    assert other.points >= one.points
    assert other.low >= one.low
    first, second = (decided(compared(current, each)) for each in (before, after))
    # All pages won: more cannot take it away.
    if first.promoted and all(b <= a for a, b in zip(current, before, strict=True)):
        assert second.promoted
