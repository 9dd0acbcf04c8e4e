"""Chatwoot conversations with their messages, as its API tells them.

``message_type`` 0 is incoming, 1 outgoing; 2 (activity) and 3 (template) are dropped, as is what is private. Webhooks
send the words in place of the numbers.
"""

from __future__ import annotations

from typing import Any

from ingest.transcripts.email_text import own_words
from ingest.transcripts.transcript import RowProblem, Transcript, Turn, identifier, labels, text_of

_INCOMING = frozenset({0, "0", "incoming"})
_OUTGOING = frozenset({1, "1", "outgoing"})


def accepts(record: dict[str, Any]) -> bool:
    messages = record.get("messages")
    return isinstance(messages, list) and any(
        isinstance(message, dict) and "message_type" in message for message in messages[:3]
    )


def convert(record: dict[str, Any]) -> Transcript:
    """Raises RowProblem where the conversation has no readable message."""
    turns = []
    for number, message in enumerate(record["messages"], 1):
        if not isinstance(message, dict):
            raise RowProblem(f"Message {number} is no object", value=repr(message), remedy="Export it again")
        if message.get("private"):
            continue
        kind = message.get("message_type")
        if not isinstance(kind, int | str) or kind not in _INCOMING | _OUTGOING:
            continue
        text = own_words(text_of(message.get("content"), where=f"Message {number}"))
        bot = message.get("sender_type") == "AgentBot"
        turns.append(Turn("customer" if kind in _INCOMING else "bot" if bot else "agent", text))
    if not any(turn.text for turn in turns):
        raise RowProblem(
            "The conversation has no public message with text",
            value=identifier(record.get("id")),
            remedy="Leave it out",
        )
    return Transcript(
        identifier(record.get("id")), tuple(turns), tags=labels(record.get("labels")), names=_names(record)
    )


def _names(record: dict[str, Any]) -> tuple[str, ...]:
    meta = record.get("meta")
    sender = meta.get("sender") if isinstance(meta, dict) else None
    name = sender.get("name") if isinstance(sender, dict) else None
    return (name.strip(),) if isinstance(name, str) and name.strip() else ()
