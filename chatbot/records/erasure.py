"""Customers' rights over what they wrote (GDPR articles 15, 17 and 5(1)(e)): finding a person, telling everything that
is kept of them, erasing it, and forgetting by itself what is older than the rule of the site.

A person is a row of visitors with its conversations. Whatever was learned from these (examples, transcripts, article
questions) goes with them, and every release that was trained while it was there is marked: its weights cannot forget,
the next training can.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from chatbot.errors import InputError, NotFoundError
from chatbot.records import audit
from chatbot.records.database import Database
from chatbot.records.knowledge import log_change
from chatbot.records.tables import (
    ArticleQuestion,
    Attachment,
    Conversation,
    Example,
    Feedback,
    Intent,
    Release,
    Site,
    Transcript,
    Turn,
    Visitor,
    utcnow,
)

MOST_FOUND = 50
MIN_SEARCH = 3  # characters
BATCH = 200  # conversations erased in one transaction
_LOG = "erasures.jsonl"


@dataclass(frozen=True, slots=True)
class Found:
    """A person as the search shows them."""

    visitor_id: int
    site: str
    identity: str | None
    name: str | None
    email: str | None
    conversations: int
    last_seen_at: datetime


@dataclass(frozen=True, slots=True)
class Erased:
    """What is gone. ``files`` are the public ids of sent files, whose bytes the caller removes; ``releases`` were
    trained while something of the person's was there; ``emptied`` are the intents that have no example left, without
    which the next release does not pass the gate."""

    visitors: int = 0
    conversations: int = 0
    turns: int = 0
    examples: int = 0
    files: tuple[str, ...] = ()
    releases: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()


def find_people(session: Session, text: str, *, skip: int = 0, limit: int = MOST_FOUND) -> list[Found]:
    """Who this may be about: by the company's id, e-mail address, name, a conversation's id, or something written.

    The newest first, at most ``limit``; ``skip`` are those of the pages before. Raises InputError for a text too short
    to mean anybody.
    """
    text = text.strip()
    if len(text) < MIN_SEARCH:
        raise InputError(
            "This is too short to find a person by",
            field="q",
            value=text,
            remedy=f"Write at least {MIN_SEARCH} characters of an e-mail address, a name, an id or a message",
        )
    wrote = exists().where(
        Conversation.visitor_id == Visitor.id,
        Turn.conversation_id == Conversation.id,
        Turn.role == "customer",
        Turn.text.icontains(text, autoescape=True),
    )
    named = exists().where(Conversation.visitor_id == Visitor.id, Conversation.public_id == text)
    rows = session.execute(
        select(Visitor, Site.key, _conversation_count())
        .join(Site, Site.id == Visitor.site_id)
        .where(
            or_(
                Visitor.identity == text,
                Visitor.email.icontains(text, autoescape=True),
                Visitor.name.icontains(text, autoescape=True),
                named,
                wrote,
            )
        )
        .order_by(Visitor.last_seen_at.desc(), Visitor.id.desc())
        .offset(skip)
        .limit(limit)
    ).all()
    return [
        Found(row.id, site, row.identity, row.name, row.email, count, row.last_seen_at)
        for row, site, count in rows
    ]


def _conversation_count() -> Any:
    return (
        select(func.count())
        .select_from(Conversation)
        .where(Conversation.visitor_id == Visitor.id)
        .scalar_subquery()
    )


def export_person(session: Session, visitor_id: int) -> dict[str, Any]:
    """Everything kept of a person, as plain JSON: who, and every conversation word for word, with what was decided
    about it. Raises NotFoundError."""
    visitor = _visitor(session, visitor_id)
    conversations = session.scalars(
        select(Conversation).where(Conversation.visitor_id == visitor_id).order_by(Conversation.id)
    ).all()
    return {
        "person": {
            "identity": visitor.identity,
            "name": visitor.name,
            "email": visitor.email,
            "details": visitor.details or {},
            "locale": visitor.locale,
            "first_seen": _iso(visitor.created_at),
            "last_seen": _iso(visitor.last_seen_at),
        },
        "conversations": [_conversation(session, row) for row in conversations],
        "exported_at": _iso(utcnow()),
    }


def _conversation(session: Session, row: Conversation) -> dict[str, Any]:
    turns = session.execute(
        select(Turn, Feedback)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(Turn.conversation_id == row.id)
        .order_by(Turn.id)
    ).all()
    files = session.scalars(
        select(Attachment).where(Attachment.conversation_id == row.id).order_by(Attachment.id)
    )
    return {
        "id": row.public_id,
        "channel": row.channel,
        "page": row.page,
        "state": row.state,
        "started": _iso(row.created_at),
        "closed": _iso(row.closed_at),
        "csat": row.csat,
        "csat_comment": row.csat_comment,
        "handover_note": row.handover_note,
        "turns": [
            {
                "role": turn.role,
                "text": turn.text,
                "time": _iso(turn.created_at),
                "kind": turn.kind,
                "intent": turn.intent,
                "confidence": turn.confidence,
                "vote": feedback.vote if feedback else None,
                "comment": feedback.comment if feedback else None,
            }
            for turn, feedback in turns
        ],
        "files": [
            {
                "name": file.name,
                "media_type": file.media_type,
                "bytes": file.size,
                "time": _iso(file.created_at),
            }
            for file in files
        ],
    }


def erase_person(
    session: Session, visitor_id: int, *, person_id: int | None = None, now: datetime | None = None
) -> Erased:
    """Erase a person with every conversation and what was learned from them, and mark the releases. The audit entry
    says that it happened and how much went, not who it was. Raises NotFoundError."""
    visitor = _visitor(session, visitor_id)
    ids = session.scalars(select(Conversation.id).where(Conversation.visitor_id == visitor_id)).all()
    gone = _erase_conversations(session, ids)
    session.delete(visitor)
    session.flush()
    if gone.releases:
        session.execute(
            update(Release)
            .where(Release.id.in_(gone.releases))
            .values(erased_people=Release.erased_people + 1)
        )
    audit.record(
        session,
        action="person.erase",
        subject=f"visitor {visitor_id}",
        person_id=person_id,
        detail={
            "conversations": gone.conversations,
            "turns": gone.turns,
            "examples": gone.examples,
            "files": len(gone.files),
            "releases": list(gone.releases),
        },
        now=now,
    )
    return replace(gone, visitors=1)


def _erase_conversations(session: Session, ids: Sequence[int]) -> Erased:
    if not ids:
        return Erased()
    turns = select(Turn.id).where(Turn.conversation_id.in_(ids))
    transcripts = select(Transcript.id).where(Transcript.conversation_id.in_(ids))
    learned = or_(Example.turn_id.in_(turns), Example.transcript_id.in_(transcripts))
    since = min(
        filter(
            None,
            (
                session.scalar(select(func.min(Example.created_at)).where(learned)),
                session.scalar(
                    select(func.min(Transcript.created_at)).where(Transcript.conversation_id.in_(ids))
                ),
            ),
        ),
        default=None,
    )
    releases: Sequence[str] = ()
    if since is not None:
        releases = session.scalars(
            select(Release.id).where(Release.created_at >= since).order_by(Release.id)
        ).all()
    files = session.scalars(select(Attachment.public_id).where(Attachment.conversation_id.in_(ids))).all()
    said = session.scalar(select(func.count()).select_from(turns.subquery())) or 0
    _forget_questions(session, select(Example.text).where(learned))
    taught = session.scalars(
        select(Example.intent_id)
        .where(learned, Example.status == "accepted", Example.intent_id.is_not(None))
        .distinct()
    ).all()
    examples = session.execute(delete(Example).where(learned)).rowcount  # type: ignore[attr-defined]
    session.execute(delete(Transcript).where(Transcript.conversation_id.in_(ids)))
    session.execute(delete(Conversation).where(Conversation.id.in_(ids)))  # its turns, files, outbox with it
    emptied = session.scalars(
        select(Intent.name)
        .where(
            Intent.id.in_(taught),
            ~exists().where(Example.intent_id == Intent.id, Example.status == "accepted"),
        )
        .order_by(Intent.name)
    ).all()
    return Erased(0, len(ids), said, examples, tuple(files), tuple(releases), tuple(emptied))


def _forget_questions(session: Session, texts: Select[Any]) -> None:
    """Article questions taken from these examples leave the search too."""
    ids = session.scalars(
        select(ArticleQuestion.id).where(
            ArticleQuestion.source == "transcript", ArticleQuestion.text.in_(texts)
        )
    ).all()
    if ids:
        log_change(session, "question", ids, "delete")
        session.execute(delete(ArticleQuestion).where(ArticleQuestion.id.in_(ids)))


def forget_old(
    session: Session, *, site_id: int, days: int, now: datetime | None = None, limit: int = BATCH
) -> Erased:
    """Erase up to ``limit`` conversations of a site that nobody has written in for ``days`` days, and visitors who
    have none left; call it until it returns none."""
    before = (now or utcnow()) - timedelta(days=days)
    ids = session.scalars(
        select(Conversation.id)
        .where(Conversation.site_id == site_id, Conversation.last_activity_at < before)
        .order_by(Conversation.last_activity_at)
        .limit(limit)
    ).all()
    gone = _erase_conversations(session, ids)
    alone = ~exists().where(Conversation.visitor_id == Visitor.id)
    visitors = session.execute(
        delete(Visitor).where(Visitor.site_id == site_id, Visitor.last_seen_at < before, alone)
    ).rowcount  # type: ignore[attr-defined]
    if ids:
        audit.record(
            session,
            action="retention",
            subject=f"site {site_id}",
            detail={"days": days, "conversations": len(ids), "turns": gone.turns},
            now=now,
        )
    return replace(gone, visitors=visitors)


# --- what a backup must not bring back -------------------------------------------------------------------


def note_erasure(data: Path, visitor_id: int, created_at: datetime, *, now: datetime | None = None) -> None:
    """Remember, outside the database and without a name, that this visitor was erased: a restored backup is older."""
    line = {"visitor": visitor_id, "created_at": _iso(created_at), "erased_at": _iso(now or utcnow())}
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / _LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(handle, "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())


def erase_again(database: Database, data: Path) -> int:
    """Erase whoever was erased before but is in the database (again); how many that were."""
    path = data / _LOG
    if not path.is_file():
        return 0
    count = 0
    for line in path.read_text("utf-8").splitlines():
        try:
            noted = json.loads(line)
            visitor_id, created_at = int(noted["visitor"]), str(noted["created_at"])
        except (ValueError, KeyError, TypeError):  # half a line, from a power cut
            continue
        with database.write() as session:
            visitor = session.get(Visitor, visitor_id)
            # A number may have been given again since: the time of the first visit tells them apart.
            if visitor is not None and _iso(visitor.created_at) == created_at:
                erase_person(session, visitor_id)
                count += 1
    return count


def _visitor(session: Session, visitor_id: int) -> Visitor:
    visitor = session.get(Visitor, visitor_id)
    if visitor is None:
        raise NotFoundError("There is no such person", field="visitor", value=visitor_id)
    return visitor


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None
