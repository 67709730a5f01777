"""The ledger of a simulated week: it must see what is lost, done twice or left over."""

import random
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from archive_pipeline.bench.week import processes
from archive_pipeline.bench.week.actor import Actor, Line
from archive_pipeline.bench.week.bad import BAD, write_bad
from archive_pipeline.bench.week.dagster_facts import Facts, Run, Tick
from archive_pipeline.bench.week.ledger import Week, make_ledger
from archive_pipeline.bench.week.outcome import Found, Outcome, look_at_store
from archive_pipeline.bench.week.papers import bytes_of, write_paper
from archive_pipeline.keys import DocumentKey
from archive_pipeline.store import Store
from archive_pipeline.uploads.folder import look
from archive_pipeline.uploads.register import Upload, UploadRegister

DONE = Found("a.png", "a.png", "taken", "", "", "digest", {"manifest.json": "1"})
REFUSED = Found("b.png", "b.png", "refused", "it is truncated", "Scan it again.", "", {})


def a_week(tmp_path: Path, **changes: Any) -> Week:
    """A week in which all went well: one document, one bad upload, one crash."""
    actor = Actor(tmp_path, tmp_path, random.Random(0))
    actor.here, actor.bad = {"a.png": "digest"}, {"b.png": "empty file"}
    actor.lines = {"a.png": Line(1, {"a.png"})}
    facts = Facts(
        ticks=(Tick("SUCCESS", 1.0, "", 1), Tick("STARTED", None, "", 0)),
        runs=(
            Run("1", "FAILURE", "a.png", "b.png", crashed=True),
            Run("2", "SUCCESS", "a.png", "b.png", crashed=False),
        ),
        keys=("a.png", "b.png"),
        made=Counter({"a.png": 2}),
        slots=0,
        backfills={"x": "COMPLETED_SUCCESS"},
    )
    week = Week(
        actor,
        facts,
        Outcome({"a.png": DONE, "b.png": REFUSED}, ()),
        Counter({"run worker": 1}),
        {"1": [100.0] * 50},
        [None, 3],
        {"a.png": {"manifest.json": "1"}},
    )
    facts = replace(facts, **{name: value for name, value in changes.items() if name in Facts.__dataclass_fields__})
    rest = {name: value for name, value in changes.items() if name in Week.__dataclass_fields__}
    return replace(week, facts=facts, **rest)


def test_a_week_in_which_all_went_well_breaks_no_promise(tmp_path: Path) -> None:
    ledger = make_ledger(a_week(tmp_path))
    assert ledger.broken == []
    assert ("nights", "no schedule, 3 runs") in ledger.rows
    assert ("exports made", "2") in ledger.rows


@pytest.mark.parametrize(
    ("changes", "promise"),
    [
        ({"outcome": Outcome({"b.png": REFUSED}, ()), "sample": {}}, "0 lost: 'a.png' (not in the register)"),
        ({"outcome": Outcome({"a.png": replace(DONE, source="older"), "b.png": REFUSED}, ())}, "0 lost: 'a.png'"),
        ({"outcome": Outcome({"a.png": replace(DONE, state="waiting"), "b.png": REFUSED}, ())}, "0 lost: 'a.png'"),
        ({"outcome": Outcome({"a.png": DONE, "b.png": replace(REFUSED, reason="")}, ())}, "every bad one refused"),
        ({"outcome": Outcome({"a.png": DONE, "b.png": REFUSED, "c.png": DONE}, ())}, "what was deleted is gone"),
        ({"outcome": Outcome({"a.png": DONE, "b.png": REFUSED}, ("x.tmp",))}, "no torn file"),
        ({"sample": {"a.png": {"manifest.json": "2"}}}, "exports equal an undisturbed run's: a.png"),
        ({"made": Counter({"a.png": 3})}, "0 done twice without need: a.png: made 3 times, 1 versions, 1 crashes"),
        ({"runs": (Run("1", "STARTED", "a.png", "b.png", crashed=False),), "made": Counter()}, "no run left started"),
        ({"slots": 1}, "no slot held"),
        ({"backfills": {"x": "REQUESTED"}}, "backfills ended: x REQUESTED"),
        ({"ticks": (Tick("SKIPPED", 5.5, "", 0),)}, "no tick over 5 s: 5.5 s"),
        ({"memory": {"1": [100.0] * 40 + [120.0] * 10}}, "memory of the daemon flat: 1.20 times"),
    ],
    ids=lambda value: value.split(":")[0].replace(" ", "-") if isinstance(value, str) else "",
)
def test_a_broken_promise_is_named(tmp_path: Path, changes: dict[str, Any], promise: str) -> None:
    (broken,) = make_ledger(a_week(tmp_path, **changes)).broken
    assert broken.startswith(promise)


