"""Conversations in which nothing is said any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from chatbot.records.deliveries import tell
from chatbot.records.tables import Conversation, Turn, utcnow

AT_ONCE = 200  # conversations closed in one transaction


def close_idle(
    session: Session, *, site_id: int, before: datetime, now: datetime | None = None
) -> Sequence[int]:
    """Close a site's conversations in which nothing was said since ``before``: those with the bot, and those with a
    person in which the visitor owes the answer. One that waits for a person stays. Returns their ids."""
    now = now or utcnow()
    last_word = (
        select(Turn.role)
        .where(Turn.conversation_id == Conversation.id, Turn.role.in_(("customer", "agent")))
        .order_by(Turn.id.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    idle = session.scalars(
        select(Conversation)
        .where(
            Conversation.site_id == site_id,
            Conversation.last_activity_at < before,
            or_(
                Conversation.state == "bot",
                and_(Conversation.state == "human", last_word == "agent"),
            ),
        )
        .order_by(Conversation.id)
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    ).all()
    for conversation in idle:
        if conversation.state == "human":
            conversation.outcome = "no_answer"
        conversation.state, conversation.closed_at = "closed", now
        tell(session, "closed", conversation, now=now)
    session.flush()
    return [conversation.id for conversation in idle]
