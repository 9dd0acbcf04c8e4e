"""When people are there: weekly shifts in a time zone, with days that are different (holidays, a short Saturday).

Pure functions of stored hours and a given moment. A day may have several shifts ("09:00-12:30, 13:30-18:00"); a shift
whose end is not after its start goes on past midnight and belongs to the day on which it begins. Times are local and
turned into moments by the IANA time zone database, so a shift of 09:00-17:00 stays one through every clock change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chatbot.errors import InputError

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_MINUTES = 24 * 60
HORIZON = 370  # days that are looked through for the next opening
MOST_SHIFTS = 6  # a day
_DASHES = str.maketrans({"–": "-", "—": "-", "－": "-", "~": "-", "～": "-", "：": ":", "，": ",", "、": ","})
_SHIFT = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*-\s*(\d{1,2})(?::(\d{2}))?")
_CLOSED = ("", "-", "closed", "off", "休息", "关闭")
_NAMES = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}


@dataclass(frozen=True, slots=True, order=True)
class Shift:
    """Minutes since the day's midnight; ``end`` is above 1440 where the shift goes on past the next one."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{_clock(self.start)}-{_clock(self.end)}"


Shifts = tuple[Shift, ...]


@dataclass(frozen=True, slots=True)
class Hours:
    """A week of shifts (Monday first) in ``zone``, and the dates that have shifts of their own."""

    zone: str = "UTC"
    week: tuple[Shifts, ...] = ((),) * 7
    dates: Mapping[date, Shifts] = field(default_factory=dict)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Hours:
        """``{"zone", "week": {"mon": ["09:00-12:30", …], …}, "dates": {"2026-12-25": []}}``; what is left out is
        closed. Raises InputError for a zone, a day or a shift that cannot be."""
        zone = str(stored.get("zone", "UTC"))
        time_zone(zone)
        week, dates = stored.get("week", {}), stored.get("dates", {})
        if not isinstance(week, Mapping) or not isinstance(dates, Mapping):
            raise InputError("Not opening hours", field="hours", value=stored)
        for name in week:
            if name not in DAYS:
                raise InputError(
                    "Not a day of the week", field="hours", value=name, remedy=f"Use one of {', '.join(DAYS)}"
                )
        return cls(
            zone,
            tuple(read_shifts(_joined(week.get(name, ()))) for name in DAYS),
            {read_date(str(day)): read_shifts(_joined(shifts)) for day, shifts in dates.items()},
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "zone": self.zone,
            "week": {
                name: [str(shift) for shift in shifts]
                for name, shifts in zip(DAYS, self.week, strict=True)
                if shifts
            },
            "dates": {
                day.isoformat(): [str(shift) for shift in shifts]
                for day, shifts in sorted(self.dates.items())
            },
        }

    def shifts_on(self, day: date) -> Shifts:
        return self.dates.get(day, self.week[day.weekday()])


def _joined(shifts: object) -> str:
    if isinstance(shifts, str):
        return shifts
    if isinstance(shifts, Sequence):
        return ", ".join(str(shift) for shift in shifts)
    raise InputError("Not the shifts of a day", field="hours", value=shifts)


def _clock(minutes: int) -> str:
    return f"{24:02}:00" if minutes == DAY_MINUTES else f"{minutes // 60 % 24:02}:{minutes % 60:02}"


@lru_cache(maxsize=64)
def time_zone(name: str) -> ZoneInfo:
    """Raises InputError for a name that the time zone database does not hold."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InputError(
            "There is no such time zone",
            field="zone",
            value=name,
            remedy="Write one as Europe/Berlin or Asia/Shanghai",
        ) from error


def read_date(text: str) -> date:
    """A day as ``2026-12-25``. Raises InputError."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError("Not a date", field="dates", value=text, remedy="Write 2026-12-25") from error