def test_a_copy_is_done_once_but_not_refused_when_its_bytes_are_nowhere_else(tmp_path: Path) -> None:
    refused = replace(REFUSED, path="c.png", key="c.png")
    week = a_week(tmp_path, outcome=Outcome({"a.png": DONE, "b.png": REFUSED, "c.png": refused}, ()))
    week.actor.here["c.png"] = "digest"
    assert make_ledger(week).broken == []
    week.actor.here["c.png"] = "other"
    assert make_ledger(week).broken == ["no good document refused: 'c.png': it is truncated"]


def test_what_other_work_makes_slow_is_no_broken_promise_where_it_is_not_timed(tmp_path: Path) -> None:
    week = a_week(tmp_path, ticks=(Tick("SKIPPED", 50.0, "", 0),), memory={"1": [1.0] * 40 + [9.0] * 10})
    assert make_ledger(week, timed=False).broken == []


def test_people_of_the_week_keep_a_true_account_of_the_upload_folder(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    actor = Actor(tmp_path / "uploads", tmp_path / "kept", random.Random(1))
    actor.upload(20)
    for act in (actor.replace, actor.rename, actor.move, actor.delete, actor.upload_again, actor.touch, actor.restore):
        for _ in range(3):
            act()
    actor.upload_slowly()
    actor.finish_slow()
    assert {path: bytes_of(actor.uploads / path) for path in actor.here} == actor.here
    assert {seen.path for seen in look(actor.uploads)} == set(actor.here)
    assert actor.did["deleted"] == 3
    assert all(actor.lines[path].versions >= 1 for path in actor.here)


def test_every_kind_of_bad_upload_can_be_made(tmp_path: Path) -> None:
    kinds = [write_bad(tmp_path, number, random.Random(number))[1] for number in range(len(BAD))]
    assert kinds == list(BAD)
    assert len(list(tmp_path.iterdir())) == len(BAD)


def test_an_outcome_says_from_which_bytes_exports_were_made(tmp_path: Path) -> None:
    store, register = Store(tmp_path), UploadRegister(tmp_path)
    folder = store.document(DocumentKey("a.png"))
    folder.exports.mkdir(parents=True)
    folder.inspection.write_text('{"sha256": "whole", "files": [{"sha256": "1"}, {"sha256": "2"}]}')
    (folder.exports / "manifest.json").write_text('{"source": {"sha256": "whole"}}')
    register.write([Upload("a.png", "v", "i", "taken", 0, 0, key="a.png"), Upload("b.png", "v", "j", "waiting", 0, 0)])
    outcome = look_at_store(tmp_path)
    assert (outcome.uploads["a.png"].source, outcome.uploads["b.png"].source) == ("1+2", "")
    assert list(outcome.uploads["a.png"].exports) == ["manifest.json"]
    assert Outcome.from_json(outcome.to_json()) == outcome
    # Of an older version.
    (folder.exports / "manifest.json").write_text('{"source": {"sha256": "older"}}')
    assert look_at_store(tmp_path).uploads["a.png"].source == ""


def test_equal_seeds_give_equal_papers(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for suffix in (".png", ".pdf", ".tif", ""):
            write_paper(tmp_path / name / f"paper{suffix}", random.Random(7))
    assert bytes_of(tmp_path / "a" / "paper.pdf") == bytes_of(tmp_path / "b" / "paper.pdf")
    assert b"/ID" not in (tmp_path / "a" / "paper.pdf").read_bytes()  # it would be made of the time of day
    assert bytes_of(tmp_path / "a" / "paper").count("+") == 1


def test_a_service_that_takes_no_signal_is_killed_when_its_time_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "_GRACE", 0.2)
    deaf = "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); pathlib.Path('up').touch()"
    command = [sys.executable, "-c", f"{deaf}; time.sleep(600)"]
    with processes.Services(tmp_path, {}, {"deaf": command}) as services:
        end = time.monotonic() + 60
        while not (tmp_path / "up").exists() and time.monotonic() < end:
            time.sleep(0.05)
        pid = services.pid("deaf")
    assert (tmp_path / "up").exists()
    assert pid is not None
    assert not psutil.pid_exists(pid)
