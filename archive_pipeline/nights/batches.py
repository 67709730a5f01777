"""A plan in batches, one for each run: neighbours in the order of registration, for a run can only have a range of it.

A range may span gaps, that is documents which the run passes over. They are few: each one that is passed over still
costs Dagster a handful of events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol, TypeVar

from archive_pipeline.nights.plan import REASONS, Planned, Why

GAP = 10
"""Most documents between two of a batch that are passed over."""
LONGEST = 900.0
"""Seconds that a batch may take, as far as it has several documents: so long may a person's run have to wait."""


class Costs(Protocol):
    @property
    def seconds(self) -> float: ...


Item = TypeVar("Item", bound=Costs)


@dataclass(frozen=True)
class Batch:
    """Documents of one run, in the order of their registration.

    Attributes:
        why: They are taken for the same reason, so that none that is missing waits for others that could be better.
        seconds: What all together are expected to take.
        value: Worth of their pages for each second.
    """

    keys: tuple[str, ...]
    why: Why
    seconds: float
    value: float


def batches(order: Sequence[str], plan: Iterable[Planned], most: int) -> list[Batch]:
    """The whole plan in batches, the one of the most value for a second first.

    Args:
        order: All registered keys in their order.
        plan: Documents, all of them in ``order``.
        most: Documents of a batch.
    """
    planned = {each.key: each for each in plan}
    places = [(place, planned[key]) for place, key in enumerate(order) if key in planned]
    found = [
        _batch([each for _, each in group])
        for why in REASONS
        for group in _groups([(place, each) for place, each in places if each.why == why], most)
    ]
    return sorted(found, key=lambda batch: -batch.value)


def within(items: Iterable[Item], seconds: float, longest: float = inf) -> Iterator[Item]:
    """As much as fits into a time, in its order; what is too long for the rest is passed over.

    Args:
        longest: What is longer than that counts as that: it goes on into the day rather than never to be begun.
    """
    for each in items:
        if (cost := min(each.seconds, longest)) <= seconds:
            seconds -= cost
            yield each


def _groups(places: Iterable[tuple[int, Planned]], most: int) -> Iterator[list[tuple[int, Planned]]]:
    group: list[tuple[int, Planned]] = []
    seconds = 0.0
    for place, each in places:
        apart = bool(group) and place - group[-1][0] - 1 > GAP
        if apart or len(group) == most or seconds + each.seconds > LONGEST:
            if group:
                yield group
            group, seconds = [], 0.0
        group.append((place, each))
        seconds += each.seconds
    if group:
        yield group


def _batch(group: Sequence[Planned]) -> Batch:
    seconds = sum(each.seconds for each in group)
    worth = sum(each.value * each.seconds for each in group)
    return Batch(tuple(each.key for each in group), group[0].why, seconds, worth / seconds)
