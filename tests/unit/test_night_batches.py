"""How a plan becomes runs, and how many of them are asked for."""

from itertools import pairwise
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.nights.batches import GAP, LONGEST, Batch, batches, within
from archive_pipeline.nights.plan import Planned, Why
from archive_pipeline.nights.tonight import AHEAD, MOST_RUNS, ask

HOUR = 3600.0


def _planned(key: str, why: Why = "missing", seconds: float = 10.0, value: float = 1.0) -> Planned:
    return Planned(key, why, 1.0, seconds, value)


def _keys(*numbers: int) -> list[str]:
    return [f"{number:03d}" for number in numbers]


ORDER = _keys(*range(200))


def test_neighbours_are_one_run_which_passes_over_small_gaps() -> None:
    plan = [_planned(key) for key in _keys(0, 1, 2 + GAP, 4 + 2 * GAP)]
    found = batches(ORDER, plan, 10)
    assert [batch.keys for batch in found] == [tuple(_keys(0, 1, 2 + GAP)), tuple(_keys(4 + 2 * GAP))]


def test_a_run_has_no_more_documents_than_the_setting_says() -> None:
    found = batches(ORDER, [_planned(key) for key in ORDER[:7]], 3)
    assert [len(batch.keys) for batch in found] == [3, 3, 1]


def test_a_person_waits_no_longer_than_for_a_quarter_of_an_hour_or_one_long_document() -> None:
    plan = [_planned(key, seconds=400) for key in _keys(0, 1, 2)] + [_planned("003", seconds=9000)]
    assert [batch.keys for batch in batches(ORDER, plan, 10)] == [("000", "001"), ("002",), ("003",)]


def test_what_is_missing_does_not_wait_for_neighbours_that_could_only_be_better() -> None:
    plan = [
        _planned("000", "model", value=0.1),
        _planned("001", "missing", value=9),
        _planned("002", "model", value=0.2),
    ]
    assert [batch.keys for batch in batches(ORDER, plan, 10)] == [("001",), ("000", "002")]


_PLANS = st.dictionaries(
    st.sampled_from(ORDER),
    st.tuples(st.sampled_from(get_args(Why)), st.floats(1, 3000), st.floats(0.01, 10)),
    max_size=60,
)


@given(_PLANS, st.integers(1, 12))
def test_batches_have_every_document_once_in_order_within_their_bounds(
    plan: dict[str, tuple[Why, float, float]], most: int
) -> None:
    found = batches(ORDER, [_planned(key, *values) for key, values in plan.items()], most)
    assert sorted(key for batch in found for key in batch.keys) == sorted(plan)
    assert [batch.value for batch in found] == sorted((batch.value for batch in found), reverse=True)
    for batch in found:
        assert list(batch.keys) == sorted(batch.keys)
        assert {plan[key][0] for key in batch.keys} == {batch.why}
        assert len(batch.keys) <= most
        assert batch.seconds <= LONGEST + 1e-6 or len(batch.keys) == 1
        places = [ORDER.index(key) for key in batch.keys]
        assert all(after - before <= GAP + 1 for before, after in pairwise(places))


def _some(seconds: float) -> Batch:
    return Batch(("x",), "missing", seconds, 1.0)


@given(st.lists(st.floats(0.1, 100), max_size=30), st.floats(0, 500), st.floats(1, 100))
def test_no_more_is_taken_than_fits_into_the_night(costs: list[float], night: float, longest: float) -> None:
    taken = [each.seconds for each in within(map(_some, costs), night, longest)]
    assert sum(min(cost, longest) for cost in taken) <= night + 1e-6
    # Nothing that would still have fitted at the end was left out.
    rest = night - sum(min(cost, longest) for cost in taken)
    left = list(costs)
    for cost in taken:
        left.remove(cost)
    assert all(min(cost, longest) > rest - 1e-6 for cost in left)


@given(
    st.lists(st.floats(1, 30 * HOUR), max_size=150),
    st.floats(0, 8 * HOUR),
    st.floats(0, 3 * HOUR),
)
def test_what_is_asked_for_is_bounded_in_runs_and_in_time(costs: list[float], rest: float, asked: float) -> None:
    taken = [batch.seconds for batch in ask([_some(cost) for cost in costs], rest, asked, 8 * HOUR)]
    assert len(taken) <= MOST_RUNS
    # All but the last leave something to be asked for.
    assert not taken or asked + sum(taken[:-1]) < min(rest, AHEAD)
    # Of what is shorter than half a night nothing is begun that would not end in time.
    ahead = asked
    for cost in taken:
        assert cost > 4 * HOUR or ahead + cost <= rest + 1e-6
        ahead += cost


def test_what_is_asked_for_already_is_not_asked_for_once_more() -> None:
    found = [_some(600.0)] * 20
    assert len(list(ask(found, 8 * HOUR, 0.0, 8 * HOUR))) == 9
    assert len(list(ask(found, 8 * HOUR, 3 * 600.0, 8 * HOUR))) == 6
    assert list(ask(found, 8 * HOUR, AHEAD, 8 * HOUR)) == []


def test_a_document_longer_than_a_night_is_begun_in_its_first_half_alone() -> None:
    long = [_some(30 * HOUR)]
    assert len(list(ask(long, 5 * HOUR, 0.0, 8 * HOUR))) == 1
    assert list(ask(long, 3 * HOUR, 0.0, 8 * HOUR)) == []
