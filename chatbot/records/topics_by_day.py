"""What was asked for on each day, and how much of the answer displeased: the overview's topics, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from chatbot.records.statistics import (
    ANSWERS,
    QUARTER,
    UNHAPPY,
    WISHES,
    Period,
    of_site,
    seconds_since_1970,
    within,
)
from chatbot.records.tables import Conversation, Feedback, Site, Turn


@dataclass(slots=True)
class DayTopic:
    """``displeased``: thumbs down, and answers without a thumb in a conversation that left the customer unhappy."""

    replies: int = 0
    displeased: int = 0


def topics_by_day(
    session: Session, period: Period, *, lang: str | None = None, site: Site | None = None
) -> dict[date, dict[str, DayTopic]]:
    """Of every day of the period, the answers by topic (an intent's name, or ``article:`` and its slug)."""
    quarter = (seconds_since_1970(session, Turn.created_at) // QUARTER).label("quarter")
    where = [
        within(Turn.created_at, period),
        Turn.role == "bot",
        func.coalesce(Turn.kind, "").in_(ANSWERS),  # as in statistics: the index of the times serves
        func.coalesce(Turn.intent, "") != "",
        *of_site(site),
    ]
    if lang is not None:
        where.append(Turn.lang == lang)
    unhappy = select(Conversation.id).where(
        Conversation.last_activity_at >= period.start,
        or_(Conversation.csat <= UNHAPPY, Conversation.handover_reason.in_(WISHES)),
    )
    displeased = or_(Feedback.vote == "down", and_(Feedback.id.is_(None), Turn.conversation_id.in_(unhappy)))
    found: dict[date, dict[str, DayTopic]] = {day: defaultdict(DayTopic) for day in period.dates}
    for at, name, replies, number in session.execute(
        select(quarter, Turn.intent, func.count(), func.count(case((displeased, 1))))
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(*where)
        .group_by(quarter, Turn.intent)
    ):
        of_day = found[period.local(at * QUARTER).date()][str(name)]
        of_day.replies += replies
        of_day.displeased += number
    return {day: dict(topics) for day, topics in found.items()}


def asked_by_day(days: dict[date, dict[str, DayTopic]], names: Sequence[str]) -> list[list[int]]:
    """Of each of the topics, its answers on every day; at the end those of all other topics together."""
    named = [[topics[name].replies if name in topics else 0 for topics in days.values()] for name in names]
    whole = [sum(topic.replies for topic in topics.values()) for topics in days.values()]
    return [*named, [number - sum(row[at] for row in named) for at, number in enumerate(whole)]]


def displeased_by_day(days: dict[date, dict[str, DayTopic]]) -> dict[date, float | None]:
    """Share of each day's answers that displeased; None where there was none."""
    shares: dict[date, float | None] = {}
    for day, topics in days.items():
        replies = sum(topic.replies for topic in topics.values())
        shares[day] = sum(topic.displeased for topic in topics.values()) / replies if replies else None
    return shares
