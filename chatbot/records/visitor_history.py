"""What is known of a visitor: who, every conversation page by page, in which languages, from which pages, and files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
from sqlalchemy.orm import Session, aliased

from chatbot.errors import NotFoundError
from chatbot.records.conversation_search import disliked
from chatbot.records.tables import Attachment, Conversation, Person, Site, Turn, Visitor

PAGE_SIZE = 20  # conversations, files
LAST = 3  # earlier conversations beside the one that an agent reads
MOST_PAGES = 10  # of the company's website, the most frequent first


@dataclass(frozen=True, slots=True)
class Talk:
    """One of the visitor's conversations, with what came of it."""

    id: int
    public_id: str
    state: str
    locale: str
    channel: str
    page: str | None
    started: datetime
    last_activity: datetime
    first_text: str
    turns: int
    agent: str | None
    outcome: str | None
    csat: int | None
    csat_comment: str | None
    disliked: bool


@dataclass(frozen=True, slots=True)
class TalkPage:
    """``older`` is where the next page begins (a conversation's id); None: this was the last."""

    talks: tuple[Talk, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class SentFile:
    id: int
    public_id: str
    name: str
    media_type: str
    size: int  # bytes
    at: datetime
    conversation_id: int


@dataclass(frozen=True, slots=True)
class FilePage:
    files: tuple[SentFile, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of the company's website, each with how many conversations began on it."""

    most: tuple[tuple[str, int], ...]
    others: int  # further pages


@dataclass(frozen=True, slots=True)
class VisitorView:
    visitor: Visitor
    site: Site
    conversations: int
    languages: tuple[tuple[str, int], ...]  # of the conversations' first messages, the most frequent first
    pages: Pages


def read_visitor(session: Session, visitor_id: int) -> VisitorView:
    """Raises NotFoundError."""
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFoundError(
            "There is no such visitor",
            field="visitor",
            value=visitor_id,
            remedy="It may have been erased",
        )
    of = Conversation.visitor_id == visitor_id
    number = func.count()
    first = (
        select(func.min(Turn.id))
        .join(Conversation, Conversation.id == Turn.conversation_id)
        .where(of, Turn.role == "customer")
        .group_by(Turn.conversation_id)
    )
    languages = session.execute(
        select(Turn.lang, number)
        .where(Turn.id.in_(first))
        .group_by(Turn.lang)
        .order_by(number.desc(), Turn.lang)
    ).all()
    pages = session.execute(
        select(Conversation.page, number)
        .where(of, Conversation.page.is_not(None))
        .group_by(Conversation.page)
        .order_by(number.desc(), Conversation.page)
    ).all()
    return VisitorView(
        visitor,
        session.get_one(Site, visitor.site_id),
        session.scalar(select(number).select_from(Conversation).where(of)) or 0,
        tuple((lang, count) for lang, count in languages),
        Pages(
            tuple((page, count) for page, count in pages[:MOST_PAGES] if page),
            max(0, len(pages) - MOST_PAGES),
        ),
    )


def talks_of(
    session: Session, visitor_id: int, *, before: int | None = None, limit: int = PAGE_SIZE
) -> TalkPage:
    """The visitor's conversations, newest first; ``before`` is the ``older`` of the page before."""
    statement = (
        select(Conversation, _opening(), _said(), Person.name, disliked())
        .outerjoin(Person, Person.id == Conversation.agent_id)
        .where(Conversation.visitor_id == visitor_id)
    )
    if before is not None:
        statement = statement.where(Conversation.id < before)
    rows = session.execute(statement.order_by(Conversation.id.desc()).limit(limit + 1)).all()
    talks = tuple(
        Talk(
            id=one.id,
            public_id=one.public_id,
            state=one.state,
            locale=one.locale,
            channel=one.channel,
            page=one.page,
            started=one.created_at,
            last_activity=one.last_activity_at,
            first_text=text or "",
            turns=turns,
            agent=agent,
            outcome=one.outcome,
            csat=one.csat,
            csat_comment=one.csat_comment,
            disliked=bool(down),
        )
        for one, text, turns, agent, down in rows[:limit]
    )
    return TalkPage(talks, talks[-1].id if len(rows) > limit else None)


def earlier_talks(session: Session, conversation: Conversation) -> list[Talk]:
    """The visitor's last conversations before this one, at most three, newest first."""
    return list(talks_of(session, conversation.visitor_id, before=conversation.id, limit=LAST).talks)


def files_of(
    session: Session, visitor_id: int, *, before: int | None = None, limit: int = PAGE_SIZE
) -> FilePage:
    """What the visitor has sent, newest first; files that he never sent with a message are left out."""
    statement = (
        select(Attachment)
        .join(Conversation, Conversation.id == Attachment.conversation_id)
        .where(Conversation.visitor_id == visitor_id, Attachment.turn_id.is_not(None))
    )
    if before is not None:
        statement = statement.where(Attachment.id < before)
    rows = session.scalars(statement.order_by(Attachment.id.desc()).limit(limit + 1)).all()
    files = tuple(_sent(row) for row in rows[:limit])
    return FilePage(files, files[-1].id if len(rows) > limit else None)


def files_in(session: Session, conversation_ids: Sequence[int]) -> dict[int, tuple[SentFile, ...]]:
    """What was sent in each of these conversations, oldest first; those without a file are left out."""
    rows = session.scalars(
        select(Attachment)
        .where(Attachment.conversation_id.in_(conversation_ids), Attachment.turn_id.is_not(None))
        .order_by(Attachment.id)
    )
    found: dict[int, tuple[SentFile, ...]] = {}
    for row in rows:
        found[row.conversation_id] = (*found.get(row.conversation_id, ()), _sent(row))
    return found


def _sent(row: Attachment) -> SentFile:
    return SentFile(
        row.id, row.public_id, row.name, row.media_type, row.size, row.created_at, row.conversation_id
    )


def _opening() -> ScalarSelect[str]:
    first = aliased(Turn)
    return (
        select(first.text)
        .where(first.conversation_id == Conversation.id, first.role == "customer")
        .order_by(first.id)
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )


def _said() -> ScalarSelect[int]:
    said = aliased(Turn)
    return (
        select(func.count())
        .select_from(said)
        .where(said.conversation_id == Conversation.id, said.role != "note")
        .correlate(Conversation)
        .scalar_subquery()
    )