def read_shifts(text: str) -> Shifts:
    """The shifts that somebody wrote, in order: "9-12:30, 13:30-18:00", "22:00-02:00", or "closed" for none.

    Raises InputError for what is no time, for shifts that overlap, and for more than MOST_SHIFTS of them.
    """
    plain = text.translate(_DASHES).strip().lower()
    if plain in _CLOSED:
        return ()
    found: list[Shift] = []
    for part in plain.split(","):
        match = _SHIFT.fullmatch(part.strip())
        if match is None:
            raise _wrong("Not opening hours", text)
        from_hour, from_minute, to_hour, to_minute = (int(number or 0) for number in match.groups())
        start, end = 60 * from_hour + from_minute, 60 * to_hour + to_minute
        if from_minute > 59 or to_minute > 59 or start >= DAY_MINUTES or end > DAY_MINUTES:
            raise _wrong("There is no such time of day", part.strip())
        found.append(Shift(start, end if end > start else end + DAY_MINUTES))
    found.sort()
    for before, after in pairwise(found):
        if after.start < before.end:
            raise _wrong("Two shifts of a day overlap", text)
    if len(found) > MOST_SHIFTS:
        raise _wrong("Too many shifts in a day", text)
    return tuple(found)


def _wrong(message: str, value: str) -> InputError:
    return InputError(
        message, field="hours", value=value, remedy="Write 09:00-12:30, 13:30-18:00, or leave it empty"
    )


def _spans(hours: Hours, first: date, days: int) -> Iterator[tuple[datetime, datetime]]:
    """Beginning and end of each shift as UTC, from ``first`` on, in order of their beginning."""
    zone = time_zone(hours.zone)
    for offset in range(days):
        day = first + timedelta(days=offset)
        midnight = datetime(day.year, day.month, day.day)
        for shift in hours.shifts_on(day):
            start = (midnight + timedelta(minutes=shift.start)).replace(tzinfo=zone)
            end = (midnight + timedelta(minutes=shift.end)).replace(tzinfo=zone)
            yield start.astimezone(UTC), end.astimezone(UTC)


def _day_before(hours: Hours, now: datetime) -> date:
    return now.astimezone(time_zone(hours.zone)).date() - timedelta(days=1)  # its last shift may still run


def is_open(hours: Hours | None, now: datetime) -> bool:
    """Whether somebody is there at ``now`` (an aware time). Without hours always."""
    if hours is None:
        return True
    return any(start <= now < end for start, end in _spans(hours, _day_before(hours, now), 3))


def opens_at(hours: Hours, now: datetime) -> datetime | None:
    """The next beginning of a shift after ``now``, as UTC; None where there is none within a year."""
    return next(
        (start for start, _ in _spans(hours, _day_before(hours, now), HORIZON) if start > now),
        None,
    )


def closes_at(hours: Hours, now: datetime) -> datetime | None:
    """When it closes after ``now``, as UTC, across shifts that follow each other without a gap; None where it is
    closed, or open for longer than a year."""
    until: datetime | None = None
    for start, end in _spans(hours, _day_before(hours, now), HORIZON):
        if until is None:
            if start > now:
                return None
            if now < end:
                until = end
        elif start <= until:
            until = max(until, end)
        else:
            return until
    return until if until is not None and until - now < timedelta(days=HORIZON - 7) else None


def clock_time(moment: datetime, hours: Hours) -> str:
    """The time of day as it is in the company's time zone: "18:00"."""
    return f"{moment.astimezone(time_zone(hours.zone)):%H:%M}"


def in_words(moment: datetime, hours: Hours, *, now: datetime, lang: str) -> str:
    """``moment`` as people of the company's time zone say it: "today at 13:30", "Monday at 09:00", "周一 09:00"."""
    zone = time_zone(hours.zone)
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    names = _NAMES.get(lang, _NAMES["en"])
    if lang == "zh":
        near = {0: "今天", 1: "明天"}
        day = near.get(days) or (names[local.weekday()] if days < 7 else f"{local.month}月{local.day}日")
        return f"{day} {local:%H:%M}"
    near = {0: "today", 1: "tomorrow"}
    day = near.get(days) or (names[local.weekday()] if days < 7 else f"{local.day} {local:%B}")
    return f"{day} at {local:%H:%M}"
