"""What the overview shows of the bot's figures: its pictures, the tables behind them, and the same as files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any

from chatbot.errors import InputError
from chatbot.language.table_export import Cell
from chatbot.learning.charts import Bars, Line, line_chart, stacked_bars, week_strip
from chatbot.records.statistics import PERIODS, Figures, Period, Savings, Statistics, Topic
from chatbot.records.tables import utcnow
from chatbot.records.topics_by_day import DayTopic, asked_by_day, displeased_by_day
from web.admin.mood_by_day import DayMood
from web.admin.mood_by_day import picture as mood_picture
from web.language import LANGUAGES
from web.sentences import KIND_WORDS

Say = Callable[[str], str]
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_COLUMNS = (
    ("Conversations", "conversations"),
    ("Answered by the bot", "answered"),
    ("Handed over", "handed_over"),
    ("Solved, confirmed", "confirmed"),
    ("Solved by people, confirmed", "confirmed_by_people"),
    ("Solved, assumed", "assumed"),
    ("None of these", "neither"),
    ("Messages", "messages"),
    ("Replies", "replies"),
    ("Did not know", "unknown"),
    ("Marks", "marks"),
    ("Mean mark", "csat"),
    ("Thumbs up", "thumbs_up"),
    ("Thumbs down", "thumbs_down"),
    ("Median, ms", "median_ms"),
    ("95th percentile, ms", "p95_ms"),
)
PICTURED = 5  # topics
TOPIC_TONES = (4, 1, 2, 5, 0, 3)  # grey for all others together
SAVED_COLUMNS = ("Saved, confirmed alone", "Saved, with assumed")


@dataclass(frozen=True, slots=True)
class Table:
    """A table behind a picture: ``name`` in addresses."""

    name: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures with what they are worth and with their topics day by day."""

    figures: Statistics
    savings: Savings
    topics_by_day: dict[date, dict[str, DayTopic]]
    mood_by_day: dict[date, DayMood] = field(
        default_factory=dict
    )  # empty where nobody has trained such labels

    @property
    def displeasing(self) -> list[Topic]:
        """The topics with an answer that displeased, the most displeased customers first."""
        found = [topic for topic in self.figures.topics if topic.negative]
        return sorted(found, key=lambda topic: (-topic.negative, topic.name))

    def saved(self, day: Figures) -> tuple[float, float]:
        """(of the confirmed alone, with the assumed) of one day, in the company's own money."""
        one = replace(self.savings, confirmed=day.confirmed, assumed=day.assumed)
        return one.least, one.most


def period_of(days: str | None, *, default: int = 30) -> Period:
    """The period that an address asks for. Raises InputError for one that is not offered."""
    if days not in (None, "", *map(str, PERIODS)):
        raise InputError(
            "There is no such period",
            field="days",
            value=str(days)[:20],
            remedy=f"Use one of {', '.join(map(str, PERIODS))}",
        )
    return Period(int(days) if days else default, utcnow())


