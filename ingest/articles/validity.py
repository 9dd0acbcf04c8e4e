"""From when to when an article holds, as tables and front matter write it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_DAY = re.compile(r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})\s*日?(?:[T\s]00:00(?::00)?)?")


def beginning(given: str) -> datetime | None:
    """The beginning of a day, or a time; None where it names none ("", "-", 长期). Raises ValueError."""
    return _moment(given, days=0)


def end(given: str) -> datetime | None:
    """The end of a day, which still counts, or a time. As ``beginning``."""
    return _moment(given, days=1)


def _moment(given: str, *, days: int) -> datetime | None:
    text = given.strip()
    if not any(sign.isdigit() for sign in text):
        return None
    try:
        day = _DAY.fullmatch(text)
        if "/" in text and day and len(day[1]) < 3 and int(day[1]) <= 12 and day[1] != day[2]:
            raise ValueError(text)
        moment = _day(*day.groups()) + timedelta(days=days) if day else datetime.fromisoformat(text)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(text) from error


def _day(first: str, middle: str, last: str) -> datetime:
    """2026-12-31, 31.12.2026 or 31/12/2026, but not 03/04/2026, which is March to some and April to others."""
    if len(first) == 4:
        return datetime(int(first), int(middle), int(last))
    if len(last) != 4:
        raise ValueError(f"{first} {middle} {last}")
    return datetime(int(last), int(middle), int(first))
