"""The week itself: what happens when, drawn by a seed; then peace until all is settled, and the ledger."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from archive_pipeline.bench.week.actor import Actor
from archive_pipeline.bench.week.dagster_facts import Dagster
from archive_pipeline.bench.week.installation import Installation
from archive_pipeline.bench.week.ledger import Ledger, Week, make_ledger
from archive_pipeline.errors import UsageError
from archive_pipeline.keys import DocumentKey

_DAYS = 7
_SAMPLE_EVERY = 5.0
_CALM = 45.0
"""Seconds without any unfinished run or waiting upload after which a week is over: longer than ticks and retries."""


@dataclass(frozen=True)
class Plan:
    """How a week is to be.

    Attributes:
        minutes: Of the time in which things happen.
        patience: Minutes that may pass afterwards until all is settled.
        sample: Documents that are compared with an undisturbed run.
        timed: Hold ticks and memory to their limits.
        late: Seconds after the end of the week at which its last night begins.
    """

    documents: int = 2000
    bad: int = 50
    kills: int = 40
    nights: int = 2
    minutes: float = 60.0
    patience: float = 60.0
    sample: int = 20
    seed: int = 0
    timed: bool = True
    late: float = 60.0


@dataclass
class _Events:
    """What is to happen, each at its second."""

    draw: random.Random
    length: float
    planned: list[tuple[float, int, Callable[[], object]]] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    numbers: int = 0

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def at(self, second: float, act: Callable[[], object]) -> None:
        self.numbers += 1
        self.planned.append((second, self.numbers, act))

    def anywhere(self, count: int, act: Callable[[], object]) -> None:
        """So many times, whenever; not at the very beginning, when nothing is there yet."""
        for _ in range(count):
            self.at(self.draw.uniform(0.1, 1.0) * self.length, act)


def simulate(installation: Installation, plan: Plan, told: Callable[[str], None] = print) -> Ledger:
    """Live through a week in a fresh installation.

    Raises:
        UsageError: The installation does not come up, or does not answer at the end.
    """
    dagster = Dagster(installation.url)
    dagster.wait_until_ready(300)
    told("The installation is up.")
    if any(installation.uploads.iterdir()) or dagster.keys():
        raise UsageError("the installation has documents already", remedy="Begin a week with an empty one.")
    draw = random.Random(plan.seed)  # noqa: S311 - what happens when is no secret
    with tempfile.TemporaryDirectory(prefix="week-") as name:
        work = Path(name)
        (work / "kept").mkdir()
        actor = Actor(installation.uploads, work / "kept", draw)
        kills: Counter[str] = Counter()
        nights: list[int | None] = []
        memory: dict[str, list[float]] = defaultdict(list)
        events = _plan_events(plan, draw, actor)
        _plan_disturbance(events, plan, installation, dagster, kills, nights)
        _live(events, installation, memory, told)
        actor.finish_slow()
        told("The week is over; waiting until all is settled.")
        settled = _wait_until_settled(installation, dagster, plan.patience * 60, memory, told)
        facts, outcome = dagster.facts(), installation.outcome()
        plain = [
            name
            for name in sorted(actor.here)
            if name in outcome.uploads
            and outcome.uploads[name].key == DocumentKey.from_path(Path(name))
            and outcome.uploads[name].exports
        ]
        names = draw.sample(plain, min(plan.sample, len(plain)))
        told(f"Doing {len(names)} documents once more, undisturbed, to compare.")
        sample = installation.undisturbed(names, work) if names else {}
        ledger = make_ledger(Week(actor, facts, outcome, kills, memory, nights, sample), timed=plan.timed)
        ledger.promise("settled in time", [] if settled else [f"not after {plan.patience:.0f} minutes"])
        return ledger


def _plan_events(plan: Plan, draw: random.Random, actor: Actor) -> _Events:
    events = _Events(draw, plan.minutes * 60)
    bursts = 2 * _DAYS
    for number in range(bursts):
        # Two a day, the first at once.
        second = 0.0 if number == 0 else (number + draw.random() * 0.8) / bursts * events.length
        count = plan.documents * (number + 1) // bursts - plan.documents * number // bursts
        events.at(second, lambda count=count: actor.upload(count))  # type: ignore[misc]
    some = max(1, plan.documents // 20)
    for act in (actor.replace, actor.rename, actor.move, actor.delete, actor.upload_again, actor.touch):
        events.anywhere(some, act)
    events.anywhere(max(1, some // 3), actor.restore)
    events.anywhere(max(1, some // 5), actor.upload_slowly)
    events.anywhere(max(1, some // 5), actor.finish_slow)
    events.anywhere(plan.bad, actor.upload_bad)
    return events


def _plan_disturbance(
    events: _Events,
    plan: Plan,
    installation: Installation,
    dagster: Dagster,
    kills: Counter[str],
    nights: list[int | None],
) -> None:
    def kill(victim: str) -> None:
        killed = installation.kill(victim)
        if killed is not None:
            kills[killed] += 1
        elif events.now < events.length:  # there is no run just now: it waits for one
            events.at(events.now + 2, lambda: kill(victim))

    def night() -> None:
        try:
            nights.append(dagster.night())
        except (OSError, UsageError):  # something is down: the night begins when it is back
            events.at(events.now + 15, night)

    for number in range(plan.kills):
        victim = installation.victims[number % len(installation.victims)]
        events.at(events.draw.uniform(0.05, 0.98) * events.length, lambda victim=victim: kill(victim))  # type: ignore[misc]
    for number in range(plan.nights):
        # The last one when all is over: what was given up meanwhile, it takes.
        events.at((number + 1) / plan.nights * events.length + (number + 1 == plan.nights) * plan.late, night)


def _live(
    events: _Events,
    installation: Installation,
    memory: dict[str, list[float]],
    told: Callable[[str], None],
) -> None:
    events.began, sampled, said = time.monotonic(), 0.0, 0.0
    while events.planned:
        events.planned.sort(key=lambda each: each[:2])
        second, _, act = events.planned[0]
        now = events.now
        if now - sampled >= _SAMPLE_EVERY:
            _sample(installation, memory)
            sampled = now
        if now - said >= 60:
            told(f"Minute {now / 60:.0f} of {events.length / 60:.0f}.")
            said = now
        if second > now:
            time.sleep(min(second - now, 1.0))
            continue
        events.planned.pop(0)
        act()


def _wait_until_settled(
    installation: Installation,
    dagster: Dagster,
    seconds: float,
    memory: dict[str, list[float]],
    told: Callable[[str], None],
) -> bool:
    began = calm = time.monotonic()
    while time.monotonic() - began < seconds:
        time.sleep(_SAMPLE_EVERY)
        _sample(installation, memory)
        try:
            busy = dagster.unfinished()
        except (OSError, UsageError):
            busy = 1
        states = installation.states()
        waiting = states["waiting"] + states["asked"]
        if busy or waiting:
            calm = time.monotonic()
        elif time.monotonic() - calm > _CALM:
            return True
        told(f"{busy} runs unfinished, {waiting} uploads waiting.")
    return False


def _sample(installation: Installation, memory: dict[str, list[float]]) -> None:
    sample = installation.daemon_memory()
    if sample is not None:
        life, megabytes = sample
        memory[life].append(megabytes)
