"""What the database says at the moment of a reply: approved answers, titles, an article's own passages.

Read for each message, never cached: an answer withdrawn a second ago must not be sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import or_, select

from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import ARTICLE_LABEL, KnownIntent
from chatbot.records.database import Database
from chatbot.records.tables import Action, Answer, Article, Intent, Passage, utcnow


class Lookup(Protocol):
    """What the assistant asks of the knowledge tables."""

    def intents(self, names: Sequence[str], lang: str) -> dict[str, KnownIntent]:
        """The live and provisional intents, and the live articles, that ``names`` name; others are left out."""
        ...

    def passages(self, article_slug: str, lang: str) -> list[Hit]:
        """The passages of an article in reading order, with score 0; empty where it is not live."""
        ...


class DatabaseLookup:
    """The knowledge tables of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def intents(self, names: Sequence[str], lang: str) -> dict[str, KnownIntent]:
        now = utcnow()
        slugs = [name.removeprefix(ARTICLE_LABEL) for name in names if name.startswith(ARTICLE_LABEL)]
        with self._database.read() as session:
            articles = session.execute(
                select(Article.slug, Article.title).where(
                    Article.slug.in_(slugs),
                    Article.lang == lang,
                    Article.status == "live",
                    _valid(Article.valid_from, Article.valid_until, now),
                )
            ).all()
            rows = session.scalars(
                select(Intent).where(Intent.name.in_(names), Intent.status.in_(("live", "provisional")))
            ).all()
            approved = {
                answer.intent_id: answer.text
                for answer in session.scalars(
                    select(Answer)
                    .where(
                        Answer.intent_id.in_([row.id for row in rows]),
                        Answer.lang == lang,
                        Answer.status == "approved",
                        _valid(Answer.valid_from, Answer.valid_until, now),
                    )
                    .order_by(Answer.approved_at, Answer.id)  # the one approved last wins
                )
            }
            acting = set(
                session.scalars(
                    select(Action.intent_id).where(
                        Action.enabled, Action.intent_id.in_([row.id for row in rows])
                    )
                )
            )
        return {
            row.name: KnownIntent(
                row.name, title_of(row, lang), row.article_slug, approved.get(row.id), row.id in acting
            )
            for row in rows
        } | {
            ARTICLE_LABEL + slug: KnownIntent(ARTICLE_LABEL + slug, title, slug, None)
            for slug, title in articles
        }

    def passages(self, article_slug: str, lang: str) -> list[Hit]:
        now = utcnow()
        with self._database.read() as session:
            rows = session.execute(
                select(Passage, Article)
                .join(Article, Passage.article_id == Article.id)
                .where(
                    Article.slug == article_slug,
                    Article.lang == lang,
                    Article.status == "live",
                    Passage.enabled,
                    _valid(Article.valid_from, Article.valid_until, now),
                    _valid(Passage.valid_from, Passage.valid_until, now),
                )
                .order_by(Passage.position)
            ).all()
        return [
            Hit(
                passage_id=passage.id,
                article_id=article.id,
                article_slug=article.slug,
                title=article.title,
                title_path=passage.title_path,
                url=article.url,
                text=passage.text,
                lang=passage.lang,
                score=0.0,
                keyword_score=0.0,
                dense_score=0.0,
            )
            for passage, article in rows
        ]


def title_of(intent: Intent, lang: str) -> str:
    """The intent's title in ``lang``, else in English, else its name in words."""
    return intent.titles.get(lang) or intent.titles.get("en") or intent.name.replace("_", " ").capitalize()


def _valid(start, end, now: datetime):  # type: ignore[no-untyped-def]  # column expressions
    return or_(start.is_(None), start <= now) & or_(end.is_(None), end > now)
