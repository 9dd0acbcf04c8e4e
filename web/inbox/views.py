"""What the inbox shows, as plain JSON: the queue, a conversation, colleagues. Words are in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy.orm import Session

from chatbot.dialogue.cards import cards_of
from chatbot.dialogue.danger_texts import RULE as DANGER
from chatbot.dialogue.summary import Said, summarise
from chatbot.dialogue.upset import upset
from chatbot.records.actions import action_titles
from chatbot.records.attachments import attachments_of
from chatbot.records.conversation_search import TurnView, read_conversation
from chatbot.records.inbox import BOXES, MOST, MOST_SHOWN, Box, Line, counts, queue
from chatbot.records.presence import Colleague, colleagues, is_away
from chatbot.records.tables import Conversation, Site, utcnow
from chatbot.records.visitor_history import Talk, earlier_talks
from web.language import LANGUAGES, gettext, page_language
from web.mood import Displeased, nobody
from web.sentences import channel_in_words, reason_in_words
from web.widget_options import WidgetOptions

HERE = timedelta(seconds=40)  # a visitor who was heard of within this is looking on
MOST_TURNS = 300  # the newest are shown
SHOWN_TYPES = ("image/png", "image/jpeg", "image/gif", "image/webp")
SHOWN_BYTES = 5 * 1024 * 1024  # a larger picture is not loaded unasked
_OPEN = ("waiting", "human")


def box_named(name: str | None) -> Box:
    return next((box for box in BOXES if box == name), BOXES[0])


def lines_asked(number: int | None) -> int:
    """How many lines of a box a page wants to see, between the first hundred and the most there are."""
    return min(max(MOST, number or MOST), MOST_SHOWN)


def iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def queue_json(
    session: Session, box: Box, *, person_id: int, most: int = MOST, displeased: Displeased = nobody
) -> dict[str, Any]:
    """A box with the number in each, and everybody who answers. ``more``: there are further ones in it.
    ``displeased``: whether a customer reads so by his messages."""
    people = colleagues(session)
    lines = queue(session, box, person_id=person_id, most=most + 1)
    return {
        "box": box,
        "counts": counts(session, person_id=person_id),
        "lines": [_line(line, people, person_id, displeased) for line in lines[:most]],
        "most": most,
        "more": len(lines) > most,
        "colleagues": [
            {
                "id": one.id,
                "name": one.name,
                "here": one.here,
                "away": one.away,
                "load": one.load,
                "me": one.id == person_id,
            }
            for one in people
        ],
        "away": is_away(session, person_id),
    }


def _line(line: Line, people: Sequence[Colleague], person_id: int, displeased: Displeased) -> dict[str, Any]:
    return {
        "id": line.id,
        "state": line.state,
        "lang": line.locale,
        "reason": reason_in_words(line.reason) if line.state in _OPEN or line.left_message else None,
        "urgent": line.reason == DANGER and (line.state in _OPEN or line.left_message),
        "legal": threatens(line.said),
        "displeased": displeased(line.said),
        "left_message": line.left_message,
        "since": iso(line.since),
        "agent": line.agent if line.state == "human" else None,
        "mine": line.agent_id == person_id,
        "visitor": line.visitor,
        "text": matter(line.said),
        "owed": line.owed,
        "outcome": gettext(f"outcome_{line.outcome}") if line.outcome else None,
        "watched_by": [
            one.name for one in people if one.looks_at == line.id and one.id not in (person_id, line.agent_id)
        ],
    }


@lru_cache(maxsize=1024)  # the queue is looked at every second
def threatens(said: tuple[str, ...]) -> bool:
    """Whether one of the customer's messages threatens with the law."""
    return any(upset(text) == "legal" for text in said)


@lru_cache(maxsize=1024)
def matter(said: tuple[str, ...]) -> str:
    """The newest thing that a customer wants; a mere wish for a person says nothing."""
    wants = summarise([Said("customer", text) for text in said]).wants
    return wants[-1] if wants else (said[-1][:200] if said else "")


