"""What customers wrote, conversation by conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chatbot.records.tables import Conversation, Site, Turn


@dataclass(frozen=True, slots=True)
class SaidThen:
    """What a customer wrote in a conversation, oldest first, when it was begun, and its language."""

    begun: datetime
    lang: str
    said: tuple[str, ...]


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


def said_since(
    session: Session, since: datetime, *, most: int, lang: str | None = None, site: Site | None = None
) -> list[SaidThen]:
    """The same of the conversations begun ``since``, the oldest first: of more than ``most`` every second, third, …
    one, so that each day keeps its share. In one language (of the page it was begun on) or all, of one site or all.
    """
    asked = [Conversation.created_at >= since]
    if lang is not None:
        asked.append(Conversation.locale == lang)
    if site is not None:
        asked.append(Conversation.site_id == site.id)
    number = session.scalar(select(func.count()).select_from(Conversation).where(*asked)) or 0
    step = -(-number // most) or 1
    rows = session.execute(
        select(Conversation.id, Conversation.created_at, Conversation.locale)
        .where(*asked)
        .order_by(Conversation.id)
    ).all()[::step]
    said = said_in(session, [row.id for row in rows])
    return [SaidThen(row.created_at, row.locale, tuple(said[row.id])) for row in rows if row.id in said]
