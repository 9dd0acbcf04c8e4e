"""The agents' side of a conversation: the queue, taking one, answering, notes, passing it on, closing it.

Exactly one person has a conversation at a time. ``take`` is the only way in; it locks the row first, so that of two
agents who reach for the same one the second is told who was quicker, and nobody but its holder can answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from chatbot.dialogue.cards import Card
from chatbot.dialogue.danger_texts import RULE as DANGER
from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.records import audit
from chatbot.records.attachments import attach_to
from chatbot.records.conversations import FILES_ONLY
from chatbot.records.deliveries import mail_unless_seen, tell
from chatbot.records.people import at_least
from chatbot.records.said import said_in
from chatbot.records.tables import Conversation, Person, Turn, Visitor, utcnow

Box = Literal["waiting", "mine", "open", "closed"]
BOXES: tuple[Box, ...] = ("waiting", "mine", "open", "closed")
OUTCOMES = ("solved", "unsolved", "no_answer", "spam")
MOST = 100  # conversations of a box that are shown at first, and each time somebody asks for more
MOST_SHOWN = 1000  # at once, since all of them are looked at with every change
REPLY_LIMIT = 8000  # characters
_CLIENT_ID = "agent:"  # agents' message ids live beside the visitors' in one column


# --- the queue -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A conversation as the queue shows it. ``since`` is when the visitor began to wait, ``said`` what he wrote, and
    ``owed`` whether the last word is his."""

    id: int
    state: str
    locale: str
    reason: str | None
    left_message: bool
    since: datetime | None
    last_activity: datetime
    agent_id: int | None
    agent: str | None
    visitor: str | None
    said: tuple[str, ...]
    owed: bool
    outcome: str | None


def queue(session: Session, box: Box, *, person_id: int, most: int = MOST) -> list[Line]:
    """The first conversations of a box: a danger to life, then who has waited longest; of the closed the newest."""
    last = aliased(Turn)
    last_role = (
        select(last.role)
        .where(last.conversation_id == Conversation.id, last.role.in_(("customer", "agent")))
        .order_by(last.id.desc())
        .limit(1)
        .correlate(Conversation)
        .scalar_subquery()
    )
    since = func.coalesce(Conversation.left_message_at, Conversation.handover_at)
    order = (
        [Conversation.closed_at.desc(), Conversation.id.desc()]
        if box == "closed"
        else [case((Conversation.handover_reason == DANGER, 0), else_=1), since, Conversation.id]
    )
    rows = session.execute(
        select(Conversation, Visitor.name, Visitor.email, Person.name, last_role)
        .join(Visitor, Visitor.id == Conversation.visitor_id)
        .outerjoin(Person, Person.id == Conversation.agent_id)
        .where(_in_box(box, person_id))
        .order_by(*order)
        .limit(most)
    ).all()
    said = said_in(session, [row[0].id for row in rows])
    return [
        Line(
            id=one.id,
            state=one.state,
            locale=one.locale,
            reason=one.handover_reason,
            left_message=one.left_message_at is not None,
            since=one.left_message_at or one.handover_at,
            last_activity=one.last_activity_at,
            agent_id=one.agent_id,
            agent=agent,
            visitor=name or email,
            said=tuple(said.get(one.id, ())),
            owed=role == "customer",
            outcome=one.outcome,
        )
        for one, name, email, agent, role in rows
    ]


def counts(session: Session, *, person_id: int) -> dict[str, int]:
    """How many conversations lie in each box that is worked through."""
    return {
        box: session.scalar(select(func.count()).select_from(Conversation).where(_in_box(box, person_id)))
        or 0
        for box in BOXES
        if box != "closed"
    }


def _in_box(box: Box, person_id: int) -> ColumnElement[bool]:
    here = Conversation.external_id.is_(None)  # what another helpdesk's agents answer is theirs
    if box == "waiting":
        left = and_(Conversation.left_message_at.is_not(None), Conversation.state != "human")
        return and_(here, or_(Conversation.state == "waiting", left))
    if box == "mine":
        return and_(here, Conversation.state == "human", Conversation.agent_id == person_id)
    if box == "open":
        return and_(here, Conversation.state == "human")
    return and_(here, Conversation.state == "closed", Conversation.taken_at.is_not(None))


