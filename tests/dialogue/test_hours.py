"""Opening hours: split shifts, nights, holidays, clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.dialogue.hours import Hours, Shift, closes_at, in_words, is_open, opens_at, read_shifts
from chatbot.dialogue.options import SiteOptions
from chatbot.errors import InputError

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Hours.from_json(
    {
        "zone": "Europe/Berlin",
        "week": {
            **dict.fromkeys(("mon", "tue", "wed", "thu"), "09:00-12:30, 13:30-18:00"),
            "fri": "9-15",
            "sat": ["22:00-02:00"],
        },
        "dates": {"2026-12-25": [], "2026-12-24": ["09:00-12:00"]},
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 08:59", False),
        ("2026-11-23 09:00", True),
        ("2026-11-23 12:30", False),  # the lunch break: an end is no longer open
        ("2026-11-23 13:30", True),
        ("2026-11-27 15:00", False),
        ("2026-11-28 23:00", True),
        ("2026-11-29 01:59", True),  # Sunday is closed, but Saturday's night goes on
        ("2026-11-29 02:00", False),
        ("2026-12-25 10:00", False),
        ("2026-12-24 11:00", True),
        ("2026-12-24 14:00", False),
    ],
)
def test_open_and_closed(moment: str, expected: bool) -> None:
    assert is_open(OFFICE, at(moment)) is expected


def test_without_hours_somebody_is_always_there() -> None:
    assert is_open(None, at("2026-12-25 03:00"))
    assert SiteOptions().opening_hours is None


def test_a_shift_keeps_its_local_times_through_a_clock_change() -> None:
    summer, winter = at("2026-10-22 09:00"), at("2026-10-26 09:00")  # clocks go back on 25 October
    assert (summer.astimezone(UTC).hour, winter.astimezone(UTC).hour) == (7, 8)
    assert is_open(OFFICE, summer) and is_open(OFFICE, winter)
    assert not is_open(OFFICE, summer - timedelta(minutes=1))
    assert not is_open(OFFICE, winter - timedelta(minutes=1))


def test_the_next_opening_skips_the_weekend_and_holidays() -> None:
    assert opens_at(OFFICE, at("2026-11-23 12:45")) == at("2026-11-23 13:30")
    assert opens_at(OFFICE, at("2026-12-24 13:00")) == at("2026-12-26 22:00")
    assert opens_at(Hours(), at("2026-11-23 12:45")) is None


def test_it_closes_at_the_end_of_shifts_that_follow_each_other() -> None:
    assert closes_at(OFFICE, at("2026-11-23 10:00")) == at("2026-11-23 12:30")
    assert closes_at(OFFICE, at("2026-11-23 13:00")) is None
    nights = Hours.from_json({"zone": "Europe/Berlin", "week": {"mon": "18-24", "tue": "0:00-6:00"}})
    assert closes_at(nights, at("2026-11-23 20:00")) == at("2026-11-24 06:00")
    always = Hours(week=((Shift(0, 1440),),) * 7)
    assert is_open(always, at("2026-11-23 00:00"))
    assert closes_at(always, at("2026-11-23 10:00")) is None


def test_an_opening_in_words() -> None:
    now = at("2026-11-20 20:00")  # a Friday
    assert in_words(at("2026-11-20 21:00"), OFFICE, now=now, lang="en") == "today at 21:00"
    assert in_words(at("2026-11-23 09:00"), OFFICE, now=now, lang="en") == "Monday at 09:00"
    assert in_words(at("2026-11-21 22:00"), OFFICE, now=now, lang="zh") == "明天 22:00"
    assert in_words(at("2026-12-26 22:00"), OFFICE, now=now, lang="zh") == "12月26日 22:00"
    assert in_words(at("2026-12-26 22:00"), OFFICE, now=now, lang="fr") == "26 December at 22:00"


def test_shifts_are_read_as_people_write_them() -> None:
    assert read_shifts("13:30–18:00，9-12:30") == (Shift(540, 750), Shift(810, 1080))
    assert read_shifts("00:00-24:00") == (Shift(0, 1440),)
    assert read_shifts(" 休息 ") == read_shifts("") == ()


@pytest.mark.parametrize(
    "text",
    [
        "9 to 5",
        "25:00-26:00",
        "09:61-10:00",
        "9-12, 11-13",
        "22-3, 2-4, 23-24",
        "9-",
        "0-1,1-2,2-3,3-4,4-5,5-6,6-7",
    ],
)
def test_what_is_no_shift_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError) as raised:
        read_shifts(text)
    assert raised.value.remedy


@pytest.mark.parametrize(
    "stored",
    [
        {"zone": "Mars/Olympus"},
        {"zone": "../etc"},
        {"week": {"monday": []}},
        {"dates": {"soon": []}},
        {"week": [1]},
        {"week": {"mon": 9}},
    ],
)
def test_options_refuse_hours_that_cannot_be(stored: dict[str, object]) -> None:
    with pytest.raises(InputError):
        SiteOptions(hours=stored)


@settings(deadline=None, max_examples=40)
@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 1), timezones=st.just(UTC)))
def test_what_opens_next_is_open_then_and_was_closed_just_before(now: datetime) -> None:
    opening = opens_at(OFFICE, now)
    assert opening is not None and opening > now
    assert is_open(OFFICE, opening)
    closing = closes_at(OFFICE, now)
    assert (closing is not None) == is_open(OFFICE, now)
    if closing is not None:
        assert not is_open(OFFICE, closing)


def test_hours_survive_storing() -> None:
    assert Hours.from_json(OFFICE.as_json()) == OFFICE
    assert OFFICE.shifts_on(date(2026, 12, 25)) == ()
