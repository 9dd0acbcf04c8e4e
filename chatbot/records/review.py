"""What the bot could not do, read from its own turns: unanswered, doubtful and voted-down questions, questions without
a good passage, articles that nobody is shown or that do not help. And what people decided about them.

A question is a customer's turn that the bot answered. It leaves the queue with the first decision about it, which is
an example row: who decided (``labelled_by_id``) and why (``label_reason``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.language.normalise import normalise
from chatbot.language.redaction import redact
from chatbot.records.conversations import NO_HELP
from chatbot.records.examples import text_hash
from chatbot.records.intents import put_intent
from chatbot.records.knowledge import redaction_rules
from chatbot.records.tables import Article, Example, Feedback, Intent, Turn, utcnow

_OF_ARTICLE = "article:"  # a release's label for an article that no intent is bound to
WINDOW = timedelta(days=90)
MOST_TURNS = 20_000
DOUBTFUL = 0.6  # an answer below this confidence is worth a look
GOOD_HIT = 0.5  # calibrated probability that a passage answers the question
ANSWERS = ("approved", "passage", "generated")


@dataclass(frozen=True, slots=True)
class Asked:
    """One question with what became of it."""

    turn_id: int
    conversation_id: int
    text: str
    lang: str
    at: datetime
    kind: str
    confidence: float
    intent: str | None  # the classifier's first guess
    article: str | None  # slug of the nearest article
    article_id: int | None
    article_title: str
    hit_score: float  # calibrated, of the best passage; 0 where nothing was found
    shown: tuple[int, ...]  # ids of the articles that stood under the answer as its sources
    voted_down: bool
    handed_over: bool
    agent_reply: str | None  # the first thing an agent said afterwards
    reviewed: bool

    @property
    def uncertainty(self) -> float:
        """1 where the bot had no answer, else how unsure it was."""
        return 1.0 if self.kind in (*NO_HELP, "person") else 1.0 - self.confidence

    @property
    def complaint(self) -> bool:
        return self.voted_down or self.handed_over

    @property
    def needs_review(self) -> bool:
        """Not known, voted down, or answered in doubt. A wish for a person and small talk are neither."""
        if self.reviewed or self.kind in ("smalltalk", "ask"):
            return False
        return (
            self.voted_down or self.kind in NO_HELP or (self.kind in ANSWERS and self.confidence < DOUBTFUL)
        )


def asked_questions(session: Session, *, now: datetime | None = None) -> list[Asked]:
    """The questions of the last 90 days that the bot replied to, oldest first (at most the newest 20,000)."""
    since = (now or utcnow()) - WINDOW
    customer, bot = aliased(Turn), aliased(Turn)
    rows = session.execute(
        select(
            customer.id,
            customer.conversation_id,
            customer.text,
            customer.lang,
            customer.created_at,
            bot.kind,
            bot.confidence,
            bot.reply,
            bot.trace,
            Feedback.vote,
        )
        .join(bot, bot.reply_to_id == customer.id)
        .outerjoin(Feedback, Feedback.turn_id == bot.id)
        .where(customer.role == "customer", bot.role == "bot", customer.created_at >= since)
        .order_by(customer.id.desc())
        .limit(MOST_TURNS)
    ).all()[::-1]
    replies = _agents_replies(session, {row.conversation_id for row in rows})
    reviewed = set(
        session.scalars(
            select(Example.turn_id).where(Example.turn_id.is_not(None), Example.status != "unreviewed")
        )
    )
    return [_asked(row, replies.get(row.conversation_id, ()), row.id in reviewed) for row in rows]


def _asked(row: Any, replies: Sequence[tuple[int, str]], reviewed: bool) -> Asked:
    parts: Sequence[Mapping[str, Any]] = (row.trace or {}).get("parts", ())
    ranked = [guess for part in parts for guess in part["classification"]["ranked"]]
    score, best, shown = _hits(parts, (row.reply or {}).get("parts", ()))
    reply = next((text for turn_id, text in replies if turn_id > row.id), None)
    return Asked(
        turn_id=row.id,
        conversation_id=row.conversation_id,
        text=row.text,
        lang=row.lang,
        at=row.created_at,
        kind=row.kind or "unknown",
        confidence=row.confidence or 0.0,
        intent=ranked[0]["name"] if ranked else None,
        article=best.get("article_slug"),
        article_id=best.get("article_id"),
        article_title=best.get("title", ""),
        hit_score=score,
        shown=shown,
        voted_down=row.vote == "down",
        handed_over=reply is not None,
        agent_reply=reply,
        reviewed=reviewed,
    )


def _hits(
    parts: Sequence[Mapping[str, Any]], said: Sequence[Mapping[str, Any]]
) -> tuple[float, Mapping[str, Any], tuple[int, ...]]:
    """(score of the best passage, the passage, ids of the articles that were shown as sources).

    A passage that was the answer is as good as the answer was sure: one of the article that the classifier knew, or
    that the customer chose himself, brings no score of the search. A source is known by its title and quote: its
    address is stored as the customer got it, of our help page where the article has none.
    """
    best: tuple[float, Mapping[str, Any]] = (0.0, {})
    shown: dict[int, None] = {}
    nothing: Mapping[str, Any] = {}
    for part, answer in zip_longest(parts, said, fillvalue=nothing):
        quoted = [(source["title"], source["quote"]) for source in answer.get("sources", ())]
        for hit in part.get("hits", ()):
            score = float(hit["score"])
            source = (hit["title_path"] or hit["title"], hit["text"])
            if source in quoted:
                quoted.remove(source)  # the same words in another article were not shown
                shown[hit["article_id"]] = None
                if answer["kind"] in ("passage", "generated"):
                    score = max(score, float(answer["confidence"]))
            if not best[1] or score > best[0]:
                best = (score, hit)
    return *best, tuple(shown)


def _agents_replies(session: Session, conversations: Iterable[int]) -> dict[int, list[tuple[int, str]]]:
    ids = sorted(conversations)
    found: dict[int, list[tuple[int, str]]] = {}
    for at in range(0, len(ids), 500):
        rows = session.execute(
            select(Turn.conversation_id, Turn.id, Turn.text)
            .where(Turn.role == "agent", Turn.conversation_id.in_(ids[at : at + 500]))
            .order_by(Turn.id)
        )
        for conversation, turn_id, text in rows:
            found.setdefault(conversation, []).append((turn_id, text))
    return found


def _named(session: Session, name: str) -> Intent:
    """The intent of this name, new where there is none. Where it is what a release calls an article that no intent is
    bound to, the intent is that article's: an answer written for it would never be given otherwise."""
    slug = name.removeprefix(_OF_ARTICLE)
    if slug == name or session.scalar(select(Article.id).where(Article.slug == slug).limit(1)) is None:
        return put_intent(session, name)[0]
    bound = session.scalar(
        select(Intent)
        .where(Intent.article_slug == slug, Intent.status == "live")
        .order_by(Intent.id)
        .limit(1)
    )
    return bound or put_intent(session, slug.replace("-", "_"), article_slug=slug)[0]