# --- having one ------------------------------------------------------------------------------------------


def take(
    session: Session, conversation_id: int, person: Person, *, now: datetime | None = None
) -> Conversation:
    """Make the conversation the person's: from the queue, from the bot, or a closed one again. Taking what one has
    already changes nothing.

    Raises ConflictError (``taken``) with the name of whoever has it.
    """
    now = now or utcnow()
    conversation = _locked(session, conversation_id)
    _refuse_other_holder(session, conversation, person.id)
    if conversation.state != "human":
        _give(conversation, person.id, now=now)
        _audit(session, "take", conversation, person.id)
    session.flush()
    return conversation


def reply(
    session: Session,
    conversation_id: int,
    person: Person,
    *,
    text: str,
    client_message_id: str,
    lang: str,
    origin: str,
    cards: Sequence[Card] = (),
    files: Sequence[str] = (),
    now: datetime | None = None,
) -> Turn:
    """Store the person's answer, once for each ``client_message_id``; who answers what nobody has, takes it. ``files``
    were uploaded before and hang on it; an answer without words says their names.

    An absent visitor gets it by e-mail. Raises ConflictError where somebody else has the conversation, InputError for
    a text that is empty or too long.
    """
    now = now or utcnow()
    text = _checked(text) if text.strip() or not files else ""
    conversation = _locked(session, conversation_id)
    stored = session.scalar(
        select(Turn).where(
            Turn.conversation_id == conversation_id,
            Turn.client_message_id == _CLIENT_ID + client_message_id,
        )
    )
    if stored is not None:
        return stored
    _refuse_other_holder(session, conversation, person.id)
    if conversation.state != "human":
        _give(conversation, person.id, now=now)
        _audit(session, "take", conversation, person.id)
    turn = Turn(
        conversation_id=conversation_id,
        role="agent",
        text=text,
        lang=lang,
        reply={"cards": [card.as_json() for card in cards]} if cards else None,
        client_message_id=_CLIENT_ID + client_message_id,
        person_id=person.id,
        created_at=now,
    )
    session.add(turn)
    conversation.last_activity_at = now
    session.flush()
    attached = attach_to(session, turn, files)
    if attached and not text:
        turn.kind, turn.text = FILES_ONLY, ", ".join(row.name for row in attached)
        session.flush()
    tell(session, "message", conversation, turn=turn, by=person.name, now=now)
    mail_unless_seen(session, conversation, turn, origin=origin, now=now)
    return turn


def add_note(
    session: Session, conversation_id: int, person: Person, text: str, *, now: datetime | None = None
) -> Turn:
    """A line for colleagues: no visitor, no model and no webhook ever reads it. Anybody may add one."""
    _locked(session, conversation_id)
    turn = Turn(
        conversation_id=conversation_id,
        role="note",
        text=_checked(text),
        person_id=person.id,
        created_at=now or utcnow(),
    )
    session.add(turn)
    session.flush()
    return turn


def assign(
    session: Session,
    conversation_id: int,
    by: Person,
    *,
    to: Person,
    holder: int | None,
    note: str = "",
    now: datetime | None = None,
) -> Conversation:
    """Give the conversation to ``to``. ``holder`` is who had it as the giver saw it: where that has changed meanwhile
    nothing happens, and ConflictError names whoever has it now. Raises InputError where ``to`` may not answer."""
    now = now or utcnow()
    if not to.active or not at_least(to.role, "agent"):
        raise InputError(
            "This person cannot answer customers", field="person", value=to.name, remedy="Choose another one"
        )
    conversation = _locked(session, conversation_id)
    present = conversation.agent_id if conversation.state == "human" else None
    if present != holder:
        raise _taken(session, conversation)
    _give(conversation, to.id, now=now)
    _audit(session, "assign", conversation, by.id, to=to.name)
    if note.strip():
        add_note(session, conversation_id, by, note, now=now)
    session.flush()
    return conversation


