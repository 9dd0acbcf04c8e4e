"""Conversations and their turns: what a visitor and the bot said, in order, each exactly once.

Every function works inside the caller's session. Those that change a conversation lock its row first (PostgreSQL;
on SQLite the writing session holds the only write lock already), so that two requests about the same conversation
see each other's result instead of storing a turn twice.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy import Integer, bindparam, func, select, update
from sqlalchemy.orm import Session

from chatbot.dialogue.cards import cards_of
from chatbot.dialogue.trace import PAYLOAD, Reply, Role, Trace
from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.language.normalise import detect_language
from chatbot.records.attachments import attach_to, attachments_of
from chatbot.records.deliveries import tell
from chatbot.records.tables import Conversation, Feedback, Person, Site, Turn, Visitor, utcnow

DEFAULT_SITE = "default"
PAGE = 200
TRANSCRIPT_ROLES: tuple[Role, ...] = ("customer", "bot", "agent")
FILES_ONLY = "files"  # kind of a customer's or an agent's turn that is nothing but files
NOTICE = "notice"  # kind of a bot's turn that says how things stand and answers nothing
NO_HELP: tuple[str, ...] = ("unknown", "choices")  # reply kinds after which the customer has no answer yet

State = Literal["bot", "waiting", "human", "closed"]
Vote = Literal["up", "down"]


# --- sites -----------------------------------------------------------------------------------------------


def ensure_default_site(session: Session, *, name: str = "") -> Site:
    """The site with key ``default``, made at the first start of an installation."""
    site = session.scalar(select(Site).where(Site.key == DEFAULT_SITE))
    if site is None:
        site = Site(key=DEFAULT_SITE, name=name or "Frontdesk", allowed_origins=[], options={})
        session.add(site)
        session.flush()
    return site


def find_site(session: Session, key: str | None) -> Site:
    """The site with this key; without a key the first one, or the only one there is: a client that names none goes on
    as it did when another site is added.

    Raises NotFoundError for an unknown key, InputError where several sites are left to choose from and the first is
    gone.
    """
    if key is not None:
        site = session.scalar(select(Site).where(Site.key == key))
        if site is None:
            raise NotFoundError(
                "No such site", field="site", value=key, remedy="Copy the snippet from the admin area again"
            )
        return site
    first = session.scalar(select(Site).where(Site.key == DEFAULT_SITE))
    if first is not None:
        return first
    sites = session.scalars(select(Site).order_by(Site.id).limit(2)).all()
    if not sites:
        raise NotFoundError("No site has been set up", field="site", remedy="Start the web server once")
    if len(sites) > 1:
        raise InputError("Which site?", field="site", remedy="This installation has several: name one")
    return sites[0]


# --- conversations ---------------------------------------------------------------------------------------

_NAMED = select(Conversation).where(Conversation.public_id == bindparam("public_id"))
_LOCKED = _NAMED.with_for_update()
_WITH_VISITOR = (
    select(Conversation, Visitor)
    .join(Visitor, Visitor.id == Conversation.visitor_id)
    .where(Conversation.public_id == bindparam("public_id"))
)


def start_conversation(
    session: Session,
    *,
    site_id: int,
    token_hash: str,
    locale: str,
    channel: str = "widget",
    page: str | None = None,
    now: datetime | None = None,
) -> Conversation:
    """A new conversation of a new visitor; ``token_hash`` is the SHA-256 of the token that only he gets, ``page`` the
    address of the page on which he begins it."""
    now = now or utcnow()
    visitor = Visitor(site_id=site_id, locale=locale, created_at=now, last_seen_at=now)
    session.add(visitor)
    session.flush()
    conversation = Conversation(
        public_id=secrets.token_urlsafe(16),
        site_id=site_id,
        visitor_id=visitor.id,
        token_hash=token_hash,
        locale=locale,
        channel=channel,
        page=page,
        state="bot",
        created_at=now,
        last_activity_at=now,
    )
    session.add(conversation)
    session.flush()
    return conversation


def find_conversation(session: Session, public_id: str, *, lock: bool = False) -> Conversation:
    """Raises NotFoundError where there is none. ``lock`` keeps others from changing it until the commit."""
    conversation = session.scalar(_LOCKED if lock else _NAMED, {"public_id": public_id})
    if conversation is None:
        raise no_conversation(public_id)
    return conversation


def find_with_visitor(session: Session, public_id: str) -> tuple[Conversation, Visitor]:
    """Raises NotFoundError where there is no such conversation."""
    found = session.execute(_WITH_VISITOR, {"public_id": public_id}).first()
    if found is None:
        raise no_conversation(public_id)
    return found[0], found[1]


def no_conversation(public_id: str) -> NotFoundError:
    return NotFoundError(
        "No such conversation",
        field="conversation",
        value=public_id,
        remedy="It may have been erased: start a new one",
    )


# --- a message and its reply -----------------------------------------------------------------------------

# What every message asks of the database; made once, because making a statement takes longer than running it.
_OF = Turn.conversation_id == bindparam("conversation")
_TURN = bindparam("turn", type_=Integer)
_SEEN = select(Turn).where(_OF, Turn.client_message_id == bindparam("message"))
_OFFERED = select(Turn.reply).where(_OF, Turn.role == "bot").order_by(Turn.id.desc()).limit(1)
_REPLY = select(Turn).where(Turn.reply_to_id == _TURN, Turn.role == "bot")


@dataclass(frozen=True, slots=True)
class Received:
    """A customer's message as stored: ``new`` is false when this client_message_id had come before."""

    turn: Turn
    conversation: Conversation
    new: bool

    @property
    def state(self) -> State:
        return _state(self.conversation)


