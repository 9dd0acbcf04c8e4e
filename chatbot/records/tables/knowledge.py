"""Articles, passages, intents and approved answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from chatbot.records.tables.table import Table, one_of, utcnow


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
    edited: Mapped[bool] = mapped_column(default=False)  # its text is a person's, not (any more) its source's
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
    cards: Mapped[list[Any] | None]  # chatbot/dialogue/cards.py
    status: Mapped[str] = mapped_column(String(16), default="draft")
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
