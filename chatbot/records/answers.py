"""Intents with their answers, for reading and deciding: a person writes, approves and withdraws answers.

What was approved once is never overwritten: a changed text is a new row, the old one is retired, so that a turn of
last month can still be read against the answer of last month.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from chatbot.dialogue.cards import Card
from chatbot.errors import InputError, NotFoundError
from chatbot.language.normalise import fold
from chatbot.records.tables import Answer, Article, Example, Intent, Person, utcnow

MAX_ANSWER = 4_000  # characters
SAMPLES = 12


@dataclass(frozen=True, slots=True)
class IntentLine:
    """An intent as a list shows it."""

    id: int
    name: str
    titles: dict[str, str]
    status: str
    article_slug: str | None
    examples: int
    approved: tuple[str, ...]  # languages with an approved answer
    drafts: int

    def title(self, lang: str) -> str:
        return self.titles.get(lang) or self.titles.get("en") or next(iter(self.titles.values()), self.name)


@dataclass(frozen=True, slots=True)
class AnswerView:
    answer: Answer
    approved_by: str | None


@dataclass(frozen=True, slots=True)
class IntentView:
    line: IntentLine
    answers: tuple[AnswerView, ...]  # drafts and approved ones first, then retired, newest first
    samples: tuple[Example, ...]
    articles: tuple[Article, ...]  # the article that answers it, in each language


def list_intents(session: Session, *, text: str = "", only: str = "all") -> list[IntentLine]:
    """By name; ``text`` occurs in the name or a title.

    ``only``: all, draft (an answer waits for approval), unanswered (neither an answer nor an article), retired.
    """
    wanted = fold(text)
    intents = [
        intent
        for intent in session.scalars(select(Intent).order_by(Intent.name))
        if any(wanted in fold(str(name)) for name in (intent.name, *intent.titles.values()))
    ]
    lines = _lines(session, intents)
    if only == "draft":
        return [line for line in lines if line.drafts]
    if only == "unanswered":
        return [
            line for line in lines if not line.approved and not line.article_slug and line.status != "retired"
        ]
    if only == "retired":
        return [line for line in lines if line.status == "retired"]
    return [line for line in lines if line.status != "retired"]


def _lines(session: Session, intents: list[Intent]) -> list[IntentLine]:
    ids = [intent.id for intent in intents]
    counted = session.execute(
        select(Example.intent_id, func.count())
        .where(Example.intent_id.in_(ids), Example.status.in_(("unreviewed", "accepted")))
        .group_by(Example.intent_id)
    )
    examples = {intent_id: number for intent_id, number in counted if intent_id is not None}
    approved: dict[int, list[str]] = {}
    drafts: dict[int, int] = {}
    for intent_id, lang, status in session.execute(
        select(Answer.intent_id, Answer.lang, Answer.status)
        .where(Answer.intent_id.in_(ids))
        .order_by(Answer.lang)
    ):
        if status == "approved" and lang not in approved.setdefault(intent_id, []):
            approved[intent_id].append(lang)
        elif status == "draft":
            drafts[intent_id] = drafts.get(intent_id, 0) + 1
    return [
        IntentLine(
            intent.id,
            intent.name,
            dict(intent.titles),
            intent.status,
            intent.article_slug,
            examples.get(intent.id, 0),
            tuple(approved.get(intent.id, ())),
            drafts.get(intent.id, 0),
        )
        for intent in intents
    ]


def get_intent(session: Session, intent_id: int) -> Intent:
    intent = session.get(Intent, intent_id)
    if intent is None:
        raise NotFoundError("There is no such intent", field="intent", value=intent_id)
    return intent


def read_intent(session: Session, intent_id: int) -> IntentView:
    """Raises NotFoundError."""
    intent = get_intent(session, intent_id)
    rows = session.execute(
        select(Answer, Person.name)
        .outerjoin(Person, Person.id == Answer.approved_by_id)
        .where(Answer.intent_id == intent_id)
        .order_by(Answer.status == "retired", Answer.lang, Answer.id.desc())
    )
    samples = session.scalars(
        select(Example)
        .where(Example.intent_id == intent_id, Example.status.in_(("unreviewed", "accepted")))
        .order_by(Example.group_key)  # a hash: mixed, and the same each time
        .limit(SAMPLES)
    )
    articles = session.scalars(
        select(Article).where(Article.slug == (intent.article_slug or "")).order_by(Article.lang)
    )
    return IntentView(
        _lines(session, [intent])[0],
        tuple(AnswerView(answer, name) for answer, name in rows),
        tuple(samples),
        tuple(articles),
    )


def get_answer(session: Session, answer_id: int) -> Answer:
    answer = session.get(Answer, answer_id)
    if answer is None:
        raise NotFoundError("There is no such answer", field="answer", value=answer_id)
    return answer


def write_draft(
    session: Session,
    *,
    intent_id: int,
    lang: str,
    text: str,
    cards: Sequence[Card] = (),
    now: datetime | None = None,
) -> Answer:
    """A new draft; a draft in the same language that is there already gets the new text and cards.

    Raises InputError for an empty or overlong text, NotFoundError for an unknown intent.
    """
    text = text.strip()
    if not text:
        raise InputError("The answer is empty", field="text", remedy="Write what the bot should say")
    if len(text) > MAX_ANSWER:
        raise InputError(
            "The answer is too long",
            field="text",
            value=len(text),
            remedy=f"Use at most {MAX_ANSWER} characters",
        )
    if not 2 <= len(lang) <= 16:
        raise InputError("Unknown language", field="lang", value=lang, remedy="Use a tag such as en or zh")
    get_intent(session, intent_id)
    draft = session.scalar(
        select(Answer)
        .where(Answer.intent_id == intent_id, Answer.lang == lang, Answer.status == "draft")
        .limit(1)
    )
    if draft is None:
        draft = Answer(intent_id=intent_id, lang=lang, text=text, status="draft", created_at=now or utcnow())
        session.add(draft)
    else:
        draft.text = text
    draft.cards = [card.as_json() for card in cards] or None
    session.flush()
    return draft


def approve(
    session: Session, answer_id: int, *, person_id: int | None, now: datetime | None = None
) -> Answer:
    """Let the bot send an answer. The one approved before in this language retires in the same moment."""
    answer = get_answer(session, answer_id)
    session.execute(
        update(Answer)
        .where(
            Answer.intent_id == answer.intent_id,
            Answer.lang == answer.lang,
            Answer.status == "approved",
            Answer.id != answer.id,
        )
        .values(status="retired")
    )
    answer.status = "approved"
    answer.approved_by_id = person_id
    answer.approved_at = now or utcnow()
    session.flush()
    return answer


def retire(session: Session, answer_id: int) -> Answer:
    """Withdraw an answer: the next message is no longer answered with it."""
    answer = get_answer(session, answer_id)
    answer.status = "retired"
    session.flush()
    return answer