def decide(
    session: Session,
    turn_ids: Sequence[int],
    *,
    action: str,
    person_id: int | None,
    reason: str,
    intent: str = "",
    now: datetime | None = None,
) -> list[Example]:
    """Write down what a person decided about these questions: ``label`` (they ask for ``intent``), ``ignore`` (teach
    nothing), ``oos`` (nothing the bot should know), ``article`` (an article answers them now).

    The texts are redacted as they become examples. Raises InputError for an unknown action, NotFoundError for a turn
    that is no customer's, ConflictError where somebody was quicker with all of them.
    """
    if action not in ("label", "ignore", "oos", "article"):
        raise InputError(
            "Unknown decision", field="action", value=action, remedy="Use label, ignore, oos or article"
        )
    intent_id = None
    if action == "label":
        if not intent.strip():
            raise InputError("Which intent?", field="intent", remedy="Name the intent that is asked for")
        row = _named(session, intent.strip()[:120])
        if row.status == "retired":
            raise ConflictError(
                "This intent was retired", field="intent", value=row.name, remedy="Choose another one"
            )
        intent_id = row.id
    rules = redaction_rules(session)
    decided: list[Example] = []
    done = set(
        session.scalars(
            select(Example.turn_id).where(Example.turn_id.in_(list(turn_ids)), Example.status != "unreviewed")
        )
    )
    for turn_id in dict.fromkeys(turn_ids):
        if turn_id in done:
            continue
        turn = session.get(Turn, turn_id)
        if turn is None or turn.role != "customer":
            raise NotFoundError("There is no such question", field="turn", value=turn_id)
        text = normalise(redact(turn.text, rules=rules))
        example = session.scalar(select(Example).where(Example.turn_id == turn_id).limit(1))
        if example is None:
            digest = text_hash(text)
            example = Example(
                text=text,
                lang=turn.lang,
                source="live",
                turn_id=turn_id,
                content_hash=digest,
                group_key=digest[:16],
                created_at=now or utcnow(),
            )
            session.add(example)
        example.intent_id = intent_id
        example.out_of_scope = action == "oos"
        example.status = "accepted" if action in ("label", "oos") else "ignored"
        example.labelled_by_id = person_id
        example.label_reason = reason[:200]
        decided.append(example)
    if not decided:
        raise ConflictError(
            "Somebody has decided about these questions already",
            field="turns",
            remedy="Look at the list again",
        )
    session.flush()
    return decided