def receive_message(
    session: Session,
    public_id: str,
    *,
    text: str,
    lang: str,
    client_message_id: str | None,
    files: Sequence[str] = (),
    now: datetime | None = None,
) -> Received:
    """Store the customer's turn, or find it where the same ``client_message_id`` came before.

    ``files`` are uploaded before and hang on the turn from here on; a turn without words says their names.
    A text that is the payload of a choice the bot has just offered is a tap on that choice: the turn says the
    choice's title, as the customer saw it, and keeps the payload beside it (``tapped``).
    A new message reopens a closed conversation, and the bot answers it.
    """
    now = now or utcnow()
    conversation = find_conversation(session, public_id, lock=True)
    if client_message_id is not None:
        seen = session.scalar(_SEEN, {"conversation": conversation.id, "message": client_message_id})
        if seen is not None:
            return Received(seen, conversation, new=False)
    if conversation.state == "closed":
        conversation.state = "bot"
        conversation.closed_at = None
    title = _title_of_choice(session, conversation.id, text) if text.startswith(PAYLOAD) else None
    turn = Turn(
        conversation_id=conversation.id,
        role="customer",
        text=title or text,
        lang=detect_language(title, default=conversation.locale.partition("-")[0]) if title else lang,
        reply={"payload": text} if title else None,
        client_message_id=client_message_id,
        created_at=now,
    )
    session.add(turn)
    session.flush()
    attached = attach_to(session, turn, files)
    if attached and not turn.text:
        turn.kind = FILES_ONLY
        turn.text = ", ".join(row.name for row in attached)
    conversation.last_activity_at = now
    session.execute(update(Visitor).where(Visitor.id == conversation.visitor_id).values(last_seen_at=now))
    session.flush()
    tell(session, "message", conversation, turn=turn, now=now)
    return Received(turn, conversation, new=True)


def tapped(turn: Turn) -> str | None:
    """The payload of the choice that this customer's turn is a tap on."""
    return str(turn.reply["payload"]) if turn.role == "customer" and turn.reply else None


def _title_of_choice(session: Session, conversation_id: int, text: str) -> str | None:
    """Title of the choice with this payload among those that the last bot turn offered."""
    offered = session.scalar(_OFFERED, {"conversation": conversation_id})
    choices = [choice for part in (offered or {}).get("parts", ()) for choice in part["choices"]]
    return next((str(choice["title"]) for choice in choices if choice["payload"] == text), None)


