"""When the night is: from a set hour to a set hour by the clock on the wall, also when that is put forward or back."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

OFF = "off"
"""Instead of the hour of the start: there are no nights."""
TICK = 30
"""Minutes between two looks at what is to be done."""


@dataclass(frozen=True)
class Night:
    """One night.

    Attributes:
        name: The date on which it begins, such as ``2026-11-26``.
        began, ends: Seconds of the epoch.
    """

    name: str
    began: float
    ends: float

    @property
    def seconds(self) -> float:
        return self.ends - self.began


@dataclass(frozen=True)
class Hours:
    """The hours of all nights.

    Attributes:
        start, end: On the wall. Where both are the same, it is always night.
    """

    start: time
    end: time
    zone: ZoneInfo

    @classmethod
    def of(cls, start: str, end: str, zone: str | None) -> Hours | None:
        """The hours that the settings say; None if there are no nights.

        Args:
            start: Such as ``22:00``, or ``off``.
            end: Such as ``06:00``.
            zone: Such as ``Europe/Paris``; None for that of this machine.
        """
        if start == OFF:
            return None
        return cls(time.fromisoformat(start), time.fromisoformat(end), ZoneInfo(zone or machine_zone()))

    def night_at(self, now: float) -> Night | None:
        """The night that it is at a moment, in seconds of the epoch; None by day."""
        today = datetime.fromtimestamp(now, self.zone).date()
        nights = (self._night_of(today), self._night_of(today - timedelta(days=1)))
        return next((night for night in nights if night.began <= now < night.ends), None)

    def next_night(self, now: float) -> Night:
        """The night that it is, or else the next one."""
        night = self.night_at(now)
        if night is not None:
            return night
        today = datetime.fromtimestamp(now, self.zone).date()
        return next(night for days in range(3) if (night := self._night_of(today + timedelta(days=days))).began > now)

    def cron(self) -> list[str]:
        """Cron expressions of the looks: at the start, every half hour, and at the end."""
        first = self.start.hour * 60 + self.start.minute
        length = (self.end.hour * 60 + self.end.minute - first) % 1440 or 1440
        minutes = [(first + after) % 1440 for after in [*range(0, length, TICK), length]]
        hours: dict[int, dict[int, None]] = {}
        for minute in minutes:
            hours.setdefault(minute % 60, {})[minute // 60] = None
        return [f"{minute} {','.join(map(str, sorted(these)))} * * *" for minute, these in hours.items()]

    def said(self, moment: float) -> str:
        """A moment for people, by the clock on the wall."""
        return datetime.fromtimestamp(moment, self.zone).strftime("%Y-%m-%d %H:%M")

    def iso(self, moment: float) -> str:
        """A moment for machines, that people can read as well."""
        return datetime.fromtimestamp(moment, self.zone).isoformat(timespec="seconds")

    def _night_of(self, day: date) -> Night:
        # The next day where the end is not later on the clock; a wall time that a change of the clock leaves out or
        # brings twice is taken as zoneinfo does: by the offset that was in force before.
        until = day if self.end > self.start else day + timedelta(days=1)
        began = datetime.combine(day, self.start, self.zone).timestamp()
        return Night(day.isoformat(), began, datetime.combine(until, self.end, self.zone).timestamp())


def machine_zone(localtime: Path = Path("/etc/localtime")) -> str:
    """The time zone of this machine by its name; ``UTC`` where it has none."""
    named = [os.environ.get("TZ", "").removeprefix(":")]
    if localtime.is_symlink():
        named.append(str(localtime.resolve()).partition("/zoneinfo/")[2])
    return next((name for name in named if name in available_timezones()), "UTC")
