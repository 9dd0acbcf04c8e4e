"""What the bot did over some days, in numbers that say no more than they know.

A conversation belongs to the day it began on and to the language of its first message, and counts once the customer has
written. Each is exactly one of: solved and *confirmed* (the customer's mark or thumb, or an agent, said so), *assumed*
solved (the last question was answered, nothing was voted down or asked twice, and nobody came back within three days),
with a *person*, or none of these. Messages and replies count on their own day and in their own language.

The database groups by quarter of an hour, which no time zone splits; the reader's days are summed here.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, exists, extract, func, or_, select
from sqlalchemy.orm import Session, aliased

from chatbot.records.conversations import NOTICE
from chatbot.records.tables import Article, Conversation, Feedback, Intent, Site, Turn

PERIODS = (7, 30, 90)  # days
ANSWERS = ("approved", "passage", "generated")
SETTLED_AFTER = timedelta(minutes=30)  # without a word: until then nothing is assumed
BACK_WITHIN = timedelta(days=3)  # the same visitor with a new conversation: it was not solved after all
HAPPY = 4  # a mark from here on says that it was solved
UNHAPPY = 2  # and one up to here that it displeased
WISHES = (
    "asked_for_person",
    "tapped",
    "visitor_asked",
    "asked_again",
)  # handovers that the customer brought about
SURGE_DAYS = (
    7  # held against as many before, whatever period is looked at: a long one would hide a new trouble
)
SURGE_VOTES = 5  # fewer thumbs down are no surge
SURGE_CHANCE = 0.01
QUARTER = 900  # seconds


@dataclass(frozen=True, slots=True)
class Period:
    """``days`` whole days of the reader's, the last one today. ``zone`` None: this machine's."""

    days: int
    now: datetime
    zone: tzinfo | None = None

    @property
    def dates(self) -> list[date]:
        today = self.local(self.now.timestamp()).date()
        return [today - timedelta(days=back) for back in range(self.days - 1, -1, -1)]

    @property
    def start(self) -> datetime:
        return datetime.combine(self.dates[0], time(0), self.zone).astimezone(UTC)

    @property
    def before(self) -> datetime:
        """Where the period of the same length before it begins."""
        return datetime.combine(self.dates[0] - timedelta(days=self.days), time(0), self.zone).astimezone(UTC)

    def local(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, self.zone)


@dataclass(slots=True)
class Figures:
    """Of a day or of the whole period. Times in milliseconds; ``None``: nothing to measure."""

    conversations: int = 0
    answered: int = 0  # by the bot, without a person
    handed_over: int = 0
    confirmed: int = 0  # solved by the bot, and somebody said so
    confirmed_by_people: int = 0  # solved by a person; part of handed_over
    assumed: int = 0
    neither: int = 0
    messages: int = 0
    replies: int = 0
    unknown: int = 0  # replies that only said "I do not know"
    marks: int = 0
    marks_sum: int = 0
    thumbs_up: int = 0
    thumbs_down: int = 0
    median_ms: float | None = None
    p95_ms: float | None = None

    @property
    def csat(self) -> float | None:
        """Mean mark, 1 to 5."""
        return self.marks_sum / self.marks if self.marks else None

    @property
    def unknown_share(self) -> float | None:
        return self.unknown / self.replies if self.replies else None

    def share(self, number: int) -> float | None:
        """Of the conversations."""
        return number / self.conversations if self.conversations else None


@dataclass(frozen=True, slots=True)
class Topic:
    """What was asked for: an intent's name, or ``article:`` and its slug."""

    name: str
    replies: int
    up: int
    down: int
    replies_before: int
    down_before: int
    left_unhappy: int = (
        0  # answers without a thumb, after which the customer marked low or asked for a person
    )
    left_unhappy_before: int = 0

    @property
    def negative(self) -> int:
        """Answers that displeased: thumbs down, and those that left the customer unhappy."""
        return self.down + self.left_unhappy

    @property
    def negative_before(self) -> int:
        return self.down_before + self.left_unhappy_before

    @property
    def negative_share(self) -> float:
        return self.negative / self.replies if self.replies else 0.0

    @property
    def surges(self) -> bool:
        """Whether more of its answers displease than in the period before, by more than chance: Fisher's exact test,
        one-sided (Fisher 1935, section 21). Needs a period before to compare with."""
        if self.negative < SURGE_VOTES or not self.replies_before:
            return False
        if self.negative_share <= self.negative_before / self.replies_before:
            return False
        chance = _chance(self.negative, self.replies, self.negative_before, self.replies_before)
        return chance < SURGE_CHANCE