def reply_to(session: Session, turn_id: int) -> Turn | None:
    """The bot's turn that answers this customer's turn."""
    return session.scalar(_REPLY, {"turn": turn_id})


def store_reply(
    session: Session,
    public_id: str,
    *,
    to: int,
    reply: Reply,
    trace: Trace,
    lang: str,
    now: datetime | None = None,
) -> tuple[Turn | None, State]:
    """Store the bot's answer to customer turn ``to`` with its whole trace; returns it and the state from then on.

    Another process may have answered the same message meanwhile: then its reply is returned and nothing stored.
    A person may have taken the conversation meanwhile: then the bot keeps silent and the turn is None.
    A part of kind ``person`` hands the conversation over.
    """
    now = now or utcnow()
    conversation = find_conversation(session, public_id, lock=True)
    stored = reply_to(session, to)
    if stored is not None:
        return stored, _state(conversation)
    if conversation.state in ("waiting", "human"):
        return None, _state(conversation)
    turn = Turn(
        conversation_id=conversation.id,
        role="bot",
        text=reply.text,
        lang=lang,
        reply_to_id=to,
        kind=reply.kind,
        intent=reply.parts[0].intent,
        confidence=reply.parts[0].confidence,
        reply=reply.as_json(),
        trace=trace.as_json(),
        release_id=trace.release,
        milliseconds=sum(trace.milliseconds.values()) if trace.milliseconds else None,
        created_at=now,
    )
    session.add(turn)
    if any(part.kind == "person" for part in reply.parts):
        rule = next((part.rule for part in trace.parts if part.kind == "person"), "bot")
        _hand_over(session, conversation, reason=rule, note=None, now=now)
    conversation.last_activity_at = now
    session.flush()
    tell(session, "message", conversation, turn=turn, now=now)
    return turn, _state(conversation)


# --- reading ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TurnView:
    """One turn as the visitor may see it: no trace, no notes, an agent by name only."""

    id: int
    role: str
    text: str
    kind: str | None
    reply: dict[str, Any] | None
    reply_to: int | None
    client_message_id: str | None
    agent: str | None
    vote: str | None
    files: list[dict[str, Any]] | None
    cards: list[dict[str, Any]] | None  # of an agent's turn
    created_at: datetime


def turns_after(
    session: Session, conversation_id: int, *, after: int = 0, limit: int = PAGE
) -> list[TurnView]:
    """Customer, bot and agent turns with an id above ``after``, in order, at most ``limit``."""
    rows = session.execute(
        select(Turn, Person.name, Feedback.vote)
        .outerjoin(Person, Person.id == Turn.person_id)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(
            Turn.conversation_id == conversation_id,
            Turn.id > after,
            Turn.role.in_(TRANSCRIPT_ROLES),
        )
        .order_by(Turn.id)
        .limit(limit)
    ).all()
    files = attachments_of(session, [turn.id for turn, _, _ in rows if turn.role in ("customer", "agent")])
    return [
        TurnView(
            id=turn.id,
            role=turn.role,
            text=turn.text,
            kind=turn.kind,
            files=files.get(turn.id),
            cards=cards_of("agent", turn.reply) if turn.role == "agent" else None,
            reply=turn.reply if turn.role == "bot" else None,
            reply_to=turn.reply_to_id,
            client_message_id=turn.client_message_id,
            agent=name,
            vote=vote,
            created_at=turn.created_at,
        )
        for turn, name, vote in rows
    ]


def last_turn_id(session: Session, conversation_id: int) -> int:
    """Id of the newest turn a visitor may see, 0 where there is none."""
    newest = session.scalar(
        select(func.max(Turn.id)).where(
            Turn.conversation_id == conversation_id, Turn.role.in_(TRANSCRIPT_ROLES)
        )
    )
    return newest or 0