def conversation_json(
    session: Session, conversation_id: int, *, person_id: int, displeased: Displeased = nobody
) -> dict[str, Any]:
    """One conversation with everything the agent needs beside the suggestions. Raises NotFoundError."""
    view = read_conversation(session, conversation_id)
    conversation, visitor = view.conversation, view.visitor
    people = colleagues(session)
    titles = action_titles(session, page_language())
    summary = summarise(
        [
            Said.of_turn(
                one.turn.role,
                one.turn.text,
                kind=one.turn.kind,
                reply=one.turn.reply,
                vote=one.vote,
                name=one.agent,
                trace=one.turn.trace,
                actions=titles,
            )
            for one in view.turns
        ]
    )
    shown = view.turns[-MOST_TURNS:]
    left_out = len(view.turns) - len(shown)
    files = attachments_of(session, [one.turn.id for one in shown])
    held = conversation.state == "human"
    return {
        "id": conversation.id,
        "state": conversation.state,
        "state_words": gettext(conversation.state),
        "lang": conversation.locale,
        "attachment_mb": attachment_mb(session, conversation),
        "language": LANGUAGES.get(conversation.locale, conversation.locale),
        "channel": channel_in_words(conversation.channel),
        "page": conversation.page,
        "reason": reason_in_words(conversation.handover_reason) if conversation.handover_at else None,
        "note": conversation.handover_note,
        "since": iso(conversation.left_message_at or conversation.handover_at),
        "left_message": conversation.left_message_at is not None,
        "displeased": displeased(tuple(one.turn.text for one in view.turns if one.turn.role == "customer")),
        "agent": view.agent if held else None,
        "agent_id": conversation.agent_id if held else None,
        "mine": held and conversation.agent_id == person_id,
        "outcome": gettext(f"outcome_{conversation.outcome}") if conversation.outcome else None,
        "csat": conversation.csat,
        "visitor": {
            "id": visitor.id,
            "name": visitor.name,
            "email": visitor.email,
            "signed": visitor.identity is not None,
            "details": _details(session, conversation.site_id, visitor.details),
            "here": visitor.last_seen_at > utcnow() - HERE,
            "seen": iso(visitor.last_seen_at),
            "earlier": [_earlier(talk) for talk in earlier_talks(session, conversation)],
        },
        "summary": summary.lines(page_language()),
        "left_out": left_out,
        "turns": [_turn(one, files.get(one.turn.id)) for one in shown],
        "watched_by": [one.name for one in people if one.looks_at == conversation_id and one.id != person_id],
    }


def _details(session: Session, site_id: int, told: dict[str, Any] | None) -> dict[str, Any]:
    if not told:
        return {}
    options = WidgetOptions.of_site(session.get_one(Site, site_id).options)
    return {gettext(name): value for name, value in options.labelled(told, page_language()).items()}


def _earlier(talk: Talk) -> dict[str, Any]:
    return {
        "id": talk.id,
        "at": iso(talk.last_activity),
        "text": talk.first_text[:200],
        "lang": talk.locale,
        "ended": gettext(f"outcome_{talk.outcome}") if talk.outcome else gettext(talk.state),
        "csat": talk.csat,
        "disliked": talk.disliked,
    }


def attachment_mb(session: Session, conversation: Conversation) -> int:
    """The largest file that its site lets be sent, in MiB."""
    return WidgetOptions.of_site(session.get_one(Site, conversation.site_id).options).attachment_mb


def _turn(one: TurnView, files: list[dict[str, Any]] | None) -> dict[str, Any]:
    turn = one.turn
    parts = (turn.reply or {}).get("parts", ()) if turn.role == "bot" else ()
    return {
        "id": turn.id,
        "role": turn.role,
        "text": turn.text,
        "lang": turn.lang,
        "kind": turn.kind if turn.role == "bot" else None,
        "by": one.agent,
        "at": iso(turn.created_at),
        "vote": one.vote,
        "comment": one.comment,
        "sources": [source["title"] for part in parts for source in part["sources"]],
        "choices": [choice["title"] for part in parts for choice in part["choices"]],
        "cards": cards_of(turn.role, turn.reply),
        "files": [
            {
                "name": file["name"],
                "url": f"/admin/attachments/{file['id']}",
                "bytes": file["bytes"],
                "picture": file["type"] in SHOWN_TYPES and file["bytes"] <= SHOWN_BYTES,
            }
            for file in files or ()
        ],
    }
