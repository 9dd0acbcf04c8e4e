from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from chatbot.records.conversations import ensure_default_site, start_conversation
from chatbot.records.database import Database
from chatbot.records.statistics import Period, Statistics, Topic, statistics, topic_titles
from chatbot.records.tables import Article, Conversation, Feedback, Intent, Turn
from chatbot.records.topics_by_day import DayTopic, asked_by_day, displeased_by_day, topics_by_day

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
Talk = Callable[..., Conversation]


@pytest.fixture
def talk(records: Database) -> Talk:
    """A conversation of one question and reply after another: (kind, intent) each."""

    def make(
        *replies: tuple[str, str | None],
        at: datetime = NOW - timedelta(hours=5),
        lang: str = "en",
        vote: str | None = None,
        milliseconds: float | None = 20.0,
        visitor: int | None = None,
        **columns: object,
    ) -> Conversation:
        with records.write() as session:
            site = ensure_default_site(session)
            made = start_conversation(session, site_id=site.id, token_hash="t", locale="en", now=at)
            made.visitor_id = visitor or made.visitor_id
            for kind, intent in replies:
                asked = Turn(conversation_id=made.id, role="customer", text="?", lang=lang, created_at=at)
                session.add(asked)
                session.flush()
                answer = Turn(
                    conversation_id=made.id,
                    role="bot",
                    text="!",
                    lang=lang,
                    kind=kind,
                    intent=intent,
                    reply_to_id=asked.id,
                    milliseconds=milliseconds,
                    created_at=at,
                )
                session.add(answer)
                session.flush()
            if vote:
                session.add(Feedback(turn_id=answer.id, vote=vote, created_at=at))
            for name, value in columns.items():
                setattr(made, name, value)
        return made

    return make


def read(database: Database, days: int = 7, *, now: datetime = NOW, **options: str) -> Statistics:
    with database.read() as session:
        return statistics(session, Period(days, now, UTC), **options)


ANSWERED, UNKNOWN, THANKS = ("passage", "refund"), ("unknown", None), ("smalltalk", None)


@pytest.mark.parametrize(
    ("replies", "said", "outcome"),
    [
        ([ANSWERED], {"vote": "up"}, "confirmed"),
        ([ANSWERED], {"csat": 4}, "confirmed"),
        ([ANSWERED], {"csat": 2, "vote": "up"}, "neither"),  # the mark weighs more than a thumb
        ([ANSWERED], {"outcome": "solved"}, "confirmed"),
        ([ANSWERED], {"outcome": "unsolved"}, "neither"),
        ([ANSWERED], {}, "assumed"),
        ([UNKNOWN, ANSWERED, THANKS], {}, "assumed"),
        ([ANSWERED], {"vote": "down"}, "neither"),
        ([ANSWERED, UNKNOWN], {}, "neither"),
        ([ANSWERED, ANSWERED], {}, "neither"),  # asked the same again
        ([ANSWERED, ("approved", "shipping")], {}, "assumed"),
        ([ANSWERED], {"last_activity_at": NOW - timedelta(minutes=2)}, "neither"),  # it may still go on
        ([UNKNOWN], {}, "neither"),
        ([ANSWERED], {"handover_at": NOW}, "handed_over"),
        ([ANSWERED], {"taken_at": NOW, "vote": "up"}, "confirmed_by_people"),
    ],
)
def test_a_conversation_counts_as_solved_only_for_a_reason(
    records: Database, talk: Talk, replies: list, said: dict, outcome: str
) -> None:
    talk(*replies, **said)
    total = read(records).total
    found = {
        name: getattr(total, name)
        for name in ("confirmed", "assumed", "neither", "handed_over", "confirmed_by_people")
    }
    assert total.conversations == 1
    assert found.pop(outcome) == 1
    found.pop("handed_over", None)
    assert set(found.values()) == {0}


def test_nothing_is_assumed_of_a_visitor_who_came_back(records: Database, talk: Talk) -> None:
    first = talk(ANSWERED, at=NOW - timedelta(days=6))
    talk(ANSWERED, at=NOW - timedelta(days=4), visitor=first.visitor_id)
    talk(ANSWERED, at=NOW - timedelta(hours=2), visitor=first.visitor_id)
    assert [(f.assumed, f.neither) for f in read(records).days.values() if f.conversations] == [
        (0, 1),  # back two days later
        (1, 0),
        (1, 0),
    ]


