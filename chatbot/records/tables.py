"""The tables of the conversation database, as typed SQLAlchemy models.

Relationships are few on purpose: queries live in the topic modules beside this one, and a column that can be
derived is not stored. Times are UTC. JSON columns hold plain data written by exactly one module each.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite forgets the zone on the way in; this puts it back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value!r}")
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def utcnow() -> datetime:
    return datetime.now(UTC)


class Table(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime, dict[str, Any]: JSON, list[Any]: JSON}  # noqa: RUF012


def one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


# --- people who visit, and what was said -----------------------------------------------------------------


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


# --- people who work here --------------------------------------------------------------------------------


class Person(Table):
    __tablename__ = "people"
    __table_args__ = (one_of("role", "admin", "editor", "agent", "viewer"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)  # folded to lower case
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    locale: Mapped[str | None] = mapped_column(String(16))
    active: Mapped[bool] = mapped_column(default=True)
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end every open session of this person
    totp_secret: Mapped[str | None] = mapped_column(String(64))  # base32; set: sign-in needs a code too
    totp_step: Mapped[int | None] = mapped_column(BigInteger)  # the last time step used: no code works twice
    recovery_codes: Mapped[list[Any] | None]  # SHA-256 of those not used yet
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_sign_in_at: Mapped[datetime | None]


class SetupLink(Table):
    """A one-time link: the first admin's, an invitation's, a password reset's."""

    __tablename__ = "setup_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    role: Mapped[str] = mapped_column(String(16))
    email: Mapped[str | None] = mapped_column(String(320))
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ApiKey(Table):
    """A key for programs. Of the key itself only the SHA-256 is kept; ``prefix`` is what people know it by."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    prefix: Mapped[str] = mapped_column(String(16))
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[Any]] = mapped_column(default=list)  # of chatbot/records/api_keys.py SCOPES
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class AuditEntry(Table):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"), index=True)
    action: Mapped[str] = mapped_column(String(64), index=True)
    subject: Mapped[str] = mapped_column(String(200))  # "release r20261120-…", "article 12"
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)


# --- the agents' inbox and what leaves the house ----------------------------------------------------------


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


# --- knowledge -------------------------------------------------------------------------------------------


class Article(Table):
    __tablename__ = "articles"
    __table_args__ = (one_of("status", "live", "draft", "off"), UniqueConstraint("slug", "lang"))

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(200))
    lang: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)  # Markdown
    section: Mapped[str] = mapped_column(String(200), default="")
    url: Mapped[str] = mapped_column(String(1000), default="")
    source: Mapped[str] = mapped_column(String(500), default="")  # the file it came from
    content_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16), default="live")
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)


class Passage(Table):
    __tablename__ = "passages"
    __table_args__ = (Index(None, "article_id", "position"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(Integer)
    title_path: Mapped[str] = mapped_column(String(1000))  # "Returns › Refund time"
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16))
    content_hash: Mapped[str] = mapped_column(String(64), index=True)
    enabled: Mapped[bool] = mapped_column(default=True)
    edited: Mapped[bool] = mapped_column(
        default=False
    )  # by a person: it stays when the article is read again
    origin: Mapped[list[Any] | None]  # hashes of the imported pieces an edited one stands for
    source_changed: Mapped[bool] = mapped_column(
        default=False
    )  # those pieces are not in the article any more
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]


class ArticleQuestion(Table):
    """Another way customers ask for an article: given in its file, by an admin, or from past conversations."""

    __tablename__ = "article_questions"
    __table_args__ = (
        one_of("source", "import", "admin", "transcript"),
        UniqueConstraint("article_id", "content_hash"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    article_id: Mapped[int] = mapped_column(ForeignKey("articles.id", ondelete="CASCADE"))
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(16))
    content_hash: Mapped[str] = mapped_column(String(64))
    enabled: Mapped[bool] = mapped_column(default=True)
    passage_id: Mapped[int | None] = mapped_column(  # the passage it asks for, where not the whole article
        ForeignKey("passages.id", ondelete="SET NULL"), index=True
    )


class KnowledgeClock(Table):
    """One row. A writer of knowledge raises it first, so that revisions commit in their order and a reader that
    has seen revision n has seen all before it."""

    __tablename__ = "knowledge_clock"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(default=0)


class KnowledgeChange(Table):
    """What each revision changed: every serving process follows this log (chatbot/retrieval/search.py)."""

    __tablename__ = "knowledge_changes"
    __table_args__ = (
        one_of("entry", "passage", "question"),
        one_of("operation", "upsert", "delete"),
        Index(None, "revision"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    entry: Mapped[str] = mapped_column(String(16))
    entry_id: Mapped[int] = mapped_column(Integer)
    operation: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Intent(Table):
    __tablename__ = "intents"
    __table_args__ = (one_of("status", "live", "provisional", "retired"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    titles: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {lang: title}
    status: Mapped[str] = mapped_column(String(16), default="live")
    article_slug: Mapped[str | None] = mapped_column(String(200))  # the article that answers it
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Answer(Table):
    """An answer to an intent in one language. Only an approved one within its validity is ever sent."""

    __tablename__ = "answers"
    __table_args__ = (one_of("status", "draft", "approved", "retired"), Index(None, "intent_id", "lang"))

    id: Mapped[int] = mapped_column(primary_key=True)
    intent_id: Mapped[int] = mapped_column(ForeignKey("intents.id", ondelete="CASCADE"))
    lang: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16), default="draft")
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


# --- from transcripts to releases ------------------------------------------------------------------------


class Import(Table):
    """One file taken in. ``next_row`` is where a resumed import goes on; the same content again is a no-op."""

    __tablename__ = "imports"
    __table_args__ = (
        one_of("kind", "transcripts", "articles", "intents"),
        one_of("state", "running", "done", "failed"),
        UniqueConstraint("kind", "file_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    file_name: Mapped[str] = mapped_column(String(500))
    file_hash: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default="running")
    next_row: Mapped[int] = mapped_column(default=0)
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    finished_at: Mapped[datetime | None]


class Transcript(Table):
    """A past conversation, redacted before it was stored. ``turns``: [{"role", "text"}, …]."""

    __tablename__ = "transcripts"
    __table_args__ = (one_of("split", "train", "valid", "test"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id", ondelete="SET NULL"), index=True)
    conversation_id: Mapped[int | None] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    external_id: Mapped[str] = mapped_column(String(200), default="")
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    lang: Mapped[str] = mapped_column(String(16))
    tag: Mapped[str | None] = mapped_column(String(120))
    split: Mapped[str] = mapped_column(String(8))  # set once, from the near-duplicate group; never changes
    turns: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Example(Table):
    """A customer's message with what it asks for, found in a transcript or a live conversation or written."""

    __tablename__ = "examples"
    __table_args__ = (
        one_of("source", "transcript", "live", "admin", "import"),
        one_of("status", "unreviewed", "accepted", "rejected", "ignored"),
        one_of("split", "train", "valid", "test"),
        Index(None, "content_hash"),
        Index(None, "status", "intent_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    lang: Mapped[str] = mapped_column(String(16))
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id", ondelete="SET NULL"))
    out_of_scope: Mapped[bool] = mapped_column(default=False)
    context: Mapped[list[Any]] = mapped_column(default=list)  # [{"role", "text"}], the turns before
    answer: Mapped[str | None] = mapped_column(Text)  # what the agent replied
    source: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default="unreviewed")
    split: Mapped[str] = mapped_column(String(8), default="train")
    transcript_id: Mapped[int | None] = mapped_column(
        ForeignKey("transcripts.id", ondelete="CASCADE"), index=True
    )
    turn_id: Mapped[int | None] = mapped_column(ForeignKey("turns.id", ondelete="SET NULL"), index=True)
    content_hash: Mapped[str] = mapped_column(String(64))
    group_key: Mapped[str] = mapped_column(String(64), index=True)  # near-duplicates share it
    labelled_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    label_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Proposal(Table):
    """An intent proposed from messages that nobody labelled, and what a person decided about it."""

    __tablename__ = "proposals"
    __table_args__ = (one_of("status", "open", "accepted", "rejected", "merged"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    terms: Mapped[list[Any]] = mapped_column(default=list)
    drafts: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {lang: the agents' typical answer}
    article_slug: Mapped[str | None] = mapped_column(String(200))
    evidence: Mapped[dict[str, Any]] = mapped_column(default=dict)  # {intent: tagged messages among them}
    status: Mapped[str] = mapped_column(String(16), default="open", index=True)
    intent_id: Mapped[int | None] = mapped_column(ForeignKey("intents.id", ondelete="SET NULL"))
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    decided_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class ProposalMember(Table):
    """A message of a proposal. It stays one after the decision, so that a later export proposes only what is new."""

    __tablename__ = "proposal_members"

    example_id: Mapped[int] = mapped_column(ForeignKey("examples.id", ondelete="CASCADE"), primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposals.id", ondelete="CASCADE"), index=True)
    strength: Mapped[float] = mapped_column(Float, default=1.0)  # 0..1, how typical


class NearDuplicate(Table):
    """Where near-duplicates find each other: a band of a MinHash -> the group (ingest/near_duplicates.py)."""

    __tablename__ = "near_duplicates"

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    group_key: Mapped[str] = mapped_column(String(64))


class Snapshot(Table):
    __tablename__ = "snapshots"

    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Release(Table):
    __tablename__ = "releases"
    __table_args__ = (one_of("status", "candidate", "promoted", "refused"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), default="candidate")
    parent_id: Mapped[str | None] = mapped_column(String(40))  # the release live when it was made
    snapshot: Mapped[str] = mapped_column(String(64))
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    gate: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(Text, default="")
    erased_people: Mapped[int] = mapped_column(
        default=0
    )  # how many, erased since, wrote what it was trained on
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Promotion(Table):
    """The last row says which release is live: the only truth about it. A roll back is a row like any other."""

    __tablename__ = "promotions"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="RESTRICT"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    reason: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utcnow)


class Canary(Table):
    """A release that answers a share of the new conversations on trial. At most one has no ``ended_at``."""

    __tablename__ = "canaries"

    id: Mapped[int] = mapped_column(primary_key=True)
    release_id: Mapped[str] = mapped_column(ForeignKey("releases.id", ondelete="CASCADE"), index=True)
    live_id: Mapped[str] = mapped_column(String(40))  # the release it is held against
    share: Mapped[float] = mapped_column(Float)  # 0..1 of the conversations begun since
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    ended_at: Mapped[datetime | None]


class Job(Table):
    """Queued work. This row is the truth; the queue's message carries its id alone."""

    __tablename__ = "jobs"
    __table_args__ = (
        one_of("state", "queued", "running", "done", "failed", "cancelled"),
        Index(None, "state", "heartbeat_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    request_id: Mapped[str | None] = mapped_column(String(64))  # of the web request that queued it
    state: Mapped[str] = mapped_column(String(16), default="queued")
    stage: Mapped[str] = mapped_column(String(200), default="")
    progress: Mapped[float] = mapped_column(default=0.0)  # 0..1
    last_batch: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(100))
    heartbeat_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None]
    error: Mapped[dict[str, Any] | None]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
