"""Who a visitor is: an identity that the company has signed, and what he told of himself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError
from chatbot.records.tables import Conversation, Visitor, utcnow


@dataclass(frozen=True, slots=True)
class Identity:
    """A visitor as the company's own server names him. ``name`` and ``email`` may be missing."""

    id: str
    name: str | None = None
    email: str | None = None


def identify(session: Session, conversation: Conversation, identity: Identity) -> Visitor:
    """Tie a conversation to the visitor with this identity; he keeps what he had told before he was known.

    Raises ConflictError where the conversation is somebody else's already: a shared computer must not hand one
    customer's words to the next.
    """
    present = session.get_one(Visitor, conversation.visitor_id)
    if present.identity not in (None, identity.id):
        raise ConflictError(
            "This conversation belongs to another visitor",
            code="other_visitor",
            field="identity",
            remedy="Start a new conversation",
        )
    known = session.scalar(
        select(Visitor).where(Visitor.site_id == conversation.site_id, Visitor.identity == identity.id)
    )
    if known is None:
        known = present
        known.identity = identity.id
    elif known.id != present.id:
        known.name = known.name or present.name
        known.email = known.email or present.email
        known.details = {**(present.details or {}), **(known.details or {})} or None
        conversation.visitor_id = known.id
        session.flush()
        others = exists().where(Conversation.visitor_id == present.id)
        session.execute(delete(Visitor).where(Visitor.id == present.id, ~others))
    known.name = (identity.name or "")[:200] or known.name
    known.email = (identity.email or "")[:320] or known.email
    known.locale = conversation.locale
    known.last_seen_at = utcnow()
    session.flush()
    return known


def remember_details(visitor: Visitor, details: Mapping[str, str]) -> None:
    """What the visitor told before the chat; a name or an address that the company has signed stays."""
    rest = dict(details)
    name, email = rest.pop("name", ""), rest.pop("email", "")
    signed = visitor.identity is not None
    visitor.name = (visitor.name if signed else None) or name or visitor.name
    visitor.email = (visitor.email if signed else None) or email or visitor.email
    if rest:
        visitor.details = {**(visitor.details or {}), **rest}