def visitor_seen(session: Session, conversation_id: int, *, now: datetime | None = None) -> None:
    """The conversation's visitor looks on just now: what an agent has written so far needs no e-mail."""
    whose = select(Conversation.visitor_id).where(Conversation.id == conversation_id).scalar_subquery()
    session.execute(update(Visitor).where(Visitor.id == whose).values(last_seen_at=now or utcnow()))


# --- what a visitor may do besides writing ---------------------------------------------------------------


def give_feedback(
    session: Session,
    public_id: str,
    turn_id: int,
    *,
    vote: Vote,
    comment: str | None,
    now: datetime | None = None,
) -> Feedback:
    """A thumb on one answer; a second one replaces the first. Raises NotFoundError for a turn of another
    conversation, ConflictError for a turn that is no answer."""
    conversation = find_conversation(session, public_id, lock=True)
    turn = session.get(Turn, turn_id)
    if turn is None or turn.conversation_id != conversation.id or turn.role == "note":
        raise NotFoundError("No such turn in this conversation", field="turn_id", value=turn_id)
    if turn.role not in ("bot", "agent"):
        raise ConflictError("Only an answer can be voted on", field="turn_id", value=turn_id)
    feedback = session.scalar(select(Feedback).where(Feedback.turn_id == turn_id))
    if feedback is None:
        feedback = Feedback(turn_id=turn_id, vote=vote, comment=comment, created_at=now or utcnow())
        session.add(feedback)
    else:
        feedback.vote = vote
        feedback.comment = comment if comment is not None else feedback.comment
        feedback.created_at = now or utcnow()
    session.flush()
    return feedback


def hand_over(
    session: Session, public_id: str, *, reason: str, note: str | None = None, now: datetime | None = None
) -> Conversation:
    """Ask for a person: the bot is silent until one takes it, or until the visitor goes back to the bot.

    Asking again while waiting or with a person changes nothing.
    """
    now = now or utcnow()
    conversation = find_conversation(session, public_id, lock=True)
    if conversation.state in ("bot", "closed"):
        _hand_over(session, conversation, reason=reason, note=note, now=now)
        conversation.last_activity_at = now
    session.flush()
    return conversation


def return_to_bot(session: Session, public_id: str, *, now: datetime | None = None) -> Conversation:
    """The visitor does not want to wait any longer. Raises ConflictError when a person has it already."""
    conversation = find_conversation(session, public_id, lock=True)
    if conversation.state == "human":
        raise ConflictError("A person is on this conversation", field="state", value=conversation.state)
    if conversation.state == "waiting":
        conversation.state = "bot"
        conversation.last_activity_at = now or utcnow()
    session.flush()
    return conversation


def close_conversation(
    session: Session,
    public_id: str,
    *,
    csat: int | None = None,
    comment: str | None = None,
    now: datetime | None = None,
) -> Conversation:
    """End it, with the visitor's mark from 1 to 5 if he gave one. Closing twice keeps the first time."""
    now = now or utcnow()
    conversation = find_conversation(session, public_id, lock=True)
    if csat is not None:
        if not 1 <= csat <= 5:
            raise InputError("Not a mark", field="csat", value=csat, remedy="Give 1 to 5")
        conversation.csat = csat
    if comment is not None:
        conversation.csat_comment = comment
    if conversation.state != "closed":
        conversation.state = "closed"
        conversation.closed_at = now
        tell(session, "closed", conversation, now=now)
    session.flush()
    return conversation


def _hand_over(
    session: Session, conversation: Conversation, *, reason: str, note: str | None, now: datetime
) -> None:
    conversation.state = "waiting"
    conversation.handover_reason = reason[:64]
    conversation.handover_note = note
    conversation.handover_at = now
    conversation.agent_id = conversation.closed_at = conversation.outcome = None
    conversation.taken_at = conversation.told_at = None
    session.flush()
    tell(session, "handover", conversation, now=now)


def _state(conversation: Conversation) -> State:
    return cast(State, conversation.state)  # the table's check constraint holds it
