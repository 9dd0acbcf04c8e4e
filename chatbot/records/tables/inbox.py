"""The agents' inbox, and what leaves the house."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.records.tables.table import Table, one_of, utcnow


class Presence(Table):
    """Where a person is in the inbox just now; ``seen_at`` is kept up while a page of theirs is open."""

    __tablename__ = "presence"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    away: Mapped[bool] = mapped_column(default=False)  # signed in, but takes nothing new
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="SET NULL"), index=True
    )


class CannedReply(Table):
    """A reply that agents send often: ``/shortcut`` and its text per language."""

    __tablename__ = "canned_replies"

    id: Mapped[int] = mapped_column(primary_key=True)
    shortcut: Mapped[str] = mapped_column(String(40), unique=True)
    texts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {lang: text}
    changed_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    changed_at: Mapped[datetime] = mapped_column(default=utcnow)


class Webhook(Table):
    """An address of the company's that is told what happens here. The secret signs; it never leaves again."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(String(1000))
    secret: Mapped[str] = mapped_column(String(100))
    events: Mapped[list[Any]] = mapped_column(default=list)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Action(Table):
    """An intent bound to a request of the company's (chatbot/dialogue/actions.py). Saving it approves its texts."""

    __tablename__ = "actions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intents.id", ondelete="CASCADE"), unique=True)
    url: Mapped[str] = mapped_column(String(1000))
    secret: Mapped[str] = mapped_column(String(100))  # signs every request; shown once
    slots: Mapped[list[Any]] = mapped_column(default=list)
    proof: Mapped[dict[str, Any]] = mapped_column(default=dict)
    templates: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {lang: text as written}
    changes: Mapped[bool] = mapped_column(default=False)
    seconds: Mapped[float] = mapped_column(Float, default=4.0)
    enabled: Mapped[bool] = mapped_column(default=True)
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime] = mapped_column(default=utcnow)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ActionCall(Table):
    """One request of an action and what came of it. ``subject`` is a hash of the details, never the details."""

    __tablename__ = "action_calls"
    __table_args__ = (
        one_of("outcome", "done", "not_found", "refused", "failed"),
        Index(None, "action_id", "subject", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    action_id: Mapped[int] = mapped_column(ForeignKey("actions.id", ondelete="CASCADE"))
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    turn_id: Mapped[int | None]  # the customer's turn that it answers
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    subject: Mapped[str] = mapped_column(String(64))
    outcome: Mapped[str] = mapped_column(String(16))
    status: Mapped[int | None]  # of the HTTP answer
    detail: Mapped[str] = mapped_column(Text, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    milliseconds: Mapped[float] = mapped_column(Float, default=0.0)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ChatwootBridge(Table):
    """A Chatwoot account whose agent bot this installation is. The key is the last part of the bot's address."""

    __tablename__ = "chatwoot_bridges"

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    base_url: Mapped[str] = mapped_column(String(1000))
    account_id: Mapped[int]
    access_token: Mapped[str] = mapped_column(String(200))
    signing_secret: Mapped[str] = mapped_column(String(200), default="")  # empty: Chatwoot before 4.13
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Delivery(Table):
    """Something that leaves the house: written in the transaction of what it tells, sent afterwards, tried again."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("kind", "webhook", "email", "chatwoot"),
        one_of("state", "due", "sending", "sent", "dropped", "failed"),
        Index(None, "state", "next_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    event: Mapped[str] = mapped_column(String(32))
    webhook_id: Mapped[int | None] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    bridge_id: Mapped[int | None] = mapped_column(
        ForeignKey("chatwoot_bridges.id", ondelete="CASCADE"), index=True
    )
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(16), default="due")
    attempt: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime] = mapped_column(default=utcnow)
    error: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    sent_at: Mapped[datetime | None]


class Alert(Table):
    """That the people who run it were told of something (chatbot/records/alerts.py), once for each ``day``."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("kind", "subject", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(200))
    day: Mapped[str] = mapped_column(String(10))  # as 2026-11-29; empty: once and for all
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
