"""Runs for many documents: ranges of partitions that stand next to each other in the order of registration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def spans(order: Sequence[str], wanted: Collection[str], at_most: int | None = None) -> list[tuple[str, ...]]:
    """The wanted keys in groups of neighbours, in their order.

    Args:
        order: All partition keys in the order of registration.
        wanted: Keys, all of them in ``order``.
        at_most: Largest group.
    """
    chosen = set(wanted)
    places = [place for place, key in enumerate(order) if key in chosen]
    groups: list[list[str]] = [[order[places[0]]]] if places else []
    for before, place in pairwise(places):
        if place == before + 1 and (at_most is None or len(groups[-1]) < at_most):
            groups[-1].append(order[place])
        else:
            groups.append([order[place]])
    return [tuple(group) for group in groups]


def range_tags(keys: Sequence[str]) -> dict[str, str]:
    """Tags of a run that covers neighbouring keys."""
    return {RANGE_START: keys[0], RANGE_END: keys[-1]}
