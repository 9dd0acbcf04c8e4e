"""Who is in the inbox just now, and what each looks at. A page that is open keeps its person's row fresh."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.records.people import ROLES, at_least
from chatbot.records.tables import Conversation, Person, Presence, utcnow

FRESH = timedelta(seconds=45)  # a page that has not been heard of for longer is closed
BEAT = timedelta(seconds=15)  # how often an open page says so


@dataclass(frozen=True, slots=True)
class Colleague:
    """One who can be given conversations. ``looks_at`` is a conversation's id; ``load`` how many he has."""

    id: int
    name: str
    here: bool
    away: bool
    looks_at: int | None
    load: int


def beat(session: Session, person_id: int, *, looks_at: int | None, now: datetime | None = None) -> None:
    """The person's page is open, with this conversation in front (None: with none)."""
    row = _row(session, person_id)
    row.seen_at = now or utcnow()
    known = looks_at is not None and session.get(Conversation, looks_at) is not None
    row.conversation_id = looks_at if known else None
    session.flush()


def set_away(session: Session, person_id: int, away: bool) -> None:
    _row(session, person_id).away = away
    session.flush()


def is_away(session: Session, person_id: int) -> bool:
    row = session.get(Presence, person_id)
    return row is not None and row.away


def colleagues(session: Session, *, now: datetime | None = None) -> list[Colleague]:
    """Everybody who may answer customers: those who are here first, then by name."""
    since = (now or utcnow()) - FRESH
    load = (
        select(func.count())
        .select_from(Conversation)
        .where(Conversation.agent_id == Person.id, Conversation.state == "human")
        .correlate(Person)
        .scalar_subquery()
    )
    roles = [role for role in ROLES if at_least(role, "agent")]
    rows = session.execute(
        select(Person, Presence, load)
        .outerjoin(Presence, Presence.person_id == Person.id)
        .where(Person.active, Person.role.in_(roles))
        .order_by(Person.name, Person.id)
    ).all()
    found = [
        Colleague(
            id=person.id,
            name=person.name,
            here=row is not None and row.seen_at > since,
            away=row is not None and row.away,
            looks_at=row.conversation_id if row is not None and row.seen_at > since else None,
            load=number,
        )
        for person, row, number in rows
    ]
    return sorted(found, key=lambda one: (not one.here, one.away))


def _row(session: Session, person_id: int) -> Presence:
    row = session.get(Presence, person_id)
    if row is None:
        row = Presence(person_id=person_id)
        session.add(row)
        session.flush()
    return row
