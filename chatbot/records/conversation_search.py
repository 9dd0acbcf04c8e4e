"""Finding and reading conversations from the inside: lists by state, search in what was said, one as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session, aliased

from chatbot.errors import NotFoundError
from chatbot.records.tables import Conversation, Example, Feedback, Intent, Person, Site, Turn, Visitor

PAGE_SIZE = 30
Filter = Literal["all", "waiting", "human", "bot", "closed", "disliked", "unknown"]
FILTERS: tuple[Filter, ...] = ("all", "waiting", "human", "bot", "closed", "disliked", "unknown")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which conversations: all conditions that are set hold. ``text`` occurs in some turn, ``topic`` is the intent of
    some reply; ``since`` and ``until`` hold the moment at which it began, the latter not included."""

    only: Filter = "all"
    text: str = ""
    lang: str = ""
    topic: str = ""
    site: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def everything(self) -> bool:
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class ConversationLine:
    """A conversation as a list shows it."""

    id: int
    state: str
    locale: str
    started: datetime
    last_activity: datetime
    waiting_since: datetime | None
    handover_reason: str | None
    first_text: str
    visitor_id: int
    visitor: str | None  # a name or an address, where one is known
    turns: int
    disliked: bool
    csat: int | None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    lines: tuple[ConversationLine, ...]
    total: int
    page: int

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn with what people thought of it and, for an agent's, who wrote it."""

    turn: Turn
    vote: str | None
    comment: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class ConversationView:
    conversation: Conversation
    visitor: Visitor
    agent: str | None
    turns: tuple[TurnView, ...]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a person has said about a customer's message: it is an example now, or teaches nothing."""

    intent: str | None
    out_of_scope: bool
    status: str  # accepted, ignored, rejected
    by: str | None
    reason: str | None


def decisions(session: Session, turn_ids: Sequence[int]) -> dict[int, Decided]:
    """By the customer's turn; those that nobody has decided about are left out."""
    rows = session.execute(
        select(Example, Intent.name, Person.name)
        .outerjoin(Intent, Intent.id == Example.intent_id)
        .outerjoin(Person, Person.id == Example.labelled_by_id)
        .where(Example.turn_id.in_(turn_ids), Example.status != "unreviewed")
    )
    return {
        example.turn_id: Decided(intent, example.out_of_scope, example.status, by, example.label_reason)
        for example, intent, by in rows
        if example.turn_id is not None
    }


def search_conversations(session: Session, wanted: Wanted, *, page: int = 1) -> ConversationPage:
    """Waiting handovers first (the longest wait on top), then by last activity."""
    where = conditions(wanted)
    total = session.scalar(select(func.count()).select_from(Conversation).where(*where)) or 0
    page = max(1, page)
    first = aliased(Turn)
    opening = (
        select(first.text)
        .where(first.conversation_id == Conversation.id, first.role == "customer")
        .order_by(first.id)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    turns = (
        select(func.count())
        .select_from(Turn)
        .where(Turn.conversation_id == Conversation.id)
        .correlate(Conversation)
        .scalar_subquery()
    )
    waits = case((Conversation.state == "waiting", 0), else_=1)
    wait_start = case((Conversation.state == "waiting", Conversation.handover_at))
    rows = session.execute(
        select(Conversation, opening, turns, disliked(), Visitor.name, Visitor.email)
        .join(Visitor, Visitor.id == Conversation.visitor_id)
        .where(*where)
        .order_by(waits, wait_start, Conversation.last_activity_at.desc(), Conversation.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    )
    lines = tuple(
        ConversationLine(
            id=conversation.id,
            state=conversation.state,
            locale=conversation.locale,
            started=conversation.created_at,
            last_activity=conversation.last_activity_at,
            waiting_since=conversation.handover_at if conversation.state == "waiting" else None,
            handover_reason=conversation.handover_reason,
            first_text=said or "",
            visitor_id=conversation.visitor_id,
            visitor=name or email,
            turns=number,
            disliked=bool(down),
            csat=conversation.csat,
        )
        for conversation, said, number, down, name, email in rows
    )
    return ConversationPage(lines, total, page)


def disliked() -> ColumnElement[bool]:
    """Whether some answer of the conversation got a thumb down."""
    return exists(
        select(Feedback.id)
        .join(Turn, Turn.id == Feedback.turn_id)
        .where(Turn.conversation_id == Conversation.id, Feedback.vote == "down")
        .correlate(Conversation)
    )


def conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    """What the rows of Conversation must fulfil."""
    only, text = wanted.only, wanted.text.strip()
    where: list[ColumnElement[bool]] = []
    mine = Turn.conversation_id == Conversation.id
    if wanted.since is not None:
        where.append(Conversation.created_at >= wanted.since)
    if wanted.until is not None:
        where.append(Conversation.created_at < wanted.until)
    if wanted.lang:
        where.append(exists(select(Turn.id).where(mine, Turn.role == "customer", Turn.lang == wanted.lang)))
    if wanted.topic:
        where.append(exists(select(Turn.id).where(mine, Turn.role == "bot", Turn.intent == wanted.topic)))
    if wanted.site:
        where.append(Conversation.site_id.in_(select(Site.id).where(Site.key == wanted.site)))
    if only in ("waiting", "human", "bot", "closed"):
        where.append(Conversation.state == only)
    elif only == "disliked":
        where.append(disliked())
    elif only == "unknown":
        where.append(
            exists(select(Turn.id).where(Turn.conversation_id == Conversation.id, Turn.kind == "unknown"))
        )
    if text:
        said = Turn.text.icontains(text, autoescape=True)
        where.append(exists(select(Turn.id).where(Turn.conversation_id == Conversation.id, said)))
    return where


def read_conversation(session: Session, conversation_id: int) -> ConversationView:
    """A conversation with all its turns in order. Raises NotFoundError."""
    conversation = session.get(Conversation, conversation_id)
    if conversation is None:
        raise NotFoundError("There is no such conversation", field="conversation", value=conversation_id)
    rows = session.execute(
        select(Turn, Feedback, Person.name)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .outerjoin(Person, Person.id == Turn.person_id)
        .where(Turn.conversation_id == conversation_id)
        .order_by(Turn.id)
    )
    visitor = session.get_one(Visitor, conversation.visitor_id)
    agent = session.get(Person, conversation.agent_id) if conversation.agent_id else None
    return ConversationView(
        conversation,
        visitor,
        agent.name if agent else None,
        tuple(
            TurnView(turn, vote.vote if vote else None, vote.comment if vote else None, name)
            for turn, vote, name in rows
        ),
    )