def test_a_widget_that_was_only_opened_is_no_conversation(records: Database, talk: Talk) -> None:
    talk()
    assert read(records).total.conversations == 0


def test_days_are_the_readers_and_the_period_ends_with_today(records: Database, talk: Talk) -> None:
    late = datetime(2026, 11, 19, 18, 40, tzinfo=UTC)  # 00:10 of the 20th where clocks are 5.5 hours ahead
    talk(ANSWERED, at=late)
    talk(ANSWERED, at=datetime(2026, 11, 14, 18, 29, tzinfo=UTC))  # a minute before the period there
    with records.read() as session:
        found = statistics(session, Period(7, NOW, timezone(timedelta(hours=5.5))))
    assert [day.isoformat() for day in found.days][::6] == ["2026-11-15", "2026-11-21"]
    assert [day for day, f in found.days.items() if f.conversations] == [date(2026, 11, 20)]
    assert found.hours[4][0] == 1 and sum(map(sum, found.hours)) == 1  # a Friday, the hour after midnight
    assert found.total.messages == found.total.replies == 1


def test_one_language_alone(records: Database, talk: Talk) -> None:
    talk(ANSWERED, lang="en", milliseconds=10.0)
    talk(UNKNOWN, UNKNOWN, lang="zh", milliseconds=90.0)
    found = read(records, lang="zh")
    assert (found.total.conversations, found.total.messages, found.total.unknown_share) == (1, 2, 1.0)
    assert (found.total.median_ms, found.kinds, found.topics) == (90.0, {"unknown": 2}, [])
    assert found.languages == {"zh": 2, "en": 1}  # all, to choose from


def test_times_are_ranks_of_what_was_measured(records: Database, talk: Talk) -> None:
    for milliseconds in (*range(1, 101), None):
        talk(ANSWERED, milliseconds=milliseconds)
    assert (read(records).total.median_ms, read(records).total.p95_ms) == (50.0, 95.0)
    assert read(records, now=NOW - timedelta(days=30)).total.median_ms is None


def test_marks_are_averaged_over_those_given(records: Database, talk: Talk) -> None:
    for mark in (5, 2, None):
        talk(ANSWERED, csat=mark)
    total = read(records).total
    assert (total.csat, total.marks) == (3.5, 2)


def test_savings_say_what_is_confirmed_and_what_is_assumed(records: Database, talk: Talk) -> None:
    talk(ANSWERED, vote="up")
    talk(ANSWERED)
    saved = read(records).savings(minutes=6, hour_cost=30)
    assert (saved.least, saved.most) == (3.0, 6.0)


def test_topics_carry_their_titles_and_thumbs(records: Database, talk: Talk) -> None:
    with records.write() as session:
        session.add(Intent(name="refund", titles={"en": "Refund time", "zh": "退款时间"}))
        for lang, title in (("zh", "配送"), ("en", "Shipping")):
            session.add(Article(slug="ship", lang=lang, title=title, body="", content_hash=lang))
    talk(ANSWERED, vote="down")
    talk(ANSWERED, ("passage", "article:ship"))
    topics = read(records).topics
    assert [(topic.name, topic.replies, topic.down) for topic in topics] == [
        ("refund", 2, 1),
        ("article:ship", 1, 0),
    ]
    with records.read() as session:
        assert topic_titles(session, [topic.name for topic in topics] + ["gone"], lang="en") == {
            "refund": "Refund time",
            "article:ship": "Shipping",
            "gone": "gone",
        }


def test_a_topic_surges_by_more_than_chance(records: Database, talk: Talk) -> None:
    for number in range(40):
        talk(ANSWERED, at=NOW - timedelta(days=10), vote="down" if number == 0 else None)
    for number in range(30):
        talk(ANSWERED, vote="down" if number < 9 else None)
    assert [topic.name for topic in read(records).surging] == ["refund"]


def test_a_surge_of_this_week_is_told_whichever_period_is_looked_at(records: Database, talk: Talk) -> None:
    for days in (10, 20, 40):  # 40 answers each, of which the last ones before this week pleased
        for number in range(40):
            at = NOW - timedelta(days=days)
            talk(ANSWERED, at=at, vote="down" if number < (1 if days == 10 else 12) else None)
    for number in range(30):
        talk(ANSWERED, vote="down" if number < 12 else None)
    for days in (7, 30, 90):
        found = read(records, days)
        (topic,) = found.surging
        told = (topic.negative, topic.replies, topic.negative_before, topic.replies_before)
        assert (topic.name, told) == ("refund", (12, 30, 1, 40)), days
        assert read(records, days, lang="zh").surging == []
    assert not read(records, 30).topics[0].surges  # over 30 days it is no worse than before


