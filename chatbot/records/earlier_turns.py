"""What was said before a message, as the bot needs it: read once, for the history, the failures and the actions alike.

Every message asks for it. Most of it is traces, which the database hands over as text to be parsed: three readings of
the same rows took a tenth of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Integer, bindparam, func, select
from sqlalchemy.orm import Session

from chatbot.dialogue.actions import Said, Talk
from chatbot.dialogue.trace import ActionTrace, Message, Role, bot_message
from chatbot.records.conversations import NO_HELP, NOTICE, TRANSCRIPT_ROLES
from chatbot.records.tables import Conversation, Turn, Visitor

LIMIT = 24  # turns; the models read fewer, and an action looks back as far

_TURN = bindparam("turn", type_=Integer)
_PLACE = func.coalesce(Turn.reply_to_id, Turn.id)  # a reply stands where the message stands that it answers
_BEFORE = (  # made once: making a statement takes longer than running it
    select(Turn.id, Turn.role, Turn.kind, Turn.text, Turn.reply_to_id, Turn.trace, Turn.reply)
    .where(
        Turn.conversation_id == bindparam("conversation"),
        Turn.role.in_((*TRANSCRIPT_ROLES, "action")),
        Turn.id != _TURN,
        _PLACE < _TURN,
    )
    .order_by(_PLACE.desc(), Turn.id.desc())
    .limit(LIMIT)
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """One turn before the message; ``answers``: whether it is the bot's reply to a message."""

    id: int
    role: str
    kind: str | None
    text: str
    answers: bool
    trace: Mapping[str, Any]
    reply: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Before:
    """The turns before a message, newest first, at most ``LIMIT``: earlier ones, and replies to earlier ones that came
    in late. A customer who writes twice in a row is answered in order, so a reply may carry a higher id than the
    message it was not meant for."""

    turns: tuple[Earlier, ...]

    def history(self) -> list[Message]:
        """What the models read, oldest first: no notices, no notes."""
        return [_message(turn) for turn in reversed(self.turns) if turn.kind != NOTICE]

    def failures(self) -> int:
        """How many replies in a row, up to the message, left the customer without an answer."""
        count = 0
        for turn in self.turns:
            if turn.answers:
                if turn.kind not in NO_HELP:
                    break
                count += 1
        return count

    def talk(self, conversation: Conversation, visitor: Visitor, turn_id: int) -> Talk:
        """What an action must know: who speaks, what he said, where an action stands."""
        turns = [turn for turn in self.turns if turn.role in ("customer", "bot")]
        newest = next((turn for turn in turns if turn.role == "bot"), None)
        pending = _action_of(newest.trace) if newest is not None else None
        offered: tuple[Any, Any] = ((), ())
        if newest is not None:
            offered = newest.reply.get("suggestions", ()), newest.trace.get("suggested", ())
        return Talk(
            conversation=conversation.public_id,
            turn_id=turn_id,
            said=_said(turns),
            pending=pending,
            identity=visitor.identity,
            email=visitor.email if visitor.identity is not None else None,
            topics=_topics(list(reversed(turns))),
            offered=dict(zip(*offered, strict=False)),
        )


def turns_before(session: Session, turn: Turn) -> Before:
    rows = session.execute(_BEFORE, {"conversation": turn.conversation_id, "turn": turn.id}).all()
    return Before(
        tuple(
            Earlier(
                number, role, kind, text, role == "bot" and reply_to is not None, trace or {}, reply or {}
            )
            for number, role, kind, text, reply_to, trace, reply in rows
        )
    )


def _message(turn: Earlier) -> Message:
    topic = _topic_of(turn.trace)
    if turn.role != "bot":
        return Message(cast(Role, turn.role), turn.text, topic)
    return bot_message(turn.text, topic, _perhaps_of(turn.trace), turn.reply, turn.trace)


def _topic_of(trace: Mapping[str, Any]) -> str | None:
    """What a bot's turn answered last."""
    return next((topic for part in reversed(trace.get("parts", ())) if (topic := part.get("topic"))), None)


def _perhaps_of(trace: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """What the customer may have meant, where a bot's turn answered nothing."""
    parts = trace.get("parts", ())
    if not parts or _topic_of(trace) is not None:
        return ()
    return tuple((str(name), float(probability)) for name, probability in parts[-1].get("perhaps", ()))


def _said(turns: list[Earlier]) -> tuple[Said, ...]:
    """The customer's turns, oldest first, each with the action that it was said to. Read backwards: what the reply
    took for something else was said to none, and no answer to what the action had asked for."""
    said: list[Said] = []
    messages: list[Earlier] = []
    behind: list[ActionTrace] | None = None  # the actions of the reply to these messages
    for turn in turns:
        if turn.role == "customer":
            messages.append(turn)
            continue
        actions = _actions_of(turn.trace)
        waits = _waiting(actions)
        taken = waits is not None and (behind is None or any(_goes_on(waits, one) for one in behind))
        of = waits.name if waits is not None and taken else ""
        asked = waits.asked if waits is not None and taken and _answered(waits, behind or ()) else None
        said += [Said(one.text, asked, of, one.id) for one in messages]
        messages, behind = [], actions
    said += [Said(one.text, turn=one.id) for one in messages]
    return tuple(reversed(said))


def _goes_on(waits: ActionTrace, after: ActionTrace) -> bool:
    return after.name == waits.name and after.state != "paused" and not after.aside


def _answered(waits: ActionTrace, behind: Sequence[ActionTrace]) -> bool:
    """Whether what was said to the action is an answer to its question. After another question in between any words
    may be said to it: they are one where it goes on to the next, or shows something else."""
    return waits.state == "asking" or any(
        _goes_on(waits, one) and (one.asked != waits.asked or one.shown != waits.shown) for one in behind
    )


def _topics(turns: list[Earlier]) -> tuple[tuple[str, str], ...]:
    """What was answered, oldest first, with what was said since the answer before, its own words included."""
    found: list[tuple[str, str]] = []
    said: list[str] = []
    for turn in turns:
        said.append(turn.text)
        name = next((part["topic"] for part in turn.trace.get("parts", ()) if part.get("topic")), None)
        if turn.role == "bot" and name:
            found.append((str(name), " ".join(said)))
            said = []
    return tuple(found)


def _actions_of(trace: Mapping[str, Any]) -> list[ActionTrace]:
    return [ActionTrace.from_json(kept) for part in trace.get("parts", ()) if (kept := part.get("action"))]


def _waiting(actions: list[ActionTrace]) -> ActionTrace | None:
    """The one that waits for an answer."""
    return next((action for action in reversed(actions) if action.open), None)


def _action_of(trace: Mapping[str, Any]) -> ActionTrace | None:
    """Where an action stands behind a stored trace: the one that waits for an answer, else the last."""
    actions = _actions_of(trace)
    return _waiting(actions) or (actions[-1] if actions else None)
