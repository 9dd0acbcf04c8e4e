"""Who changed what, and when. An entry is written in the same transaction as its change, never afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.tables import AuditEntry, Person, utcnow


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry with the name of who did it; ``who`` is empty for the command line and the service itself."""

    id: int
    at: datetime
    who: str
    action: str
    subject: str
    detail: dict[str, Any]


def record(
    session: Session,
    *,
    action: str,
    subject: str,
    person_id: int | None = None,
    detail: dict[str, Any] | None = None,
    now: datetime | None = None,
) -> AuditEntry:
    """Add an entry. ``action`` is a verb of ours ("release.promote"), ``subject`` names the thing in words."""
    entry = AuditEntry(
        person_id=person_id,
        action=action[:64],
        subject=subject[:200],
        detail=detail or {},
        created_at=now or utcnow(),
    )
    session.add(entry)
    return entry


def entries(
    session: Session, *, action: str | None = None, before: int | None = None, limit: int = 50
) -> list[AuditLine]:
    """The newest entries first; ``action`` is a prefix ("release"), ``before`` an id for the next page."""
    query = select(AuditEntry, Person.name).outerjoin(Person, Person.id == AuditEntry.person_id)
    if action:
        query = query.where(AuditEntry.action.startswith(action, autoescape=True))
    if before is not None:
        query = query.where(AuditEntry.id < before)
    rows = session.execute(query.order_by(AuditEntry.id.desc()).limit(limit)).all()
    return [
        AuditLine(entry.id, entry.created_at, name or "", entry.action, entry.subject, entry.detail)
        for entry, name in rows
    ]
