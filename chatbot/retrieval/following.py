"""The conversation database as the search sees it: what may be shown now, and what changed since.

Every writer of knowledge raises the knowledge clock in its transaction and logs what it changed, so a process that
has applied the changes up to revision n knows everything that was committed up to n
(chatbot/records/tables/knowledge.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, not_, or_, select
from sqlalchemy.orm import Session

from chatbot.records.database import Database
from chatbot.records.tables import (
    Article,
    ArticleQuestion,
    KnowledgeChange,
    KnowledgeClock,
    Passage,
    UtcDateTime,
    utcnow,
)
from chatbot.retrieval.knowledge import PassageEntry, QuestionEntry, StoredPassage

_AT_ONCE = 500  # rows asked for in one statement; SQLite allows 32,766 parameters, older ones 999


@dataclass(frozen=True, slots=True)
class Changes:
    """What to put into the indexes and what to take out, up to ``revision``."""

    revision: int
    passages: tuple[PassageEntry, ...]
    questions: tuple[QuestionEntry, ...]
    gone_passages: tuple[int, ...]
    gone_questions: tuple[int, ...]


class DatabaseKnowledge:
    """The `Knowledge` of one conversation database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def read(self, ids: Sequence[int]) -> dict[int, StoredPassage]:
        """The passages among ``ids`` that are enabled, whose article is live, both within their periods."""
        if not ids:
            return {}
        with self.database.connect() as connection:
            rows = connection.execute(_SHOWN, {"ids": list(ids), "now": utcnow()})
            return {row[0]: StoredPassage(*row) for row in rows}


def _shown() -> Select[*tuple[Any, ...]]:
    """Read for every message: made once, and without a session, that is a third of the time."""
    now = bindparam("now", type_=UtcDateTime())
    within = [
        or_(start.is_(None), start <= now) & or_(end.is_(None), end > now)
        for start, end in (
            (Article.valid_from, Article.valid_until),
            (Passage.valid_from, Passage.valid_until),
        )
    ]
    return (
        select(
            Passage.id,
            Article.id,
            Article.slug,
            Article.title,
            Passage.title_path,
            Article.url,
            Passage.text,
            Passage.lang,
        )
        .join(Article, Passage.article_id == Article.id)
        .where(
            Passage.id.in_(bindparam("ids", expanding=True)),
            Passage.enabled,
            Article.status == "live",
            *within,
        )
    )


_SHOWN = _shown()


def revision(session: Session) -> int:
    """How far the knowledge has come."""
    return session.scalar(select(func.max(KnowledgeClock.revision))) or 0


def whole(session: Session) -> Changes:
    """Everything that is searched, as of the session's moment."""
    upto = revision(session)  # read first: what is committed meanwhile is applied again, never missed
    return Changes(upto, tuple(_entries(session, _passages())), tuple(_asked(session, _questions())), (), ())


def since(session: Session, known: int) -> Changes | None:
    """What changed after revision ``known``; None where the log no longer reaches back to it."""
    upto = revision(session)
    if upto < known:
        return None  # another database, or one restored from a backup
    oldest = session.scalar(select(func.min(KnowledgeChange.revision)))
    if upto > known and (oldest is None or oldest > known + 1):
        return None
    touched: dict[str, dict[int, None]] = {"passage": {}, "question": {}}
    for entry, identity in session.execute(
        select(KnowledgeChange.entry, KnowledgeChange.entry_id).where(KnowledgeChange.revision > known)
    ):
        touched[entry][identity] = None
    # the row as it is now decides, not the logged operation: a later change may have undone it
    passages: list[PassageEntry] = []
    for ids in _slices(list(touched["passage"])):
        passages += _entries(session, _passages().where(Passage.id.in_(ids)))
    questions: list[QuestionEntry] = []
    for ids in _slices(list(touched["question"])):
        questions += _asked(session, _questions().where(ArticleQuestion.id.in_(ids)))
    return Changes(
        upto,
        tuple(passages),
        tuple(questions),
        tuple(touched["passage"].keys() - {entry.id for entry in passages}),
        tuple(touched["question"].keys() - {entry.id for entry in questions}),
    )


def switched_off(session: Session) -> list[PassageEntry]:
    """The passages that no index has, because they or their articles are switched off."""
    return _entries(session, _passages(quoted=False))


def _passages(*, quoted: bool = True) -> Select[*tuple[Any, ...]]:
    """Passages worth indexing (``quoted``), or the others. Validity is left to the moment of reading: it changes
    without a write."""
    shown = and_(Passage.enabled, Article.status == "live")
    title = func.coalesce(func.nullif(Passage.title_path, ""), Article.title)
    return (
        select(Passage.id, Passage.article_id, Passage.lang, title, Passage.text)
        .join(Article, Passage.article_id == Article.id)
        .where(shown if quoted else not_(shown))
        .order_by(Passage.id)
    )


def _questions() -> Select[*tuple[Any, ...]]:
    return (
        select(
            ArticleQuestion.id,
            ArticleQuestion.article_id,
            ArticleQuestion.lang,
            ArticleQuestion.text,
            ArticleQuestion.passage_id,
        )
        .join(Article, ArticleQuestion.article_id == Article.id)
        .where(and_(ArticleQuestion.enabled, Article.status == "live"))
        .order_by(ArticleQuestion.id)
    )


def _entries(session: Session, statement: Select[*tuple[Any, ...]]) -> list[PassageEntry]:
    return [
        PassageEntry(id=identity, article=article, lang=lang, title=title, text=text)
        for identity, article, lang, title, text in session.execute(statement)
    ]


def _asked(session: Session, statement: Select[*tuple[Any, ...]]) -> list[QuestionEntry]:
    return [
        QuestionEntry(id=identity, article=article, lang=lang, text=text, passage=passage)
        for identity, article, lang, text, passage in session.execute(statement)
    ]


def _slices(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), _AT_ONCE):
        yield ids[start : start + _AT_ONCE]