def put_back(
    session: Session,
    conversation_id: int,
    person: Person,
    *,
    to: Literal["queue", "bot"],
    note: str = "",
    now: datetime | None = None,
) -> Conversation:
    """The holder gives it up: to whoever takes it next, or to the bot. Raises ConflictError where he has it not."""
    now = now or utcnow()
    conversation = _locked(session, conversation_id)
    _refuse_other_holder(session, conversation, person.id)
    if to == "bot":
        conversation.state = "bot"
        conversation.left_message_at = None
    else:
        conversation.state, conversation.handover_reason = "waiting", "transferred"
        conversation.handover_at, conversation.handover_note = now, note.strip() or None
        conversation.told_at = None
    conversation.agent_id = None
    conversation.last_activity_at = now
    _audit(session, "put_back", conversation, person.id, to=to)
    if note.strip():
        add_note(session, conversation_id, person, note, now=now)
    session.flush()
    if to == "queue":
        tell(session, "handover", conversation, by=person.name, now=now)
    return conversation


def close(
    session: Session,
    conversation_id: int,
    person: Person,
    *,
    outcome: str,
    now: datetime | None = None,
) -> Conversation:
    """End it with what came of it. Whoever has it may, and anybody where nobody has it. Raises InputError for an
    outcome that is none, ConflictError."""
    now = now or utcnow()
    if outcome not in OUTCOMES:
        raise InputError(
            "There is no such outcome",
            field="outcome",
            value=outcome,
            remedy=f"Use one of {', '.join(OUTCOMES)}",
        )
    conversation = _locked(session, conversation_id)
    _refuse_other_holder(session, conversation, person.id)
    conversation.state, conversation.closed_at, conversation.outcome = "closed", now, outcome
    conversation.left_message_at = None
    conversation.agent_id = conversation.agent_id or person.id
    conversation.taken_at = conversation.taken_at or now
    _audit(session, "close", conversation, person.id, outcome=outcome)
    session.flush()
    tell(session, "closed", conversation, by=person.name, now=now)
    return conversation


def holds(conversation: Conversation, person: Person) -> bool:
    """Whether the conversation is the person's just now."""
    return conversation.state == "human" and conversation.agent_id == person.id


def _give(conversation: Conversation, person_id: int, *, now: datetime) -> None:
    conversation.state, conversation.agent_id = "human", person_id
    conversation.taken_at = conversation.taken_at or now
    conversation.left_message_at = conversation.closed_at = conversation.outcome = None
    conversation.last_activity_at = now


def _locked(session: Session, conversation_id: int) -> Conversation:
    found = session.scalar(
        select(Conversation)
        .where(Conversation.id == conversation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotFoundError(
            "There is no such conversation",
            field="conversation",
            value=conversation_id,
            remedy="It may have been erased",
        )
    return found


def _refuse_other_holder(session: Session, conversation: Conversation, person_id: int) -> None:
    if conversation.state == "human" and conversation.agent_id not in (None, person_id):
        raise _taken(session, conversation)


def _taken(session: Session, conversation: Conversation) -> ConflictError:
    holder = session.get(Person, conversation.agent_id) if conversation.agent_id else None
    if conversation.state != "human" or holder is None:
        return ConflictError(
            "Nobody has this conversation any more", code="not_taken", remedy="Look at it again"
        )
    return ConflictError(
        f"{holder.name} has this conversation",
        code="taken",
        field="agent",
        value=holder.name,
        remedy="Take another one, or ask for it to be passed on",
    )


def _checked(text: str) -> str:
    text = text.replace("\x00", "").strip()
    if not text:
        raise InputError("The message is empty", field="text", remedy="Write something")
    if len(text) > REPLY_LIMIT:
        raise InputError(
            f"The message is too long: {len(text)} characters",
            field="text",
            remedy=f"Write at most {REPLY_LIMIT} characters, or send it in parts",
        )
    return text


def _audit(session: Session, what: str, conversation: Conversation, person_id: int, **detail: str) -> None:
    audit.record(
        session,
        action=f"conversation.{what}",
        subject=f"conversation {conversation.id}",
        person_id=person_id,
        detail=detail,
    )
