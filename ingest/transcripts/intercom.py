"""Intercom conversations: the first message in ``source``, the others in ``conversation_parts``.

Kept are comments, and openings and closings that say something; notes are internal. Customers are ``user``, ``lead``
or ``contact``, agents ``admin``, and bots are dropped as automatic.
"""

from __future__ import annotations

from typing import Any

from ingest.transcripts.email_text import from_html, own_words
from ingest.transcripts.transcript import RowProblem, Transcript, Turn, identifier, role_of, text_of

_KEPT = frozenset({"comment", "open", "close", "assignment", "quick_reply"})


def accepts(record: dict[str, Any]) -> bool:
    return "conversation_parts" in record or (
        isinstance(record.get("source"), dict) and "author" in record["source"] and "body" in record["source"]
    )


def convert(record: dict[str, Any]) -> Transcript:
    """Raises RowProblem where the conversation has no readable message."""
    turns: list[Turn] = []
    names: list[str] = []
    source = record.get("source")
    if isinstance(source, dict):
        _add(turns, names, source, "The first message")
    for number, part in enumerate(_listed(record.get("conversation_parts"), "conversation_parts"), 1):
        if isinstance(part, dict) and part.get("part_type", "comment") in _KEPT and not part.get("redacted"):
            _add(turns, names, part, f"Part {number}")
    if not any(turn.text for turn in turns):
        raise RowProblem(
            "The conversation has no message with text",
            value=identifier(record.get("id")),
            remedy="Leave it out",
        )
    tags = tuple(
        tag["name"]
        for tag in _listed(record.get("tags"), "tags")
        if isinstance(tag, dict) and isinstance(tag.get("name"), str)
    )
    return Transcript(
        identifier(record.get("id")), tuple(turns), tags=tags, names=tuple(dict.fromkeys(names))
    )


def _add(turns: list[Turn], names: list[str], part: dict[str, Any], where: str) -> None:
    text = own_words(from_html(text_of(part.get("body"), where=where)))
    author = part.get("author")
    if not text or not isinstance(author, dict):
        return
    role = role_of(author.get("type"))
    turns.append(Turn(role, text))
    if role == "customer" and isinstance(author.get("name"), str) and author["name"].strip():
        names.append(author["name"].strip())


def _listed(value: object, key: str) -> list[Any]:
    """A list, or the list under its own name in an envelope, as Intercom writes both."""
    if isinstance(value, dict):
        value = value.get(key)
    return value if isinstance(value, list) else []
