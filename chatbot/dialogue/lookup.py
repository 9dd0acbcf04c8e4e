"""What the database says at the moment of a reply: approved answers, titles, an article's own passages.

Read for each message, never cached: an answer withdrawn a second ago must not be sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select

from chatbot.dialogue.cards import cards_from_json
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import ARTICLE_LABEL, KnownIntent
from chatbot.records.database import Database
from chatbot.records.tables import Action, Answer, Article, Intent, Passage, UtcDateTime, utcnow


class Lookup(Protocol):
    """What the assistant asks of the knowledge tables."""

    def intents(self, names: Sequence[str], lang: str) -> dict[str, KnownIntent]:
        """The live and provisional intents, and the live articles, that ``names`` name; others are left out."""
        ...

    def passages(self, article_slug: str, lang: str) -> list[Hit]:
        """The passages of an article in reading order, with score 0; empty where it is not live."""
        ...


class DatabaseLookup:
    """The knowledge tables of one database.

    Asked several times a message: its statements are made once, below, and run without a session.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def intents(self, names: Sequence[str], lang: str) -> dict[str, KnownIntent]:
        if not names:
            return {}
        at = {"lang": lang, "now": utcnow()}
        slugs = [name.removeprefix(ARTICLE_LABEL) for name in names if name.startswith(ARTICLE_LABEL)]
        with self._database.connect() as connection:
            articles = connection.execute(_ARTICLES, at | {"slugs": slugs}).all() if slugs else []
            rows = connection.execute(_INTENTS, at | {"names": list(names)}).all()
        return (
            {
                name: KnownIntent(
                    name, title_in(titles, name, lang), slug, approved, acts, cards_from_json(cards)
                )
                for name, titles, slug, approved, cards, acts in rows  # of several approved answers the last one stays
            }
            | {
                ARTICLE_LABEL + slug: KnownIntent(ARTICLE_LABEL + slug, title, slug, None)
                for slug, title in articles
            }
        )

    def passages(self, article_slug: str, lang: str) -> list[Hit]:
        asked = {"slug": article_slug, "lang": lang, "now": utcnow()}
        with self._database.connect() as connection:
            rows = connection.execute(_PASSAGES, asked).all()
        return [Hit(*row, score=0.0, keyword_score=0.0, dense_score=0.0) for row in rows]


def title_of(intent: Intent, lang: str) -> str:
    """The intent's title in ``lang``, else in English, else its name in words."""
    return title_in(intent.titles, intent.name, lang)


def title_in(titles: Mapping[str, str], name: str, lang: str) -> str:
    return titles.get(lang) or titles.get("en") or name.replace("_", " ").capitalize()


_NOW = bindparam("now", type_=UtcDateTime())


def _valid(of: type[Article] | type[Answer] | type[Passage]) -> ColumnElement[bool]:
    return and_(
        or_(of.valid_from.is_(None), of.valid_from <= _NOW),
        or_(of.valid_until.is_(None), of.valid_until > _NOW),
    )


_ARTICLES = select(Article.slug, Article.title).where(
    Article.slug.in_(bindparam("slugs", expanding=True)),
    Article.lang == bindparam("lang"),
    Article.status == "live",
    _valid(Article),
)
_INTENTS = (
    select(
        Intent.name,
        Intent.titles,
        Intent.article_slug,
        Answer.text,
        Answer.cards,
        exists().where(Action.enabled, Action.intent_id == Intent.id),
    )
    .outerjoin(
        Answer,
        and_(
            Answer.intent_id == Intent.id,
            Answer.lang == bindparam("lang"),
            Answer.status == "approved",
            _valid(Answer),
        ),
    )
    .where(Intent.name.in_(bindparam("names", expanding=True)), Intent.status.in_(("live", "provisional")))
    .order_by(Intent.id, Answer.approved_at, Answer.id)  # the one approved last wins
)
_PASSAGES = (
    select(  # in the order of Hit's fields
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
        Article.slug == bindparam("slug"),
        Article.lang == bindparam("lang"),
        Article.status == "live",
        Passage.enabled,
        _valid(Article),
        _valid(Passage),
    )
    .order_by(Passage.position)
)
