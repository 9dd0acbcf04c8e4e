"""The help articles as visitors read them: listed by section, one by one, and what to ask first."""

from __future__ import annotations

import re
import time
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from markupsafe import Markup
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from chatbot.records.tables import Article, Example, Intent, KnowledgeClock, Passage, utcnow

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

MOST_STARTERS = 3
MOST_RANKED = 30  # of these some may be valid at other times only
RANKED_SECONDS = 600
_Ranked = dict[str, tuple[tuple[Any, ...], list[int]]]  # by language: what it was counted from, the ids
_ranked: WeakKeyDictionary[Any, _Ranked] = WeakKeyDictionary()  # by the database's engine
_SLUG = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
MOST_LISTED = 500
_SAMPLES = {  # until there are articles
    "en": {
        "question": "How long does a refund take?",
        "answer": "A refund takes three working days from the moment your parcel is back.",
        "source": "Refunds",
    },
    "zh": {
        "question": "退款需要多长时间？",
        "answer": "收到退回的商品后，退款会在三个工作日内到账。",
        "source": "退款",
    },
}


def sections(session: Session, lang: str) -> list[tuple[str, list[Article]]]:
    """The live articles of a language by section, both in the order in which they were first loaded."""
    found: dict[str, list[Article]] = {}  # by the section as visitors read it
    query = (
        select(Article).where(Article.lang == lang, *_live(utcnow())).order_by(Article.id).limit(MOST_LISTED)
    )
    for row in session.scalars(query):
        found.setdefault(section_title(row.section), []).append(row)
    return list(found.items())


def section_title(section: str) -> str:
    """A section as it was given; where it is a slug ("shops-workshops"), as words."""
    return section.replace("-", " ").replace("_", " ").capitalize() if _SLUG.fullmatch(section) else section


def article(session: Session, slug: str, lang: str) -> Article | None:
    return session.scalar(select(Article).where(Article.slug == slug, Article.lang == lang, *_live(utcnow())))


def starters(session: Session, lang: str) -> list[str]:
    """What customers ask most, as the titles of the articles that answer it; for an empty chat.

    Counted over the labelled examples; without any, the first articles.
    """
    ranked = _asked_most(session, lang)
    live = select(Article.id, Article.title).where(Article.lang == lang, *_live(utcnow()))
    titles = {row.id: row.title for row in session.execute(live.where(Article.id.in_(ranked)))}
    if titles:
        return [titles[one] for one in ranked if one in titles][:MOST_STARTERS]
    return [row.title for row in session.execute(live.order_by(Article.id).limit(MOST_STARTERS))]


def _asked_most(session: Session, lang: str) -> list[int]:
    """Ids of the articles of a language that customers ask for, the most asked first.

    Every widget that loads wants to know it, and counting the examples of a year takes longer than all the rest of the
    page: it is counted anew when articles have changed or examples have come, and every ten minutes for the labels.
    """
    kept = _ranked.setdefault(session.get_bind(), {})
    stamp = (
        session.scalar(select(func.max(Example.id))),
        session.scalar(select(func.max(KnowledgeClock.revision))),
        int(time.monotonic() / RANKED_SECONDS),
    )
    before = kept.get(lang)
    if before is not None and before[0] == stamp:
        return before[1]
    asked = (
        select(Article.id)
        .join(Intent, Intent.article_slug == Article.slug)
        .join(Example, Example.intent_id == Intent.id)
        .where(Article.lang == lang, Article.status == "live", Intent.status == "live")
        .group_by(Article.id)
        .order_by(func.count().desc(), Article.id)
        .limit(MOST_RANKED)
    )
    found = list(session.scalars(asked))
    kept[lang] = (stamp, found)
    return found


def sample(session: Session, lang: str) -> dict[str, str]:
    """A question and its answer for the theme builder's preview: the company's own words where it has some."""
    titles = starters(session, lang)
    found = session.execute(
        select(Passage.text, Article.title)
        .join(Article, Article.id == Passage.article_id)
        .where(Article.lang == lang, Article.title.in_(titles[:1]), Passage.enabled, *_live(utcnow()))
        .order_by(Passage.id)
        .limit(1)
    ).first()
    if found is None:
        return _SAMPLES.get(lang, _SAMPLES["en"])
    return {"question": titles[0], "answer": found[0], "source": found[1]}


def article_html(found: Article) -> Markup:
    """CommonMark without raw HTML: what looks like a tag in an article is shown, not obeyed."""
    return Markup(_markdown().render(found.body))  # escaped by the renderer (html=False)


def _live(now: datetime) -> tuple[Any, ...]:
    return (
        Article.status == "live",
        or_(Article.valid_from.is_(None), Article.valid_from <= now),
        or_(Article.valid_until.is_(None), Article.valid_until > now),
    )


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
