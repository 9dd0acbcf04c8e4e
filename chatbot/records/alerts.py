"""What the people who run the service hear of without looking at a page.

The overview shows it to whoever looks; the worker looks every few minutes and tells the webhooks that ask for
``alert``, and the admins by e-mail where there is a mail server. Each thing is told once a day (a release once): a row
of ``alerts`` says that it was, and its unique key holds two workers apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from chatbot.dialogue.hours import is_open
from chatbot.dialogue.options import SiteOptions
from chatbot.records import deliveries
from chatbot.records.overview import waiting_release
from chatbot.records.statistics import SURGE_DAYS, Period, surging_topics, topic_titles
from chatbot.records.tables import Alert, Conversation, Delivery, Person, Site

TOPIC_SURGES = "topic_surges"
RELEASE_WAITS = "release_waits"
VISITORS_WAIT = "visitors_wait"
LONG_WAIT = timedelta(hours=1)  # for a person, while the site is open
KEEP = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Found:
    """Something to be told: ``subject`` is a topic's name, a release's id or a site's key."""

    kind: str
    subject: str
    details: dict[str, int] = field(default_factory=dict)


def look(session: Session, *, now: datetime, zone: tzinfo | None = None) -> Iterator[Found]:
    """Everything that is to be told just now, whether it was told already or not."""
    for topic in surging_topics(session, Period(SURGE_DAYS, now, zone)):
        yield Found(
            TOPIC_SURGES,
            topic.name,
            {
                "days": SURGE_DAYS,
                "replies": topic.replies,
                "displeased": topic.negative,
                "replies_before": topic.replies_before,
                "displeased_before": topic.negative_before,
            },
        )
    release = waiting_release(session)
    if release is not None:
        yield Found(RELEASE_WAITS, release)
    for site in session.scalars(select(Site).order_by(Site.id)):
        if not is_open(SiteOptions.from_json(site.options).opening_hours, now):
            continue
        since = session.scalars(
            select(Conversation.handover_at).where(
                Conversation.site_id == site.id,
                Conversation.state == "waiting",
                Conversation.handover_at < now - LONG_WAIT,
            )
        ).all()
        if since:
            longest = max(now - at for at in since if at is not None)
            minutes = int(longest.total_seconds() // 60)
            yield Found(VISITORS_WAIT, site.key, {"waiting": len(since), "longest_minutes": minutes})


def tell(
    session: Session,
    found: Sequence[Found],
    *,
    now: datetime,
    by_mail: bool,
    zone: tzinfo | None = None,
) -> list[Found]:
    """Put into the outbox what of it was not told yet today. Returns that."""
    session.execute(delete(Alert).where(Alert.created_at < now - KEEP))
    today = now.astimezone(zone).date().isoformat()
    new = [one for one in found if _is_first(session, one, today, now)]
    if not new:
        return []
    for told in in_language(session, new, "en"):
        deliveries.tell_webhooks(session, "alert", {"alert": told}, now=now)
    if by_mail:
        admins = select(Person).where(Person.role == "admin", Person.active).order_by(Person.id)
        session.add_all(
            Delivery(
                kind="email",
                event="alert",
                payload={
                    "person": person.id,
                    "alerts": in_language(session, new, person.locale or "en"),
                },
                next_at=now,
                created_at=now,
            )
            for person in session.scalars(admins)
        )
    return new


def in_language(session: Session, alerts: Sequence[Found], lang: str) -> list[dict[str, Any]]:
    """As they are sent, with the titles by which a reader of ``lang`` knows topics and sites."""
    names = [one.subject for one in alerts if one.kind == TOPIC_SURGES]
    titles = topic_titles(session, names, lang=lang)
    sites = {site.key: site.name for site in session.scalars(select(Site))}
    known = {TOPIC_SURGES: titles, VISITORS_WAIT: sites}
    return [asdict(one) | {"title": known.get(one.kind, {}).get(one.subject, one.subject)} for one in alerts]


def _is_first(session: Session, found: Found, today: str, now: datetime) -> bool:
    day = "" if found.kind == RELEASE_WAITS else today
    row = Alert(kind=found.kind, subject=found.subject[:200], day=day, created_at=now)
    try:
        with session.begin_nested():
            session.add(row)
    except IntegrityError:
        return False
    return True