def tables(found: Overview, titles: dict[str, str], say: Say) -> dict[str, Table]:
    """Every table of the overview by its name."""
    figures, by_day = found.figures, found.topics_by_day
    days: tuple[tuple[Cell, ...], ...] = tuple(
        (
            day.isoformat(),
            *(_cell(one, name) for _, name in DAY_COLUMNS),
            *(round(value, 2) for value in found.saved(one)),
        )
        for day, one in figures.days.items()
    )
    topic_days: tuple[tuple[Cell, ...], ...] = tuple(
        (day.isoformat(), titles.get(topic.name, topic.name), one.replies, one.displeased)
        for day, topics in by_day.items()
        for topic in figures.topics
        if (one := topics.get(topic.name)) is not None
    )
    displeasing = found.displeasing
    displeased_days: tuple[tuple[Cell, ...], ...] = tuple(
        (
            day.isoformat(),
            titles.get(topic.name, topic.name),
            one.displeased,
            one.replies,
            round(one.displeased / one.replies, 3),
        )
        for day, topics in by_day.items()
        for topic in displeasing
        if (one := topics.get(topic.name)) is not None
    )
    language_days: tuple[tuple[Cell, ...], ...] = tuple(
        (day.isoformat(), *(counted.get(tag, 0) for tag in figures.languages))
        for day, counted in figures.language_days.items()
    )
    moods: tuple[tuple[Cell, ...], ...] = tuple(
        (day.isoformat(), one.read, one.displeased, round(one.share, 3))
        for day, one in found.mood_by_day.items()
    )
    topics = tuple(
        (
            titles.get(topic.name, topic.name),
            topic.replies,
            topic.up,
            topic.down,
            topic.negative,
            topic.replies_before,
            topic.negative_before,
        )
        for topic in figures.topics
    )
    hours: tuple[tuple[Cell, ...], ...] = tuple(
        (say(day), *row) for day, row in zip(WEEKDAYS, figures.hours, strict=True)
    )
    languages = tuple((_language(tag), number) for tag, number in figures.languages.items())
    kinds = tuple((say(KIND_WORDS.get(kind, kind)), number) for kind, number in figures.kinds.items())
    made = (
        Table("days", (say("Day"), *(say(text) for text, _ in DAY_COLUMNS), *map(say, SAVED_COLUMNS)), days),
        Table("topic_days", tuple(map(say, ("Day", "Topic", "Replies", "Displeased"))), topic_days),
        Table(
            "displeased_days",
            tuple(map(say, ("Day", "Topic", "Displeased", "Replies", "Share displeased"))),
            displeased_days,
        ),
        Table("language_days", (say("Day"), *map(_language, figures.languages)), language_days),
        Table(
            "topics",
            tuple(
                map(
                    say,
                    (
                        "Topic",
                        "Replies",
                        "Thumbs up",
                        "Thumbs down",
                        "Displeased",
                        "Replies in the period before",
                        "Displeased in the period before",
                    ),
                )
            ),
            topics,
        ),
        Table(
            "mood_days",
            tuple(map(say, ("Day", "Conversations", "Seems displeased", "Share displeased"))),
            moods,
        ),
        Table("languages", (say("Language"), say("Messages")), languages),
        Table("kinds", (say("Kind of reply"), say("Replies")), kinds),
        Table("hours", (say("Day"), *(f"{hour:02}:00" for hour in range(24))), hours),
    )
    return {table.name: table for table in made}


def pictures(found: Overview, titles: dict[str, str], say: Say) -> dict[str, str]:
    """SVG by name; every text in it is escaped where it is made."""
    words = [_short(day, say) for day in found.figures.days]
    figures = list(found.figures.days.values())
    displeased = list(displeased_by_day(found.topics_by_day).values())
    saved = [found.saved(one) for one in figures]
    asked = [topic.name for topic in found.figures.topics[:PICTURED]]
    named = [*(titles.get(name, name) for name in asked), say("All other topics")]
    topics = [
        Bars(name, row, tone)
        for name, row, tone in zip(
            named,
            asked_by_day(found.topics_by_day, asked),
            (*TOPIC_TONES[: len(asked)], TOPIC_TONES[-1]),
            strict=True,
        )
        if any(row)
    ]

    def heights(name: str) -> list[int]:
        return [getattr(one, name) for one in figures]

    stacks = (
        ("confirmed", "Solved, confirmed"),
        ("assumed", "Solved, assumed"),
        ("handed_over", "Handed over"),
        ("neither", "None of these"),
    )
    lines = (("median_ms", "Median"), ("p95_ms", "95th percentile"))
    return {
        "conversations": stacked_bars(
            [Bars(say(text), heights(name)) for name, text in stacks],
            words=words,
            title=say("Conversations by what became of them"),
            x_name=say("Day"),
            y_name=say("Conversations"),
        ),
        "messages": stacked_bars(
            [
                Bars(say("Replied"), [one.replies - one.unknown for one in figures]),
                Bars(say("Did not know"), heights("unknown")),
            ],
            words=words,
            title=say("Replies by day"),
            x_name=say("Day"),
            y_name=say("Replies"),
        ),
        "times": _lines(lines, figures, words, say("Time to a reply"), say("Day"), say("Milliseconds"), say),
        "marks": _lines(
            (("csat", "Mean mark"),), figures, words, say("Mean mark by day"), say("Day"), "1–5", say, top=5.0
        ),
        "displeased": line_chart(
            [
                Line(
                    say("Displeased"),
                    [(float(at), v) for at, v in enumerate(displeased) if v is not None],
                    True,
                )
            ],
            title=say("Share of the answers that displeased"),
            x_name=say("Day"),
            y_name="0–1",
            x_range=(0, len(words) - 1),
            y_range=(0, max((share for share in displeased if share), default=0.0) or 1.0),
            x_words=words,
        ),
        "mood": mood_picture(found.mood_by_day, words, say) if found.mood_by_day else "",
        "topics": stacked_bars(
            topics, words=words, title=say("Answers by topic"), x_name=say("Day"), y_name=say("Replies")
        ),
        "languages": stacked_bars(
            [
                Bars(
                    _language(tag), [counted.get(tag, 0) for counted in found.figures.language_days.values()]
                )
                for tag in found.figures.languages
            ],
            words=words,
            title=say("Messages by language"),
            x_name=say("Day"),
            y_name=say("Messages"),
        ),
        "saved": stacked_bars(
            [
                Bars(say("Solved, confirmed"), [round(least) for least, _ in saved]),
                Bars(say("Solved, assumed"), [round(most) - round(least) for least, most in saved]),
            ],
            words=words,
            title=say("Cost saved by day"),
            x_name=say("Day"),
            y_name=say("Your own money"),
        ),
        "hours": week_strip(
            found.figures.hours,
            days=[say(day) for day in WEEKDAYS],
            title=say("Messages by weekday and hour"),
        ),
    }


