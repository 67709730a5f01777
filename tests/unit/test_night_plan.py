"""What a night takes, and what first."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.document_states import DocumentState
from archive_pipeline.nights.plan import Planned, Wanted, make_plan, within

DONE = DocumentState(
    key="a",
    standing="done",
    fingerprint="f",
    made_with="m",
    when=0,
    segmentation="s",
    recognition="r",
    pages=10,
    confidence=0.9,
    seconds=30,
)
WANTED = Wanted("f", "m", ("s", "r"))


def _why(state: DocumentState | None, wanted: Wanted = WANTED) -> str | None:
    plan = make_plan(["a"], {"a": state} if state else {}, lambda *_: wanted)
    return plan[0].why if plan else None


@pytest.mark.parametrize(
    ("state", "wanted", "why"),
    [
        (None, WANTED, "missing"),
        (DONE, WANTED, None),
        (DONE, replace(WANTED, fingerprint="other"), "changed"),
        (DONE, replace(WANTED, fingerprint=""), None),
        (DONE, replace(WANTED, models=("s", "better"), made_with="n"), "model"),
        (DONE, replace(WANTED, made_with="n"), "code"),
        (replace(DONE, standing="failed", code="ChildError", tries=1), WANTED, "failed"),
        (replace(DONE, standing="failed", code="ChildError", tries=3), WANTED, None),
        (replace(DONE, standing="failed", code="DocumentFailed", tries=1), WANTED, None),
        (replace(DONE, standing="refused", code="DamagedFile"), WANTED, None),
        (replace(DONE, standing="refused", code="DamagedFile"), replace(WANTED, fingerprint="mended"), "changed"),
        (replace(DONE, standing="failed", code="ChildError", tries=9), replace(WANTED, fingerprint="other"), "changed"),
    ],
)
def test_a_document_is_taken_for_a_reason_or_not_at_all(
    state: DocumentState | None, wanted: Wanted, why: str | None
) -> None:
    assert _why(state, wanted) == why


def test_what_cannot_be_found_at_all_goes_before_what_may_be_read_better() -> None:
    states = {
        "sure": replace(DONE, key="sure", confidence=0.99),
        "doubtful": replace(DONE, key="doubtful", confidence=0.4),
        "changed": replace(DONE, key="changed"),
    }

    def wanted(key: str, _: DocumentState | None) -> Wanted:
        return Wanted("other" if key == "changed" else "f", "n", ("s", "better"))

    plan = make_plan(["sure", "doubtful", "changed", "new"], states, wanted)
    assert [each.key for each in plan] == ["new", "changed", "doubtful", "sure"]


def test_the_cost_is_what_this_machine_took_so_far() -> None:
    (planned,) = make_plan(["b"], {"a": DONE}, lambda *_: replace(WANTED, fingerprint="g"))
    assert planned.pages == 10
    assert planned.seconds == pytest.approx(2 + 10 * 3)


def _some(seconds: float) -> Planned:
    return Planned("x", "missing", 1, seconds, 1)


@given(st.lists(st.floats(0.1, 100), max_size=30), st.floats(0, 500))
def test_no_more_is_taken_than_fits_into_the_night(costs: list[float], night: float) -> None:
    taken = [each.seconds for each in within(map(_some, costs), night)]
    assert sum(taken) <= night + 1e-6
    # Nothing that would still have fitted at the end was left out.
    rest = night - sum(taken)
    left = list(costs)
    for cost in taken:
        left.remove(cost)
    assert all(cost > rest - 1e-6 for cost in left)


def test_a_hundred_thousand_documents_are_planned_without_opening_their_folders() -> None:
    states = {f"{n:06d}": replace(DONE, key=f"{n:06d}", made_with="old" if n % 3 else "m") for n in range(100_000)}
    began = time.process_time()
    plan = make_plan(states, states, lambda *_: WANTED)
    assert len(plan) == 66_666
    print(f"plan of 100,000 documents: {time.process_time() - began:.2f} s")
