"""Writing the knowledge: articles, their passages, other ways of asking for them, and the log that tells every
serving process what changed.

A writer raises the clock before anything else, which on either database makes the next writer wait until this one
has committed: revisions become visible in their order, and who has read revision n has missed nothing before it.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from chatbot.language.normalise import fold
from chatbot.language.redaction import canonical, find_personal
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
    utcnow,
)

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class PassageDraft:
    """A piece of an article that is found and quoted by itself."""

    title_path: str
    text: str


@dataclass(frozen=True, slots=True)
class ArticleDraft:
    """An article to be stored: ``body`` is Markdown, ``passages`` its pieces in order."""

    slug: str
    lang: str
    title: str
    body: str
    passages: tuple[PassageDraft, ...]
    section: str = ""
    url: str = ""
    source: str = ""
    questions: tuple[str, ...] = ()
    status: str = "live"
    valid_from: datetime | None = None
    valid_until: datetime | None = None


def begin_revision(session: Session) -> int:
    """Raise the knowledge clock, once a transaction; the revision that this transaction makes."""
    held = session.info.get("knowledge_revision")
    if held is not None and held[0] is session.get_transaction():
        return int(held[1])
    session.execute(update(KnowledgeClock).values(revision=KnowledgeClock.revision + 1))
    revision = session.scalar(select(KnowledgeClock.revision))
    if revision is None:
        session.add(KnowledgeClock(id=1, revision=1))
        session.flush()
        revision = 1
    session.info["knowledge_revision"] = (session.get_transaction(), revision)
    return revision


def current_revision(session: Session) -> int:
    return session.scalar(select(KnowledgeClock.revision)) or 0


def put_article(session: Session, draft: ArticleDraft) -> tuple[Article, Change]:
    """Insert an article or replace the one of the same slug and language.

    The same content again changes nothing and makes no revision. Passages that are in both versions keep their ids;
    of the given questions those with source ``import`` are replaced, the others stay.
    """
    article = session.scalar(select(Article).where(Article.slug == draft.slug, Article.lang == draft.lang))
    content_hash = _article_hash(draft)
    if article is not None and article.content_hash == content_hash:
        return article, "unchanged"
    begin_revision(session)
    change: Change = "created" if article is None else "updated"
    if article is None:
        article = Article(slug=draft.slug, lang=draft.lang)
        session.add(article)
    shown_before = (article.title, article.url, article.status)
    article.title, article.body, article.section = draft.title, draft.body, draft.section
    article.url, article.source, article.status = draft.url, draft.source, draft.status
    article.valid_from, article.valid_until = draft.valid_from, draft.valid_until
    article.content_hash = content_hash
    session.flush()
    moved = change == "updated" and shown_before != (article.title, article.url, article.status)
    _put_passages(session, article, draft.passages, touch_all=moved)
    set_questions(session, article, draft.questions, source="import")
    return article, change


def delete_article(session: Session, article: Article) -> None:
    """Remove an article with its passages and questions, in this revision."""
    passages = session.scalars(select(Passage.id).where(Passage.article_id == article.id)).all()
    questions = session.scalars(
        select(ArticleQuestion.id).where(ArticleQuestion.article_id == article.id)
    ).all()
    _log(session, "passage", passages, "delete")
    _log(session, "question", questions, "delete")
    session.execute(
        delete(Article).where(Article.id == article.id)
    )  # the rest goes with it, by the foreign keys
    session.expunge(article)


def set_questions(
    session: Session,
    article: Article,
    texts: Iterable[str],
    *,
    source: str = "admin",
    lang: str | None = None,
) -> int:
    """Make ``texts`` the article's questions of this ``source``; returns how many rows changed.

    A question that another source has already is left to it.
    """
    wanted = {_hash(fold(text)): text.strip() for text in texts if text.strip()}
    rows = session.scalars(select(ArticleQuestion).where(ArticleQuestion.article_id == article.id)).all()
    present = {row.content_hash for row in rows}
    stale = [row.id for row in rows if row.source == source and row.content_hash not in wanted]
    fresh = [
        {
            "article_id": article.id,
            "text": text,
            "lang": lang or article.lang,
            "source": source,
            "content_hash": digest,
            "enabled": True,
        }
        for digest, text in wanted.items()
        if digest not in present
    ]
    if stale:
        _log(session, "question", stale, "delete")
        session.execute(delete(ArticleQuestion).where(ArticleQuestion.id.in_(stale)))
    if fresh:
        statement = insert(ArticleQuestion).returning(ArticleQuestion.id, sort_by_parameter_order=True)
        _log(session, "question", session.scalars(statement, fresh).all(), "upsert")
    return len(stale) + len(fresh)


def enable_passage(session: Session, passage: Passage, *, enabled: bool) -> None:
    """Let the bot see a passage, or keep it from it."""
    if passage.enabled != enabled:
        passage.enabled = enabled
        _log(session, "passage", [passage.id], "upsert" if enabled else "delete")


def set_article_status(session: Session, article: Article, status: str) -> None:
    """live, draft or off; what is not live leaves the search."""
    if article.status == status:
        return
    article.status = status
    ids = session.scalars(select(Passage.id).where(Passage.article_id == article.id, Passage.enabled)).all()
    questions = session.scalars(
        select(ArticleQuestion.id).where(ArticleQuestion.article_id == article.id)
    ).all()
    operation = "upsert" if status == "live" else "delete"
    _log(session, "passage", ids, operation)
    _log(session, "question", questions, operation)


def published_values(session: Session) -> frozenset[str]:
    """The e-mail addresses, telephone numbers and postal addresses in live articles, in canonical form.

    They are the company's own, and an answer without them would be useless: redaction keeps them.
    """
    found: set[str] = set()
    for body in session.scalars(
        select(Article.body).where(Article.status == "live").execution_options(yield_per=500)
    ):
        for personal in find_personal(body):
            if personal.kind in ("EMAIL", "PHONE", "ADDRESS"):
                found.add(canonical(personal.value))
    return frozenset(found)


def _put_passages(
    session: Session, article: Article, drafts: Sequence[PassageDraft], *, touch_all: bool
) -> None:
    rows = session.scalars(
        select(Passage).where(Passage.article_id == article.id).order_by(Passage.position)
    ).all()
    unused: dict[str, list[Passage]] = defaultdict(list)
    for row in rows:
        unused[row.content_hash].append(row)
    fresh: list[Passage] = []
    kept: list[int] = []
    for position, draft in enumerate(drafts):
        digest = _hash(f"{draft.title_path}\n{draft.text}")
        if unused[digest]:
            row = unused[digest].pop(0)
            row.position = position
            if row.enabled:
                kept.append(row.id)
        else:
            row = Passage(
                article_id=article.id,
                position=position,
                title_path=draft.title_path[:1000],
                text=draft.text,
                lang=article.lang,
                content_hash=digest,
            )
            fresh.append(row)
    gone = [row.id for left in unused.values() for row in left]
    if gone:
        _log(session, "passage", gone, "delete")
        session.execute(delete(Passage).where(Passage.id.in_(gone)))
    session.add_all(fresh)
    session.flush()
    _log(session, "passage", [row.id for row in fresh] + (kept if touch_all else []), "upsert")


def _log(session: Session, entry: str, ids: Sequence[int], operation: str) -> None:
    if not ids:
        return
    revision = begin_revision(session)
    ids = sorted(ids)
    now = utcnow()
    session.execute(
        insert(KnowledgeChange),
        [
            {
                "revision": revision,
                "entry": entry,
                "entry_id": number,
                "operation": operation,
                "created_at": now,
            }
            for number in ids
        ],
    )


def _article_hash(draft: ArticleDraft) -> str:
    parts = [draft.slug, draft.lang, draft.title, draft.body, draft.section, draft.url, draft.status]
    parts += [f"{draft.valid_from}", f"{draft.valid_until}", *draft.questions]
    parts += [f"{passage.title_path}\x1f{passage.text}" for passage in draft.passages]
    return _hash("\x1e".join(parts))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
