"""Periods of validity as people and programs give them: days, or times with a zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chatbot.errors import InputError


def first_day(moment: datetime | None) -> str:
    """A period's beginning as a date field shows it."""
    return f"{moment.astimezone():%Y-%m-%d}" if moment else ""


def last_day(moment: datetime | None) -> str:
    """A period's end as a date field shows it: the last day that counts."""
    return first_day(moment - timedelta(microseconds=1)) if moment else ""


def beginning(given: str | None, *, before: datetime | None = None) -> datetime | None:
    """Where the period begins: the beginning of a day, or a time. ``before``: what it was; a field that shows days
    keeps the time of day that a program set. Raises InputError for what is no date."""
    return _moment(given, "valid_from", before, first_day(before))


def end(given: str | None, *, before: datetime | None = None) -> datetime | None:
    """Where it ends: the end of a day, or a time. See ``beginning``."""
    return _moment(given, "valid_until", before, last_day(before), days=1)


def _moment(
    given: str | None, field: str, before: datetime | None, shown: str, *, days: int = 0
) -> datetime | None:
    """``days``: added to what is a whole day."""
    text = (given or "").strip()
    if text == shown:
        return before
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if len(text) <= len("2026-12-31"):
            moment += timedelta(days=days)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InputError(
            "This is no date", field=field, value=text[:40], remedy="Write a day such as 2026-12-31"
        ) from error