@dataclass(frozen=True, slots=True)
class Savings:
    """What the bot's solved conversations would have cost: ``conversations × minutes ÷ 60 × hour_cost``."""

    minutes: float
    hour_cost: float
    confirmed: int
    assumed: int

    @property
    def least(self) -> float:
        """Of the confirmed ones alone."""
        return self.confirmed * self.minutes / 60 * self.hour_cost

    @property
    def most(self) -> float:
        """With those that are only assumed."""
        return (self.confirmed + self.assumed) * self.minutes / 60 * self.hour_cost


@dataclass(frozen=True, slots=True)
class Statistics:
    period: Period
    lang: str | None
    site: str | None  # a site's key; None: all of them together
    total: Figures
    days: dict[date, Figures]
    kinds: dict[str, int]  # replies by kind, most frequent first
    languages: dict[str, int]  # customers' messages, in every language
    language_days: dict[date, dict[str, int]]  # the same, day by day
    hours: list[list[int]]  # [weekday, Monday first][hour]: customers' messages
    topics: list[Topic]  # the most asked first
    surging: list[Topic] = field(default_factory=list)  # with the figures of the last SURGE_DAYS days

    def savings(self, *, minutes: float, hour_cost: float) -> Savings:
        return Savings(minutes, hour_cost, self.total.confirmed, self.total.assumed)


def statistics(
    session: Session, period: Period, *, lang: str | None = None, site: Site | None = None
) -> Statistics:
    """The figures of a period in one language, or in all; of one site, or of all."""
    days = {day: Figures() for day in period.dates}
    total = Figures()
    kinds: Counter[str] = Counter()
    languages: Counter[str] = Counter()
    language_days: dict[date, Counter[str]] = {day: Counter() for day in days}
    hours = [[0] * 24 for _ in range(7)]

    for quarter, tag, outcome, number, answered, marks, marks_sum, up, down in _conversations(
        session, period, site
    ):
        if lang is not None and tag != lang:
            continue
        for figures in (total, days[period.local(quarter * QUARTER).date()]):
            figures.conversations += number
            figures.answered += answered
            figures.marks += marks
            figures.marks_sum += marks_sum or 0
            figures.thumbs_up += up
            figures.thumbs_down += down
            if outcome.startswith("person"):
                figures.handed_over += number
                figures.confirmed_by_people += number if outcome == "person_confirmed" else 0
            else:
                setattr(figures, outcome, getattr(figures, outcome) + number)

    for quarter, role, kind, tag, number in _messages(session, period, site):
        if role == "customer":
            languages[tag] += number
            language_days[period.local(quarter * QUARTER).date()][tag] += number
        if lang is not None and tag != lang:
            continue
        moment = period.local(quarter * QUARTER)
        if role == "customer":
            hours[moment.weekday()][moment.hour] += number
        else:
            kinds[kind] += number
        for figures in (total, days[moment.date()]):
            if role == "customer":
                figures.messages += number
            else:
                figures.replies += number
                figures.unknown += number if kind == "unknown" else 0

    times: dict[date, list[float]] = defaultdict(list)
    for quarter, spent in _times(session, period, lang, site):
        times[period.local(quarter * QUARTER).date()].append(spent)
    for day, spent_on_it in times.items():
        days[day].median_ms, days[day].p95_ms = _quantiles(spent_on_it)
    total.median_ms, total.p95_ms = _quantiles([spent for day in times.values() for spent in day])

    topics = sorted(_topics(session, period, lang, site), key=lambda topic: (-topic.replies, topic.name))
    week = replace(period, days=SURGE_DAYS)
    return Statistics(
        period,
        lang,
        site.key if site else None,
        total,
        days,
        dict(kinds.most_common()),
        dict(languages.most_common()),
        {day: dict(counted) for day, counted in language_days.items()},
        hours,
        [topic for topic in topics if topic.replies],
        _surging(topics) if week == period else surging_topics(session, week, lang=lang, site=site),
    )


def surging_topics(
    session: Session, week: Period, *, lang: str | None = None, site: Site | None = None
) -> list[Topic]:
    """Those that displeased more in a period than in the one before it, the worst first."""
    return _surging(_topics(session, week, lang, site))


def _surging(topics: Iterable[Topic]) -> list[Topic]:
    return sorted(
        (topic for topic in topics if topic.surges), key=lambda topic: (-topic.negative, topic.name)
    )