def displeased_pictures(found: Overview, titles: dict[str, str], say: Say) -> list[str]:
    """A picture for each of the topics that displeased most: its share day by day, all to one scale."""
    words = [_short(day, say) for day in found.figures.days]
    lines = []
    for topic in found.displeasing[:PICTURED]:
        days = [(at, one.get(topic.name)) for at, one in enumerate(found.topics_by_day.values())]
        told = [(at, one) for at, one in days if one is not None]
        points = [(float(at), round(one.displeased / one.replies, 3)) for at, one in told]
        lines.append(Line(titles.get(topic.name, topic.name), points, True, [one.replies for _, one in told]))
    highest = max((share for line in lines for _, share in line.points), default=0.0) or 1.0
    return [
        line_chart(
            [line],
            title=line.name,
            x_name=say("Day"),
            y_name="0–1",
            x_range=(0, len(words) - 1),
            y_range=(0, highest),
            x_words=words,
        )
        for line in lines
    ]


def as_json(found: Statistics, savings: Savings) -> dict[str, Any]:
    """The figures as the API sends them."""
    surging = [topic.name for topic in found.surging]
    return {
        "days": found.period.days,
        "from": found.period.dates[0].isoformat(),
        "to": found.period.dates[-1].isoformat(),
        "language": found.lang,
        "site": found.site,
        "total": _figures_json(found.total),
        "by_day": [{"day": day.isoformat()} | _figures_json(one) for day, one in found.days.items()],
        "replies_by_kind": found.kinds,
        "messages_by_language": found.languages,
        "messages_by_weekday_and_hour": found.hours,
        "topics": [
            asdict(topic)
            | {"negative": topic.negative, "negative_before": topic.negative_before}
            | {"surges": topic.name in surging}
            for topic in found.topics
        ],
        "surging": surging,
        "savings": asdict(savings) | {"least": savings.least, "most": savings.most},
    }


def _language(tag: str) -> str:
    """A language in its own words; one that the pages are not written in by its tag."""
    return LANGUAGES.get(tag, tag)


def _figures_json(figures: Figures) -> dict[str, Any]:
    return asdict(figures) | {"csat": figures.csat, "unknown_share": figures.unknown_share}


def _cell(figures: Figures, name: str) -> Cell:
    value: Cell = getattr(figures, name)
    return round(value, 1) if isinstance(value, float) else value


def _lines(
    names: Sequence[tuple[str, str]],
    figures: Sequence[Figures],
    words: Sequence[str],
    title: str,
    x_name: str,
    y_name: str,
    say: Say,
    *,
    top: float | None = None,
) -> str:
    made = []
    for name, text in names:
        values = [(at, getattr(one, name)) for at, one in enumerate(figures)]
        made.append(Line(say(text), [(float(at), value) for at, value in values if value is not None], True))
    highest = top or max((y for line in made for _, y in line.points), default=0.0) or 1.0
    return line_chart(
        made,
        title=title,
        x_name=x_name,
        y_name=y_name,
        x_range=(0, len(words) - 1),
        y_range=(1 if top else 0, highest),
        x_words=words,
    )


def _short(day: date, say: Say) -> str:
    return day.strftime(say("%d %b"))
