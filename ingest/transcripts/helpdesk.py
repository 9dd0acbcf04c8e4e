"""Zendesk-like helpdesk exports: tickets with their comments inline.

The customer is who requested the ticket (``author_id == requester_id``); internal notes (``public: false``) are left
out; ``description`` repeats the first comment and counts only where there are no comments.
"""

from __future__ import annotations

from typing import Any

from ingest.transcripts.email_text import from_html, own_words
from ingest.transcripts.transcript import RowProblem, Transcript, Turn, identifier, labels, text_of


def accepts(record: dict[str, Any]) -> bool:
    return "requester_id" in record and ("comments" in record or "description" in record)


def convert(ticket: dict[str, Any]) -> Transcript:
    """Raises RowProblem where the ticket has no readable message."""
    comments = ticket.get("comments")
    if comments is None:
        comments = []
    if not isinstance(comments, list):
        raise RowProblem(
            "The comments are no list", value=repr(comments), remedy="Export tickets with comments"
        )
    requester = ticket.get("requester_id")
    turns = []
    for number, comment in enumerate(comments, 1):
        turn = _turn(comment, number, requester)
        if turn is not None:
            turns.append(turn)
    if not turns and not comments:
        turns = [Turn("customer", own_words(text_of(ticket.get("description"), where="The description")))]
    if not any(turn.text for turn in turns):
        raise RowProblem(
            "The ticket has no public message with text",
            value=identifier(ticket.get("id")),
            remedy="Leave it out, or export its comments as well",
        )
    lang = ticket.get("lang", ticket.get("locale"))
    return Transcript(
        id=identifier(ticket.get("id")),
        turns=tuple(turns),
        lang=lang.split("-")[0].lower() if isinstance(lang, str) and lang else None,
        tags=labels(ticket.get("tags")),
        names=_names(ticket),
    )


def _turn(comment: object, number: int, requester: object) -> Turn | None:
    if not isinstance(comment, dict):
        raise RowProblem(f"Comment {number} is no object", value=repr(comment), remedy="Export it again")
    if comment.get("public") is False:
        return None
    text = ""
    for key in ("plain_body", "body", "html_body"):
        text = text_of(comment.get(key), where=f"Comment {number}")
        if text:
            text = own_words(from_html(text) if key == "html_body" else text)
            break
    if comment.get("author_id") == requester and requester is not None:
        return Turn("customer", text)
    author = comment.get("author")
    kind = str(author.get("role", "")) if isinstance(author, dict) else ""
    return Turn("bot" if comment.get("author_id") == -1 or kind == "bot" else "agent", text)


def _names(ticket: dict[str, Any]) -> tuple[str, ...]:
    """The requester's name, where the export has it."""
    people = [ticket.get("requester")]
    via = ticket.get("via")
    if isinstance(via, dict) and isinstance(via.get("source"), dict):
        people.append(via["source"].get("from"))
    names = [person.get("name") for person in people if isinstance(person, dict)]
    return tuple(name for name in names if isinstance(name, str) and name.strip())