def topic_titles(session: Session, names: Sequence[str], *, lang: str) -> dict[str, str]:
    """How a reader of ``lang`` knows these topics; a name without a title stands for itself."""
    titles = {name: name for name in names}
    for name, said in session.execute(select(Intent.name, Intent.titles).where(Intent.name.in_(names))):
        titles[name] = said.get(lang) or next(iter(said.values()), name)
    slugs = {name.removeprefix("article:"): name for name in names if name.startswith("article:")}
    articles = select(Article.slug, Article.title).where(Article.slug.in_(slugs))
    for slug, title in session.execute(articles.order_by(case((Article.lang == lang, 1), else_=0))):
        titles[slugs[slug]] = title
    return titles


# --- what the database is asked ----------------------------------------------------------------------------


def seconds_since_1970(session: Session, column: Any) -> ColumnElement[int]:
    """Whole seconds since 1970."""
    seconds = extract("epoch", column)
    if session.get_bind().dialect.name == "postgresql":
        return cast(func.floor(seconds), BigInteger)  # a cast alone would round
    return cast(seconds, BigInteger)


def within(column: Any, period: Period) -> ColumnElement[bool]:
    return and_(column >= period.start, column <= period.now)


def of_site(site: Site | None, conversation: Any = Turn.conversation_id) -> list[ColumnElement[bool]]:
    """Conditions on turns, or on a conversation's id; none where all sites are meant."""
    if site is None:
        return []
    return [conversation.in_(select(Conversation.id).where(Conversation.site_id == site.id))]


