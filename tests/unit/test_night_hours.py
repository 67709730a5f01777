"""When the night is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive_pipeline.nights.hours import Hours, machine_zone

PARIS = ZoneInfo("Europe/Paris")


def _hours(start: str = "22:00", end: str = "06:00", zone: str = "Europe/Paris") -> Hours:
    hours = Hours.of(start, end, zone)
    assert hours is not None
    return hours


def _at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("now", "name"),
    [
        ("2026-11-26 21:59", None),
        ("2026-11-26 22:00", "2026-11-26"),
        ("2026-11-27 03:00", "2026-11-26"),
        ("2026-11-27 05:59", "2026-11-26"),
        ("2026-11-27 06:00", None),
        ("2026-11-27 12:00", None),
    ],
)
def test_a_night_has_the_date_of_its_evening(now: str, name: str | None) -> None:
    night = _hours().night_at(_at(now))
    assert (night.name if night else None) == name


@pytest.mark.parametrize(
    ("evening", "hours"),
    [("2026-11-26 22:00", 8), ("2026-03-28 22:00", 7), ("2026-10-24 22:00", 9)],
    ids=["usual", "clock-put-forward", "clock-put-back"],
)
def test_it_ends_by_the_clock_on_the_wall_whatever_became_of_that(evening: str, hours: int) -> None:
    night = _hours().night_at(_at(evening))
    assert night is not None
    assert night.seconds == hours * 3600
    assert datetime.fromtimestamp(night.ends, PARIS).strftime("%H:%M") == "06:00"


def test_an_end_that_the_clock_leaves_out_comes_an_hour_later() -> None:
    night = _hours("22:00", "02:30").night_at(_at("2026-03-28 23:00"))
    assert night is not None
    assert datetime.fromtimestamp(night.ends, PARIS).strftime("%H:%M") == "03:30"


def test_an_end_that_comes_twice_is_the_first_one() -> None:
    night = _hours("22:00", "02:30").night_at(_at("2026-10-24 23:00"))
    assert night is not None
    assert night.ends == _at("2026-10-25 02:30", fold=0)


def test_a_night_may_be_in_the_day() -> None:
    hours = _hours("12:00", "13:30")
    assert hours.night_at(_at("2026-11-26 13:00")) is not None
    assert hours.night_at(_at("2026-11-26 13:30")) is None
    assert hours.next_night(_at("2026-11-26 14:00")).name == "2026-11-27"


@given(
    st.integers(0, 3 * 366 * 24 * 60),
    st.times(),
    st.times(),
    st.sampled_from(["Europe/Paris", "America/St_Johns", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"]),
)
def test_the_next_night_is_the_one_that_it_is_or_begins_within_a_day(
    minutes: int, start: object, end: object, zone: str
) -> None:
    hours = _hours(str(start)[:5], str(end)[:5], zone)
    now = datetime(2025, 1, 1, tzinfo=UTC).timestamp() + 60 * minutes
    night, coming = hours.night_at(now), hours.next_night(now)
    if night is not None:
        assert night == coming
        assert night.began <= now < night.ends
    else:
        assert now < coming.began <= now + 25 * 3600
    assert 0 < coming.seconds <= 25 * 3600


@pytest.mark.parametrize(
    ("start", "end", "cron"),
    [
        ("22:00", "00:00", ["0 0,22,23 * * *", "30 22,23 * * *"]),
        ("23:50", "00:10", ["50 23 * * *", "10 0 * * *"]),
        ("20:15", "21:00", ["15 20 * * *", "45 20 * * *", "0 21 * * *"]),
    ],
)
def test_there_is_a_look_at_the_start_each_half_hour_and_at_the_end(start: str, end: str, cron: list[str]) -> None:
    assert _hours(start, end).cron() == cron


def test_off_means_no_nights() -> None:
    assert Hours.of("off", "06:00", "Europe/Paris") is None


def test_the_zone_is_that_of_the_machine_unless_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = tmp_path / "localtime"
    monkeypatch.setenv("TZ", "")
    assert machine_zone(link) == "UTC"
    link.symlink_to("/usr/share/zoneinfo/Europe/Lisbon")
    assert machine_zone(link) in ("Europe/Lisbon", "Portugal")
    monkeypatch.setenv("TZ", ":Europe/Vienna")
    assert machine_zone(link) == "Europe/Vienna"
    monkeypatch.setenv("TZ", "CET-1CEST")  # a rule, which has no name
    assert machine_zone(link) in ("Europe/Lisbon", "Portugal")


def test_a_moment_is_told_by_the_clock_on_the_wall() -> None:
    hours = _hours()
    night = hours.night_at(_at("2026-11-26 23:00"))
    assert night is not None
    assert hours.said(night.ends) == "2026-11-27 06:00"
    assert hours.iso(night.ends) == "2026-11-27T06:00:00+01:00"
    assert hours.night_at(night.ends + timedelta(hours=12).total_seconds()) is None
