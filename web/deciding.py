"""What a person decides about questions that the bot could not answer well, from a page, a program or the terminal.

Every decision is an example (chatbot/records/review.py) and an entry of the audit log, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import InputError
from chatbot.records import answers, audit, review
from chatbot.records.database import Database
from chatbot.records.knowledge import put_article, redaction_rules
from chatbot.records.tables import Article
from ingest.articles.article import make_article


@dataclass(frozen=True, slots=True)
class Decided:
    """``turns``: the questions that this decision took out of the queue. ``intent_id`` and ``answer`` (a draft's id)
    where an answer was given, ``article`` where one was started."""

    turns: tuple[int, ...]
    intent_id: int | None = None
    answer: int | None = None
    article: int | None = None

    def as_json(self) -> dict[str, int]:
        if self.article is not None:
            return {"article": self.article}
        made = {"intent_id": self.intent_id, "answer": self.answer, "decided": len(self.turns)}
        return {name: value for name, value in made.items() if value is not None}


def know_published(database: Database) -> None:
    """Read what the articles publish, of which redaction asks, before a writing session makes all others wait."""
    with database.read() as session:
        redaction_rules(session)


def decide_questions(
    session: Session,
    turns: Sequence[int],
    *,
    action: str,
    person_id: int | None,
    reason: str,
    intent: str = "",
    text: str = "",
    title: str = "",
) -> Decided:
    """``action``: label, answer, article, ignore or oos, about the customers' turns ``turns``.

    ``answer`` labels them with ``intent`` and keeps ``text`` as the intent's draft; ``article`` starts an article of
    ``title`` and ``text`` that stays off until somebody switches it on. Raises InputError for what is missing or
    unknown, NotFoundError for a turn that is no customer's, ConflictError where somebody was quicker.
    """
    if not turns:
        raise InputError("Which questions?", field="turns", remedy="Name at least one question")
    if action == "article":
        return _start_article(session, turns, title, text, person_id, reason)
    rows = review.decide(
        session,
        turns,
        action="label" if action == "answer" else action,
        person_id=person_id,
        reason=reason,
        intent=intent,
    )
    decided = Decided(tuple(row.turn_id for row in rows if row.turn_id is not None))
    if action == "answer" and rows[0].intent_id is not None:
        text = review.taken_over(session, turns, text)
        draft = answers.write_draft(session, intent_id=rows[0].intent_id, lang=rows[0].lang, text=text)
        decided = replace(decided, intent_id=rows[0].intent_id, answer=draft.id)
    _note(
        session,
        f"review.{action}",
        f"{len(rows)} questions",
        person_id,
        {"turns": list(turns), **decided.as_json()},
    )
    return decided


def reopen_questions(session: Session, turns: Sequence[int], *, person_id: int | None) -> None:
    """Take decisions back: these questions wait for review again. Raises NotFoundError where none was made."""
    for turn in turns:
        review.reopen(session, turn)
    _note(session, "review.reopen", f"{len(turns)} questions", person_id, {"turns": list(turns)})


def _start_article(
    session: Session, turns: Sequence[int], title: str, text: str, person_id: int | None, reason: str
) -> Decided:
    """A draft article of what an agent answered; its questions leave the queue."""
    if not title or not text:
        raise InputError(
            "An article needs a title and a text",
            field="text" if title else "title",
            remedy="Write what customers should read",
        )
    rows = review.decide(session, turns, action="article", person_id=person_id, reason=reason)
    draft = make_article(
        title=review.taken_over(session, turns, title),
        body=review.taken_over(session, turns, text),
        lang=rows[0].lang,
        source="review queue",
        questions=[row.text for row in rows][:20],
    )
    known = session.scalar(select(Article.id).where(Article.slug == draft.slug, Article.lang == draft.lang))
    if known is not None:
        raise InputError(
            "There is an article of this title already", field="title", value=title, remedy="Choose another"
        )
    article, _ = put_article(session, replace(draft, status="draft"))
    _note(
        session, "article.start", f"article {article.id}: {article.title}", person_id, {"turns": list(turns)}
    )
    decided = tuple(row.turn_id for row in rows if row.turn_id is not None)
    return Decided(decided, article=article.id)


def _note(session: Session, action: str, subject: str, person_id: int | None, detail: dict[str, Any]) -> None:
    audit.record(session, action=action, subject=subject, person_id=person_id, detail=detail)
