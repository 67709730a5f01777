"""What a night takes, and what first."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.document_states import DocumentState
from archive_pipeline.nights.plan import Wanted, make_plan

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
        (DONE, replace(WANTED, made_with="n"), "made"),
        (replace(DONE, standing="failed", code="ChildError", tries=1), WANTED, "failed"),
        (replace(DONE, standing="failed", code="ChildError", tries=3), WANTED, None),
        (replace(DONE, standing="failed", code="DocumentFailed", tries=1), WANTED, None),
        (replace(DONE, standing="failed", code="DocumentNotServed", tries=1), WANTED, "failed"),
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


def test_what_has_failed_in_a_night_waits_for_the_next_one() -> None:
    failed = replace(DONE, standing="failed", code="ChildError", tries=1, when=100.0)
    for began, taken in ((99.0, False), (100.0, False), (101.0, True)):
        plan = make_plan(["a"], {"a": failed}, lambda *_: WANTED, since=began)
        assert bool(plan) is taken, began


_STATES = st.builds(
    replace,
    st.just(DONE),
    standing=st.sampled_from(["done", "failed", "refused"]),
    fingerprint=st.sampled_from(["f", "g"]),
    made_with=st.sampled_from(["m", "n"]),
    recognition=st.sampled_from(["r", "q"]),
    tries=st.integers(0, 4),
    code=st.sampled_from(["", "ChildError", "DocumentFailed"]),
    pages=st.integers(0, 500),
    confidence=st.one_of(st.none(), st.floats(0, 1)),
    seconds=st.floats(0, 5000),
)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.one_of(st.none(), _STATES), max_size=20))
def test_a_plan_has_each_document_at_most_once_the_worthiest_first_and_no_current_one(
    archive: dict[str, DocumentState | None],
) -> None:
    states = {key: replace(state, key=key) for key, state in archive.items() if state is not None}
    plan = make_plan(archive, states, lambda *_: WANTED)
    keys = [each.key for each in plan]
    assert len(keys) == len(set(keys))
    assert [each.value for each in plan] == sorted((each.value for each in plan), reverse=True)
    assert all(each.seconds > 0 and each.value > 0 for each in plan)
    for key, state in states.items():
        current = state.standing == "done" and (state.fingerprint, state.made_with, state.recognition) == (
            "f",
            "m",
            "r",
        )
        assert not (current and key in keys)
    assert {key for key, state in archive.items() if state is None} <= set(keys)


def test_a_hundred_thousand_documents_are_planned_without_opening_their_folders() -> None:
    states = {f"{n:06d}": replace(DONE, key=f"{n:06d}", made_with="old" if n % 3 else "m") for n in range(100_000)}
    began = time.process_time()
    plan = make_plan(states, states, lambda *_: WANTED)
    assert len(plan) == 66_666
    print(f"plan of 100,000 documents: {time.process_time() - began:.2f} s")