def _conversations(session: Session, period: Period, site: Site | None) -> Iterator[Any]:
    """(quarter, language, outcome, conversations, answered, marks, their sum, thumbs up, thumbs down)"""
    asked, replied = Turn.role == "customer", and_(Turn.role == "bot", Turn.kind != NOTICE)
    answer = and_(Turn.role == "bot", Turn.kind.in_(ANSWERS))
    said = (
        select(
            Conversation.id,
            Conversation.visitor_id,
            Conversation.created_at,
            Conversation.csat,
            Conversation.outcome,
            or_(Conversation.handover_at.is_not(None), Conversation.taken_at.is_not(None)).label("person"),
            (Conversation.last_activity_at < period.now - SETTLED_AFTER).label("settled"),
            func.min(case((asked, Turn.id))).label("first_asked"),
            func.max(case((asked, Turn.id))).label("last_asked"),
            func.max(case((replied, Turn.reply_to_id))).label("last_replied_to"),
            func.max(case((and_(replied, Turn.kind != "smalltalk"), Turn.id))).label("last_reply"),
            func.max(case((answer, Turn.id))).label("last_answer"),
            (
                func.count(case((answer, Turn.intent))) > func.count(case((answer, Turn.intent)).distinct())
            ).label("asked_twice"),
            func.count(case((Feedback.vote == "up", 1))).label("up"),
            func.count(case((Feedback.vote == "down", 1))).label("down"),
        )
        .join(Turn, Turn.conversation_id == Conversation.id)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(within(Conversation.created_at, period), *of_site(site, Conversation.id))
        .group_by(Conversation.id)
        .subquery()
    )
    c = said.c
    confirmed = or_(
        c.csat >= HAPPY,
        and_(c.csat.is_(None), or_(c.outcome == "solved", and_(c.up > 0, c.down == 0))),
    )
    later, wrote = aliased(Conversation), aliased(Turn)
    came_back = exists(
        select(later.id)
        .join(wrote, and_(wrote.conversation_id == later.id, wrote.role == "customer"))
        .where(
            later.visitor_id == c.visitor_id,
            later.id > c.id,
            seconds_since_1970(session, later.created_at)
            < seconds_since_1970(session, c.created_at) + int(BACK_WITHIN.total_seconds()),
        )
    )
    assumed = and_(
        c.settled,
        c.csat.is_(None),
        c.outcome.is_(None),
        c.down == 0,
        c.last_answer == c.last_reply,
        c.last_replied_to == c.last_asked,
        c.asked_twice.is_(False),
        ~came_back,
    )
    outcome = case(
        (and_(c.person, confirmed), "person_confirmed"),
        (c.person, "person"),
        (confirmed, "confirmed"),
        (assumed, "assumed"),
        else_="neither",
    ).label("outcome")
    first = aliased(Turn)
    quarter = (seconds_since_1970(session, c.created_at) // QUARTER).label("quarter")
    yield from session.execute(
        select(
            quarter,
            first.lang,
            outcome,
            func.count(),
            func.count(case((and_(c.last_answer.is_not(None), c.person.is_(False)), 1))),
            func.count(c.csat),
            func.sum(c.csat),
            func.sum(c.up),
            func.sum(c.down),
        )
        .join(first, first.id == c.first_asked)
        .group_by(quarter, first.lang, outcome)
    )


def _messages(session: Session, period: Period, site: Site | None) -> Iterator[Any]:
    """(quarter, role, kind, language, turns) of customers and of the bot."""
    quarter = (seconds_since_1970(session, Turn.created_at) // QUARTER).label("quarter")
    yield from session.execute(
        select(quarter, Turn.role, Turn.kind, Turn.lang, func.count())
        .where(
            within(Turn.created_at, period),
            *of_site(site),
            or_(Turn.role == "customer", and_(Turn.role == "bot", Turn.kind != NOTICE)),
        )
        .group_by(quarter, Turn.role, Turn.kind, Turn.lang)
    )


def _times(session: Session, period: Period, lang: str | None, site: Site | None) -> Iterator[Any]:
    """(quarter, milliseconds) of each reply."""
    where = [within(Turn.created_at, period), Turn.role == "bot", Turn.milliseconds.is_not(None)]
    where += of_site(site)
    if lang is not None:
        where.append(Turn.lang == lang)
    yield from session.execute(
        select(seconds_since_1970(session, Turn.created_at) // QUARTER, Turn.milliseconds).where(*where)
    )


def _topics(session: Session, period: Period, lang: str | None, site: Site | None) -> Iterator[Topic]:
    """Every topic of the period and the one before it."""
    where = [
        Turn.created_at >= period.before,
        Turn.created_at <= period.now,
        Turn.role == "bot",
        # The function keeps SQLite from the index of kinds: that of the times holds every column asked for.
        func.coalesce(Turn.kind, "").in_(ANSWERS),
        func.coalesce(Turn.intent, "") != "",
        *of_site(site),
    ]
    if lang is not None:
        where.append(Turn.lang == lang)
    new = Turn.created_at >= period.start

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return func.count(case((and_(*conditions), 1)))

    up, down = Feedback.vote == "up", Feedback.vote == "down"
    rows = session.execute(
        select(Turn.intent, number(new), number(new, up), number(new, down), number(~new), number(~new, down))
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(*where)
        .group_by(Turn.intent)
    )
    unhappy = _left_unhappy(session, period, lang, site)
    for row in rows:
        name, replies, upvoted, downvoted, replies_before, down_before = row
        now, before = unhappy.get(str(name), (0, 0))
        yield Topic(str(name), replies, upvoted, downvoted, replies_before, down_before, now, before)


def _left_unhappy(
    session: Session, period: Period, lang: str | None, site: Site | None
) -> dict[str, tuple[int, int]]:
    """By topic: answers of this period and of the one before that nobody voted on, in conversations with a low mark or
    in which the customer asked for a person after them. Such conversations are few: they are looked up first."""
    conversations = select(Conversation.id).where(
        Conversation.last_activity_at >= period.before,
        or_(Conversation.csat <= UNHAPPY, Conversation.handover_reason.in_(WISHES)),
    )
    where = [
        Turn.conversation_id.in_(conversations),
        Turn.created_at >= period.before,
        Turn.created_at <= period.now,
        Turn.role == "bot",
        Turn.kind.in_(ANSWERS),
        Turn.intent.is_not(None),
        Feedback.id.is_(None),
        *of_site(site),
    ]
    if lang is not None:
        where.append(Turn.lang == lang)
    new = Turn.created_at >= period.start
    rows = session.execute(
        select(Turn.intent, func.count(case((new, 1))), func.count(case((~new, 1))))
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(*where)
        .group_by(Turn.intent)
    )
    return {str(name): (now, before) for name, now, before in rows}


# --- numbers -----------------------------------------------------------------------------------------------


def _quantiles(values: list[float]) -> tuple[float | None, float | None]:
    """Median and 95th percentile: the smallest value that as many are not above (nearest rank)."""
    if not values:
        return None, None
    ordered = sorted(values)
    return tuple(ordered[math.ceil(share * len(ordered)) - 1] for share in (0.5, 0.95))  # type: ignore[return-value]


def _chance(down: int, replies: int, down_before: int, replies_before: int) -> float:
    """Probability that at least ``down`` of all thumbs down fall among ``replies`` by chance (hypergeometric)."""
    downs, everything = down + down_before, replies + replies_before

    def ways(n: int, k: int) -> float:
        return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

    most = min(downs, replies)
    return sum(
        math.exp(ways(replies, k) + ways(replies_before, downs - k) - ways(everything, downs))
        for k in range(down, most + 1)
    )
