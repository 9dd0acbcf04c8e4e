"""People who visit, and what was said."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.records.tables.table import Table, one_of, utcnow


class Site(Table):
    """A website the widget stands on. ``options`` is a SiteOptions (chatbot/dialogue/options.py) as JSON."""

    __tablename__ = "sites"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    allowed_origins: Mapped[list[Any]] = mapped_column(default=list)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    identity_secret: Mapped[str | None] = mapped_column(
        String(100)
    )  # the host's server signs visitors with it
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Visitor(Table):
    __tablename__ = "visitors"
    __table_args__ = (UniqueConstraint("site_id", "identity"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    identity: Mapped[str | None] = mapped_column(String(200))  # the company's own id, proven by signature
    name: Mapped[str | None] = mapped_column(String(200))
    email: Mapped[str | None] = mapped_column(String(320))
    details: Mapped[dict[str, Any] | None]  # what else the visitor told before the chat: {"phone": "…"}
    locale: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_seen_at: Mapped[datetime] = mapped_column(default=utcnow)


class Conversation(Table):
    __tablename__ = "conversations"
    __table_args__ = (
        one_of("state", "bot", "waiting", "human", "closed"),
        Index(None, "state", "last_activity_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id", ondelete="CASCADE"), index=True)
    visitor_id: Mapped[int] = mapped_column(ForeignKey("visitors.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64))  # SHA-256 of the bearer token
    state: Mapped[str] = mapped_column(String(16), default="bot")
    locale: Mapped[str] = mapped_column(String(16), default="en")
    channel: Mapped[str] = mapped_column(String(32), default="widget")
    page: Mapped[str | None] = mapped_column(String(500))  # of the website, where it began; no query
    handover_reason: Mapped[str | None] = mapped_column(String(64))
    handover_note: Mapped[str | None] = mapped_column(Text)
    handover_at: Mapped[datetime | None]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    csat: Mapped[int | None] = mapped_column(Integer)  # 1..5
    csat_comment: Mapped[str | None] = mapped_column(Text)
    taken_at: Mapped[datetime | None]  # when a person first took the present handover
    told_at: Mapped[datetime | None]  # when the visitor was told that nobody is there just now
    left_message_at: Mapped[datetime | None]  # a message waits for an answer, whatever the state
    outcome: Mapped[str | None] = mapped_column(String(16))  # what the agent said of it when closing
    external_id: Mapped[str | None] = mapped_column(String(120), unique=True)  # its name in another helpdesk
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_activity_at: Mapped[datetime] = mapped_column(default=utcnow)
    closed_at: Mapped[datetime | None]


class Turn(Table):
    """One message. A bot turn names the customer turn it answers and carries its reply and whole trace."""

    __tablename__ = "turns"
    __table_args__ = (
        one_of("role", "customer", "bot", "agent", "action", "note"),
        UniqueConstraint("conversation_id", "client_message_id"),
        Index(None, "conversation_id", "id"),
        Index(None, "created_at", "role", "kind", "lang", "intent", "milliseconds"),  # records/statistics.py
        {"sqlite_autoincrement": True},  # ids never return: `after=<turn_id>` must not skip or repeat
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16), default="en")
    client_message_id: Mapped[str | None] = mapped_column(String(100))
    reply_to_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str | None] = mapped_column(String(16), index=True)
    intent: Mapped[str | None] = mapped_column(String(120), index=True)
    confidence: Mapped[float | None] = mapped_column(Float)
    reply: Mapped[dict[str, Any] | None]
    trace: Mapped[dict[str, Any] | None]
    release_id: Mapped[str | None] = mapped_column(String(40))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    milliseconds: Mapped[float | None] = mapped_column(Float)  # of the trace's stages together
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Attachment(Table):
    """A file that a visitor sent. Its bytes lie outside the database, under ``public_id``."""

    __tablename__ = "attachments"
    __table_args__ = (UniqueConstraint("conversation_id", "client_file_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    conversation_id: Mapped[int] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(Integer, default=0)  # among its turn's files
    client_file_id: Mapped[str | None] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    media_type: Mapped[str] = mapped_column(String(100))  # found in the content, not believed
    size: Mapped[int] = mapped_column(Integer)  # bytes
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Feedback(Table):
    __tablename__ = "feedback"
    __table_args__ = (one_of("vote", "up", "down"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    turn_id: Mapped[int] = mapped_column(ForeignKey("turns.id", ondelete="CASCADE"), unique=True)
    vote: Mapped[str] = mapped_column(String(8))
    comment: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
