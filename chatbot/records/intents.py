"""Writing intents and answers on behalf of an import; reading and deciding by a person is answers.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.records.tables import Answer, Intent, utcnow

Change = Literal["created", "updated", "unchanged"]


def intent_ids(session: Session) -> dict[str, int]:
    """The ids of all intents by name, retired ones included."""
    return {row.name: row.id for row in session.execute(select(Intent.name, Intent.id))}


def ensure_intents(session: Session, names: Iterable[str], *, lang: str = "en") -> dict[str, int]:
    """Make a live intent for each name that has none; returns name -> id of the new ones."""
    known = intent_ids(session)
    rows = [
        Intent(name=name, titles={lang: title_from(name)})
        for name in dict.fromkeys(names)
        if name not in known
    ]
    session.add_all(rows)
    session.flush()
    return {row.name: row.id for row in rows}


def title_from(name: str) -> str:
    """``order_status`` -> ``Order status``."""
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]


def put_intent(
    session: Session,
    name: str,
    *,
    titles: Mapping[str, str] | None = None,
    article_slug: str | None = None,
    status: str = "live",
) -> tuple[Intent, Change]:
    """Insert an intent or bring it up to date. What an admin retired stays retired."""
    intent = session.scalar(select(Intent).where(Intent.name == name))
    if intent is None:
        intent = Intent(
            name=name,
            titles=dict(titles or {"en": title_from(name)}),
            article_slug=article_slug,
            status=status,
        )
        session.add(intent)
        session.flush()
        return intent, "created"
    before = (dict(intent.titles), intent.article_slug)
    intent.titles = {**intent.titles, **(titles or {})}
    intent.article_slug = article_slug if article_slug is not None else intent.article_slug
    return intent, "unchanged" if before == (intent.titles, intent.article_slug) else "updated"


def put_answer(
    session: Session, intent: Intent, *, lang: str, text: str, status: str = "approved"
) -> tuple[Answer, Change]:
    """An answer of an intent in one language. An approved one with another text is retired, not overwritten."""
    rows = session.scalars(
        select(Answer).where(Answer.intent_id == intent.id, Answer.lang == lang, Answer.status == status)
    ).all()
    for row in rows:
        if row.text == text:
            return row, "unchanged"
    for row in rows:
        row.status = "retired"
    answer = Answer(
        intent_id=intent.id,
        lang=lang,
        text=text,
        status=status,
        approved_at=utcnow() if status == "approved" else None,
    )
    session.add(answer)
    session.flush()
    return answer, "updated" if rows else "created"