def taken_over(session: Session, turn_ids: Sequence[int], text: str) -> str:
    """``text`` as it may be published: without personal values where it is what somebody said in these questions'
    conversations, else as it is, for then the person who decides wrote it."""
    talks = select(Turn.conversation_id).where(Turn.id.in_(list(turn_ids)))
    said = session.scalars(
        select(Turn.text).where(Turn.conversation_id.in_(talks), Turn.role.in_(("customer", "agent")))
    )
    plain = " ".join(text.removesuffix("...").split())  # a page shortens a long title
    if not plain or not any(" ".join(words.split()).startswith(plain) for words in said):
        return text
    return redact(text, rules=redaction_rules(session))


def reopen(session: Session, turn_id: int) -> Example:
    """Take a decision back: the question is as if nobody had looked at it. Raises NotFoundError."""
    example = session.scalar(
        select(Example).where(Example.turn_id == turn_id, Example.status != "unreviewed").limit(1)
    )
    if example is None:
        raise NotFoundError("Nothing was decided about this question", field="turn", value=turn_id)
    example.status, example.intent_id, example.out_of_scope = "unreviewed", None, False
    example.labelled_by_id = example.label_reason = None
    return example


@dataclass(frozen=True, slots=True)
class ArticleUse:
    """How an article did in the window: answers with it as a source, and how many of these were voted down."""

    id: int
    slug: str
    lang: str
    title: str
    shown: int
    voted_down: int


def idle_articles(session: Session, asked: Sequence[Asked]) -> tuple[list[ArticleUse], list[ArticleUse]]:
    """(live articles that stood under no answer, those under answers that were voted down, the worst first)."""
    shown: Counter[int] = Counter()
    down: Counter[int] = Counter()
    for one in asked:
        for article_id in one.shown:
            shown[article_id] += 1
            down[article_id] += one.voted_down
    used = [
        ArticleUse(row.id, row.slug, row.lang, row.title, shown[row.id], down[row.id])
        for row in session.execute(
            select(Article.id, Article.slug, Article.lang, Article.title)
            .where(Article.status == "live")
            .order_by(Article.title, Article.id)
        )
    ]
    never = [one for one in used if not one.shown]
    disliked = sorted(
        (one for one in used if one.voted_down), key=lambda one: (-one.voted_down, one.shown, one.title)
    )
    return never, disliked
