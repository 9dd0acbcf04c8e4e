"""Dialogue rows: one conversation an object, ``{"id", "turns": [{"role", "text"}], "intent"?, "lang"?}``.

Also read: pair rows ``{"context", "response"}`` and labelled messages ``{"text", "intent"}``, which are conversations
of two turns and of one.
"""

from __future__ import annotations

from typing import Any

from ingest.transcripts.transcript import RowProblem, Transcript, Turn, identifier, labels, role_of, text_of


def accepts(record: dict[str, Any]) -> bool:
    return (
        isinstance(record.get("turns"), list)
        or {"context", "response"} <= record.keys()
        or ("text" in record and "intent" in record)
        or _chat_messages(record)
    )


def _chat_messages(record: dict[str, Any]) -> bool:
    messages = record.get("messages")
    return (
        isinstance(messages, list)
        and bool(messages)
        and isinstance(messages[0], dict)
        and "role" in messages[0]
    )


def convert(record: dict[str, Any]) -> Transcript:
    """Raises RowProblem where the row is no conversation."""
    lang = record.get("lang")
    intent = record.get("intent")
    if intent is not None and not isinstance(intent, str):
        raise RowProblem("The intent is no text", value=repr(intent), remedy="Write its name, or null")
    return Transcript(
        id=identifier(record.get("id")),
        turns=_turns(record),
        tag=(intent or "").strip() or None,
        lang=lang if isinstance(lang, str) and lang else None,
        tags=labels(record.get("tags")),
    )


def _turns(record: dict[str, Any]) -> tuple[Turn, ...]:
    turns = record.get("turns", record.get("messages"))
    if turns is None:
        if "response" in record:
            pair = (("customer", record.get("context")), ("agent", record["response"]))
            found = tuple(Turn(role, text_of(text, where=f"The {role}'s text")) for role, text in pair)
        elif "text" in record:
            found = (Turn("customer", text_of(record["text"], where="The text")),)
        else:
            raise RowProblem(
                "The row has no turns", value=sorted(record)[:6], remedy='Give "turns": [{"role", "text"}, …]'
            )
    elif not isinstance(turns, list):
        raise RowProblem(
            "The turns are no list", value=repr(turns), remedy='Give "turns": [{"role", "text"}, …]'
        )
    else:
        found = tuple(_turn(turn, number) for number, turn in enumerate(turns, 1))
    if not any(turn.text.strip() for turn in found):
        raise RowProblem(
            "The conversation has no text", value=identifier(record.get("id")), remedy="Leave this row out"
        )
    return found


def _turn(turn: object, number: int) -> Turn:
    if not isinstance(turn, dict):
        raise RowProblem(f"Turn {number} is no object", value=repr(turn), remedy='Write {"role", "text"}')
    for key in ("text", "content", "body", "message"):
        if key in turn:
            return Turn(
                role_of(turn.get("role", turn.get("author"))), text_of(turn[key], where=f"Turn {number}")
            )
    raise RowProblem(f"Turn {number} has no text", value=sorted(turn)[:6], remedy='Give every turn a "text"')
