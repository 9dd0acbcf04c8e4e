"""What customers wrote, conversation by conversation."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.tables import Conversation, Turn


def said_in(session: Session, ids: Sequence[int]) -> dict[int, list[str]]:
    """Conversation → its customer's messages, oldest first; one without any is left out."""
    said: dict[int, list[str]] = {}
    rows = session.execute(
        select(Turn.conversation_id, Turn.text)
        .where(Turn.conversation_id.in_(ids), Turn.role == "customer")
        .order_by(Turn.id)
    )
    for conversation_id, text in rows:
        said.setdefault(conversation_id, []).append(text)
    return said


def said_lately(session: Session, *, most: int) -> list[list[str]]:
    """The same of the ``most`` conversations that were begun last."""
    newest = session.scalars(select(Conversation.id).order_by(Conversation.id.desc()).limit(most)).all()
    return list(said_in(session, newest).values())