@pytest.mark.parametrize(
    ("replies", "down", "before", "down_before", "surges"),
    [
        (30, 9, 40, 1, True),
        (30, 4, 40, 0, False),  # too few votes to say anything
        (30, 9, 30, 7, False),
        (30, 9, 0, 0, False),  # nothing to compare with
        (100_000, 900, 100_000, 500, True),
    ],
)
def test_what_a_surge_is(replies: int, down: int, before: int, down_before: int, surges: bool) -> None:
    assert Topic("refund", replies, 0, down, before, down_before).surges is surges


def test_what_left_the_customer_unhappy_counts_against_the_topic_without_a_thumb(
    records: Database, talk: Talk
) -> None:
    talk(ANSWERED, csat=1)
    talk(ANSWERED, ("approved", "ship"), handover_reason="asked_for_person")
    talk(ANSWERED, vote="up", csat=2)  # he liked this one
    talk(ANSWERED, vote="down", csat=1)  # counted once
    talk(ANSWERED, handover_reason="out_of_hours")
    talk(ANSWERED, at=NOW - timedelta(days=10), csat=2)
    found = {
        topic.name: (topic.replies, topic.negative, topic.negative_before) for topic in read(records).topics
    }
    assert found == {"refund": (5, 3, 1), "ship": (1, 1, 0)}


def test_a_topic_surges_by_low_marks_alone(records: Database, talk: Talk) -> None:
    for number in range(40):
        talk(ANSWERED, at=NOW - timedelta(days=10), csat=1 if number == 0 else 5)
    for number in range(30):
        talk(ANSWERED, csat=1 if number < 9 else 5)
    assert [topic.name for topic in read(records).surging] == ["refund"]


def test_topics_day_by_day_add_up_to_the_periods(records: Database, talk: Talk) -> None:
    yesterday = NOW - timedelta(days=1)
    talk(("approved", "refund"), ("passage", "refund"), vote="down")
    talk(("approved", "refund"), at=yesterday, last_activity_at=yesterday, csat=1)
    talk(("approved", "refund"), ("unknown", None), lang="zh", at=yesterday, last_activity_at=yesterday)
    talk(("approved", "late"), at=NOW - timedelta(days=9), last_activity_at=NOW - timedelta(days=9))
    period = Period(7, NOW, UTC)
    with records.read() as session:
        days = topics_by_day(session, period)
        chinese = topics_by_day(session, period, lang="zh")
        whole = {topic.name: topic for topic in statistics(session, period).topics}
    assert list(days) == period.dates
    told = {day: topics for day, topics in days.items() if topics}
    assert told == {
        yesterday.date(): {"refund": DayTopic(2, 1)},
        NOW.date(): {"refund": DayTopic(2, 1)},
    }
    assert sum(one["refund"].displeased for one in told.values()) == whole["refund"].negative
    assert {day: topics for day, topics in chinese.items() if topics} == {
        yesterday.date(): {"refund": DayTopic(1, 0)}
    }
    shares = displeased_by_day(days)
    assert shares[NOW.date()] == 0.5 and shares[period.dates[0]] is None


def test_topics_that_are_not_named_are_counted_together(records: Database, talk: Talk) -> None:
    talk(("approved", "refund"), ("passage", "late"), ("passage", "size"))
    talk(("approved", "refund"), at=NOW - timedelta(days=1))
    with records.read() as session:
        days = topics_by_day(session, Period(7, NOW, UTC))
    refunds, others = asked_by_day(days, ["refund"])
    assert (refunds, others) == ([0, 0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0, 2])


def test_messages_count_by_day_in_their_language(records: Database, talk: Talk) -> None:
    talk(("approved", "refund"), ("passage", "refund"))
    talk(("approved", "refund"), lang="zh", at=NOW - timedelta(days=1))
    found = read(records)
    days = {day: counted for day, counted in found.language_days.items() if counted}
    assert list(days.values()) == [{"zh": 1}, {"en": 2}]
