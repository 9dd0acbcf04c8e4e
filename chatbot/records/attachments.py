"""Files that visitors and agents sent: their rows. The bytes lie in the data folder (web/attachments.py)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, LimitError, NotFoundError
from chatbot.records.tables import Attachment, Turn

MOST_A_CONVERSATION = 40
MOST_A_MESSAGE = 5
FROM_AGENT = "agent:"  # begins the client_file_id of an agent's file


def add_attachment(
    session: Session,
    conversation_id: int,
    *,
    name: str,
    media_type: str,
    size: int,
    client_file_id: str | None,
) -> tuple[Attachment, bool]:
    """The row of a file and whether it is new: the same ``client_file_id`` again finds the one that is there.

    Raises LimitError where a conversation holds too many.
    """
    if client_file_id is not None:
        found = session.scalar(
            select(Attachment).where(
                Attachment.conversation_id == conversation_id, Attachment.client_file_id == client_file_id
            )
        )
        if found is not None:
            return found, False
    count = session.scalar(
        select(func.count()).select_from(Attachment).where(Attachment.conversation_id == conversation_id)
    )
    if (count or 0) >= MOST_A_CONVERSATION:
        raise LimitError(
            "This conversation holds too many files",
            field="file",
            code="too_many_files",
            value=count,
            remedy="Start a new conversation",
        )
    row = Attachment(
        public_id=secrets.token_urlsafe(16),
        conversation_id=conversation_id,
        client_file_id=client_file_id,
        name=name,
        media_type=media_type,
        size=size,
    )
    session.add(row)
    session.flush()
    return row, True


def find_attachment(session: Session, public_id: str, *, conversation_id: int | None = None) -> Attachment:
    """Raises NotFoundError where there is none, or where it belongs to another conversation."""
    row = session.scalar(select(Attachment).where(Attachment.public_id == public_id))
    if row is None or conversation_id not in (None, row.conversation_id):
        raise NotFoundError("No such file", field="file", value=public_id, remedy="Send it again")
    return row


def attach_to(session: Session, turn: Turn, public_ids: Iterable[str]) -> list[Attachment]:
    """Hang files that were sent before on the turn that speaks of them, in this order: uploads overtake each other.
    Raises NotFoundError for one that is not of this conversation or not of this side of it, ConflictError for one that
    hangs on another turn."""
    found = []
    for position, public_id in enumerate(dict.fromkeys(public_ids)):
        row = find_attachment(session, public_id, conversation_id=turn.conversation_id)
        if (row.client_file_id or "").startswith(FROM_AGENT) != (turn.role == "agent"):
            raise NotFoundError("No such file", field="file", value=public_id, remedy="Send it again")
        if row.turn_id not in (None, turn.id):
            raise ConflictError(
                "This file was sent with another message",
                field="files",
                value=public_id,
                remedy="Send it again",
            )
        row.turn_id, row.position = turn.id, position
        found.append(row)
    session.flush()
    return found


def attachments_of(session: Session, turn_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """What hangs on each of these turns, as the API shows it; turns without a file are left out."""
    if not turn_ids:
        return {}
    found: dict[int, list[dict[str, Any]]] = {}
    in_order = Attachment.position, Attachment.id
    rows = session.scalars(select(Attachment).where(Attachment.turn_id.in_(turn_ids)).order_by(*in_order))
    for row in rows:
        found.setdefault(row.turn_id or 0, []).append(attachment_json(row))
    return found


def attachment_json(row: Attachment) -> dict[str, Any]:
    return {"id": row.public_id, "name": row.name, "type": row.media_type, "bytes": row.size}


def drop_unsent(session: Session, *, before: datetime) -> None:
    """Forget files that were uploaded before ``before`` and never sent with a message."""
    session.execute(delete(Attachment).where(Attachment.turn_id.is_(None), Attachment.created_at < before))


def known_files(session: Session) -> set[str]:
    """The names of all files that a row speaks of."""
    return set(session.scalars(select(Attachment.public_id)))
