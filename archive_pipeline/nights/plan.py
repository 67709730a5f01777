"""Which documents a night should take, and in which order.

A document is taken because it was never done, its source was changed, it failed for a reason that may pass, a model
that it is read with is another one now, or the code that made its results is. Where a night is too short for all,
what a reader gains for an hour of the machine decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Literal

from archive_pipeline.document_states import DocumentState

Why = Literal["missing", "changed", "failed", "model", "made"]
REASONS: dict[Why, str] = {
    "missing": "never done",
    "changed": "the source, or an archive.yaml that holds for it, was changed",
    "failed": "failed for a reason that may pass",
    "model": "one of its models is another one now",
    "made": "a model's files, an option or the code that makes its results is another one now",
}
"""What each means, for people; the most urgent first."""

# What a page is worth by what it lacks: a page without text cannot be found at all; one that is read again may be
# read better where it was read badly.
_WORTH: dict[Why, float] = {"missing": 10.0, "changed": 8.0, "failed": 5.0, "model": 2.0, "made": 1.0}
_TRIES = 3
"""Failures in a row after which a document waits for a person."""
_MAY_PASS = frozenset(
    {
        "ChildError",
        "ChildNotStarted",
        "DocumentBusy",
        "DocumentNotServed",
        "ModelError",
        "ModelNotFetched",
        "NoSpaceLeft",
        "ServerFailed",
        "Stopped",
        "StorageError",
    }
)
"""Codes of failures that are not the document's own."""
_PAGES = 4.0
_SECONDS_A_PAGE = 5.0
_START = 2.0
"""Guesses where nothing is known yet: pages of a document, seconds a page, seconds a document beside its pages."""


@dataclass(frozen=True)
class Planned:
    """One document of a plan.

    Attributes:
        seconds: What it is expected to take.
        value: Worth of its pages for each second.
    """

    key: str
    why: Why
    pages: float
    seconds: float
    value: float


@dataclass(frozen=True)
class Wanted:
    """What a document should be by now.

    Attributes:
        fingerprint: Of its source as it lies in the archive; empty if the source is gone.
        made_with: As in :class:`DocumentState`.
    """

    fingerprint: str
    made_with: str
    models: tuple[str, str]


def make_plan(
    keys: Iterable[str],
    states: Mapping[str, DocumentState],
    wanted: Callable[[str, DocumentState | None], Wanted],
    since: float = float("inf"),
) -> list[Planned]:
    """All documents that are worth a run, those of the most value for a second first.

    Args:
        keys: All documents that are registered and may be taken.
        states: How they stand.
        wanted: What a document should be.
        since: When the night began, in seconds of the epoch: what has failed in it is not tried again in it.
    """
    pace = seconds_a_page(states.values())
    pages = median([state.pages for state in states.values() if state.pages] or [_PAGES])
    planned = [each for key in keys if (each := _planned(key, states.get(key), wanted, pages, pace, since)) is not None]
    return sorted(planned, key=lambda each: (-each.value, each.key))


def seconds_a_page(states: Iterable[DocumentState]) -> float:
    """What a page takes on this machine, by what was done so far."""
    return median(
        [state.seconds / state.pages for state in states if state.pages and state.seconds] or [_SECONDS_A_PAGE]
    )


def why_of(state: DocumentState | None, wanted: Wanted, since: float = float("inf")) -> Why | None:
    """Why a document is worth a run; None if it is not.

    Args:
        since: As for :func:`make_plan`.
    """
    if not wanted.fingerprint:
        return None  # its source is gone: there is nothing to read
    if state is None:
        return "missing"
    if state.fingerprint != wanted.fingerprint:
        return "changed"
    if state.standing == "failed":
        return "failed" if state.code in _MAY_PASS and state.tries < _TRIES and state.when < since else None
    if state.standing == "refused":
        return None
    if (state.segmentation, state.recognition) != wanted.models:
        return "model"
    return "made" if state.made_with != wanted.made_with else None


def _planned(
    key: str,
    state: DocumentState | None,
    wanted: Callable[[str, DocumentState | None], Wanted],
    usual_pages: float,
    pace: float,
    since: float,
) -> Planned | None:
    why = why_of(state, wanted(key, state), since)
    if why is None:
        return None
    pages = float(state.pages) if state is not None and state.pages else usual_pages
    seconds = _START + pages * pace
    gain = 1.0 - (state.confidence or 0.0) if state is not None and why in ("model", "made") else 1.0
    # Even a page that was read with certainty may gain.
    return Planned(key, why, pages, seconds, _WORTH[why] * pages * max(gain, 0.05) / seconds)
