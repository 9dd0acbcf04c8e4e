"""How many of a day's customers read displeased, by the label set ``sentiment``: the overview's picture and table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from chatbot.learning.charts import Line, line_chart
from chatbot.records.said import said_since
from chatbot.records.statistics import Period
from chatbot.records.tables import Site
from web.mood import Displeased

MOST_READ = 600  # conversations of a period; of more a sample says the same


@dataclass(slots=True)
class DayMood:
    """Of the conversations begun on a day: how many were read, and how many of them read displeased at their end."""

    read: int = 0
    displeased: int = 0

    @property
    def share(self) -> float:
        return self.displeased / self.read if self.read else 0.0


def mood_by_day(
    session: Session,
    period: Period,
    displeased: Displeased,
    *,
    lang: str | None = None,
    site: Site | None = None,
) -> dict[date, DayMood]:
    """Every day of the period."""
    days = {day: DayMood() for day in period.dates}
    for one in said_since(session, period.start, most=MOST_READ, lang=lang, site=site):
        day = days[period.local(one.begun.timestamp()).date()]
        day.read += 1
        day.displeased += displeased(one.said)
    return days


def picture(days: Mapping[date, DayMood], words: list[str], say: Callable[[str], str]) -> str:
    """SVG of the share day by day; a day without a conversation has no dot. ``words``: the days', in their order."""
    told = [(float(at), one) for at, one in enumerate(days.values()) if one.read]
    points = [(at, round(one.share, 3)) for at, one in told]
    return line_chart(
        [Line(say("Seems displeased"), points, True, [one.read for _, one in told])],
        title=say("Share of the customers who seem displeased"),
        x_name=say("Day"),
        y_name="0–1",
        x_range=(0, len(words) - 1),
        y_range=(0, max((share for _, share in points), default=0.0) or 1.0),
        x_words=words,
    )
