"""The ledger of a week: what was uploaded against what became of it, and which promise is broken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from archive_pipeline.bench.week.actor import Actor, Line
from archive_pipeline.bench.week.dagster_facts import ENDED, Facts
from archive_pipeline.bench.week.outcome import Found, Outcome

LONGEST_TICK = 5.0
"""Seconds that a tick of the upload sensor may take."""
MOST_GROWTH = 1.1
"""Memory of the daemon at the end of its longest life, against early in it."""
_FEW_SAMPLES = 20


@dataclass
class Ledger:
    """What a week came to.

    Attributes:
        rows: What it says, in words and figures.
        broken: Promises that were not kept; each with the first names.
    """

    rows: list[tuple[str, str]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def say(self, what: str, figure: object) -> None:
        self.rows.append((what, str(figure)))

    def promise(self, what: str, breaches: Sequence[str]) -> None:
        """A promise, and those for whom it was not kept."""
        self.say(what, "kept" if not breaches else f"BROKEN {len(breaches)} times")
        if breaches:
            self.broken.append(f"{what}: {'; '.join(breaches[:8])}{'; …' if len(breaches) > 8 else ''}")


@dataclass(frozen=True)
class Week:
    """What the ledger is made from.

    Attributes:
        kills: How often each thing was killed.
        memory: Samples of the daemon's memory in megabytes, by its life.
        nights: Runs that each night launched; None where there is no night.
        sample: Names that were also done undisturbed, with the digests of their exports.
    """

    actor: Actor
    facts: Facts
    outcome: Outcome
    kills: Counter[str]
    memory: Mapping[str, Sequence[float]]
    nights: Sequence[int | None]
    sample: Mapping[str, Mapping[str, str]]


def make_ledger(week: Week, *, timed: bool = True) -> Ledger:
    """Compare.

    Args:
        timed: Hold ticks and memory to their limits, too; on a machine that others use they are only said.
    """
    ledger = Ledger()
    _what_happened(ledger, week)
    _documents(ledger, week)
    _twice(ledger, week)
    _left_over(ledger, week)
    _ticks(ledger, week.facts, timed)
    _memory(ledger, week.memory, timed)
    return ledger


def _what_happened(ledger: Ledger, week: Week) -> None:
    for what, count in week.actor.did.most_common():
        ledger.say(what, count)
    for what, count in week.kills.most_common():
        ledger.say(f"killed: {what}", count)
    ledger.say("nights", ", ".join("no schedule" if each is None else f"{each} runs" for each in week.nights) or "none")
    states = Counter(run.status for run in week.facts.runs)
    crashed = sum(run.crashed for run in week.facts.runs)
    ledger.say("runs", ", ".join(f"{count} {state}" for state, count in states.items()) + f"; {crashed} crashed")


def _documents(ledger: Ledger, week: Week) -> None:
    uploads = week.outcome.uploads
    here, bad = week.actor.here, week.actor.bad
    done = [name for name, digest in here.items() if name in uploads and _done(uploads[name], digest)]
    made = {found.source for found in uploads.values() if found.exports}
    refused = [name for name in here if name in uploads and _refused(uploads[name])]
    # The same bytes under another name are done once.
    copies = [name for name in refused if here[name] in made]
    ledger.say("documents in the upload folder at the end", len(here))
    ledger.say("… done, made from the newest bytes", len(done))
    ledger.say("… refused, for the same bytes are done under another name", len(copies))
    lost = [f"{name!r} ({_state(uploads.get(name))})" for name in here.keys() - {*done, *refused}]
    ledger.promise("0 lost", sorted(lost))
    wrong = [f"{name!r}: {uploads[name].reason}" for name in refused if name not in copies]
    ledger.promise("no good document refused", wrong)
    ledger.say("bad uploads", len(bad))
    accepted = [name for name in bad if name not in uploads or not _refused(uploads[name])]
    reasons = Counter(uploads[name].reason for name in bad if name in uploads)
    ledger.promise(
        "every bad one refused with a reason and a remedy", [f"{n} ({_state(uploads.get(n))})" for n in accepted]
    )
    ledger.say("… different reasons", len(reasons))
    gone = [name for name in uploads if name not in here and name not in bad and uploads[name].state != "gone"]
    ledger.promise("what was deleted is gone from the register", gone)
    torn = list(week.outcome.torn)
    ledger.promise("no torn file in exports", torn)
    unequal = [name for name, digests in week.sample.items() if uploads[name].exports != digests]
    ledger.say("exports compared with an undisturbed run", len(week.sample))
    ledger.promise("exports equal an undisturbed run's", unequal)


def _twice(ledger: Ledger, week: Week) -> None:
    """A document may be made once for each version that somebody wrote, and again where its run was killed."""
    crashes = week.facts.crashes_of()
    lines: dict[str, Line] = {}
    for name, found in week.outcome.uploads.items():
        if found.key and name in week.actor.lines:
            lines[found.key] = week.actor.lines[name]
    again = []
    for key, made in week.facts.made.items():
        allowed = (lines[key].versions if key in lines else 0) + crashes[key]
        if key in lines and made > allowed:
            again.append(f"{key}: made {made} times, {lines[key].versions} versions, {crashes[key]} crashes")
    ledger.say("exports made", sum(week.facts.made.values()))
    ledger.say("versions written", sum({id(line): line.versions for line in week.actor.lines.values()}.values()))
    ledger.promise("0 done twice without need", again)


def _left_over(ledger: Ledger, week: Week) -> None:
    open_runs = [f"{run.id} {run.status}" for run in week.facts.runs if run.status not in ENDED]
    ledger.promise("no run left started", open_runs)
    ledger.promise("no slot held", [f"{week.facts.slots} slots"] if week.facts.slots else [])
    hanging = [
        f"{name} {state}"
        for name, state in week.facts.backfills.items()
        if not state.startswith(("COMPLETED", "CANCELED", "FAILED"))
    ]
    ledger.promise("backfills ended", hanging)


def _ticks(ledger: Ledger, facts: Facts, timed: bool) -> None:
    seconds = sorted(tick.seconds for tick in facts.ticks if tick.seconds is not None)
    failed = Counter(tick.error.splitlines()[0][:120] for tick in facts.ticks if tick.status == "FAILURE")
    ledger.say("sensor ticks", f"{len(facts.ticks)}, of which {sum(failed.values())} failed (code server killed)")
    for error, count in failed.most_common(3):
        ledger.say("… failed with", f"{error} ({count})")
    if seconds:
        ledger.say("… seconds", f"median {median(seconds):.2f}, longest {seconds[-1]:.2f}")
    slow = [
        f"{tick.seconds:.1f} s"
        for tick in facts.ticks
        if tick.seconds is not None and tick.status != "FAILURE" and tick.seconds > LONGEST_TICK
    ]
    if timed:
        ledger.promise(f"no tick over {LONGEST_TICK:.0f} s", slow)


def _memory(ledger: Ledger, memory: Mapping[str, Sequence[float]], timed: bool) -> None:
    longest = max(memory.values(), key=len, default=[])
    if len(longest) < _FEW_SAMPLES:
        ledger.say("memory of the daemon", "too few samples")
        return
    fifth = len(longest) // 5
    early, late = median(longest[fifth : 2 * fifth]), median(longest[-fifth:])
    ledger.say("memory of the daemon in its longest life", f"{early:.0f} MB early, {late:.0f} MB at the end")
    if timed:
        ledger.promise("memory of the daemon flat", [f"{late / early:.2f} times"] if late > MOST_GROWTH * early else [])


def _done(found: Found, digest: str) -> bool:
    return found.state == "taken" and found.source == digest and "manifest.json" in found.exports


def _refused(found: Found) -> bool:
    return found.state == "refused" and bool(found.reason)


def _state(found: Found | None) -> str:
    if found is None:
        return "not in the register"
    made = "with exports of its bytes" if found.source else "without exports"
    return f"{found.state}, {found.reason or made}, key {found.key or 'none'}"
