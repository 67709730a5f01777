"""All of an archive in one plan, and how much of it is asked for at once."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from archive_pipeline.document_states import DocumentStates
from archive_pipeline.nights.batches import Batch, batches
from archive_pipeline.nights.begun import BegunDocuments
from archive_pipeline.nights.hours import TICK
from archive_pipeline.nights.plan import Planned, make_plan
from archive_pipeline.nights.today import Today
from archive_pipeline.processing.options import ProcessingOptions
from archive_pipeline.store import Store
from archive_pipeline.uploads.register import UploadRegister

AHEAD = 3 * TICK * 60.0
"""Seconds of work that are asked for ahead: enough if all goes three times as fast as expected until the next look."""
MOST_RUNS = 100
"""Runs that are asked for at once: each takes the scheduler a moment, and other schedules wait."""
_LOOK = 20.0
"""Seconds after which no further document is looked at; a schedule must answer Dagster within a minute."""


@dataclass(frozen=True)
class Tonight:
    """A plan.

    Attributes:
        documents: All that are registered.
        busy: How many of them are left to others.
        given_up: Those that have ended their run three times in a row.
        unseen: How many there was no time to look at.
        plan: Those of the most value first.
        batches: The same as runs.
    """

    documents: int
    busy: int
    given_up: tuple[str, ...]
    unseen: int
    plan: list[Planned]
    batches: list[Batch]


def plan_tonight(
    order: Sequence[str],
    store: Store,
    options: ProcessingOptions,
    most: int,
    *,
    busy: Collection[str] = (),
    since: float = float("inf"),
    now: float | None = None,
) -> Tonight:
    """Plan what is to be done, at a hundred thousand documents in some seconds.

    Args:
        order: All registered keys in their order.
        most: Documents of a run.
        busy: Documents that a run is for already. Those with which the upload sensor is not finished are left to it.
        since: When the night began, in seconds of the epoch.

    Raises:
        UsageError, ModelError: The models that the settings name cannot be used.
        StorageError: The store cannot be read.
    """
    uploads = [upload for upload in UploadRegister(store.root).all().values() if upload.key]
    root = str(options.uploads_dir or "/nowhere")
    # Texts: to make a hundred thousand paths takes its time.
    places = {
        upload.key: f"{root}/{upload.path}" for upload in uploads if upload.state in ("asked", "taken", "refused")
    }
    others = {upload.key for upload in uploads if upload.state in ("asked", "waiting")} | set(busy)
    ended_tonight, given_up = BegunDocuments(store.root).resting(since)
    left = others | ended_tonight | given_up
    today = Today(store, options, places, until=time.monotonic() + _LOOK)
    # If there is no time for all, it shall not be the same ones each time.
    turn = int((time.time() if now is None else now) // (60 * TICK)) * 10_007 % max(len(order), 1)
    keys = [key for key in (*order[turn:], *order[:turn]) if key not in left]
    plan = make_plan(keys, DocumentStates(store.root).all(), today, since)
    found = batches(order, plan, most)
    busy_here = len(others.intersection(order))
    return Tonight(len(order), busy_here, tuple(sorted(given_up)), today.unseen, plan, found)


def ask(found: Sequence[Batch], rest: float, asked: float, night: float) -> Iterator[Batch]:
    """The batches to be asked for now.

    Args:
        found: The one of the most value first.
        rest: Seconds that are left of the night.
        asked: Seconds of work that are asked for already and not done.
        night: Seconds of the whole night. What takes longer than half of it is begun in the first half alone.
    """
    for count, batch in enumerate(found):
        if count == MOST_RUNS or asked >= min(rest, AHEAD):
            return
        if min(batch.seconds, night / 2) <= rest - asked:
            asked += batch.seconds
            yield batch
