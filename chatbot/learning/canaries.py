"""A release on trial: it answers a share of the new conversations, and what came of them is held against the others.

Which conversation is answered by which release follows from the two ids alone (``assigned``): every process decides the
same without asking anybody, and a conversation stays with its release. Only conversations begun after the trial
started take part, so that none changes sides.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError, InputError, NotFoundError
from chatbot.learning.bundles import verify
from chatbot.learning.releases import bundle_folder, live_release_id
from chatbot.records.audit import record
from chatbot.records.database import Database
from chatbot.records.tables import Canary, Conversation, Feedback, Release, Turn, utcnow
from chatbot.settings import Settings

MOST = 0.5  # a candidate never gets more than every second conversation
ENOUGH = 100  # conversations on each side before a difference is worth reading
Z = 1.959964


@dataclass(frozen=True, slots=True)
class Side:
    """What came of the conversations that one release answered alone; the first five are counts."""

    release_id: str
    conversations: int = 0
    replies: int = 0
    answered: int = 0  # replies that said something: not "I don't know", no choices, no handover
    handed_over: int = 0  # conversations in which a person was asked for or taken in
    voted_down: int = 0  # conversations with a thumb down
    csat: float | None = None  # mean of the marks 1 to 5 given


@dataclass(frozen=True, slots=True)
class Difference:
    """Candidate less live, shares 0..1, with its 95 % interval."""

    name: str
    candidate: float
    live: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Trial:
    """A canary and what it came to. ``mixed``: conversations that both releases answered; they count for neither."""

    release_id: str
    live_id: str
    share: float
    started_at: datetime
    ended_at: datetime | None
    candidate: Side
    live: Side
    mixed: int
    differences: tuple[Difference, ...]

    @property
    def enough(self) -> bool:
        return min(self.candidate.conversations, self.live.conversations) >= ENOUGH

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"enough": self.enough}


def assigned(release_id: str, public_id: str, share: float) -> bool:
    """Whether this conversation belongs to the release on trial: a hash of both ids, uniform in [0, 1), below share."""
    digest = hashlib.sha256(f"{release_id}:{public_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 < share


def open_canary(session: Session) -> Canary | None:
    """The trial that runs, None where there is none or where another release has gone live since it began."""
    row = session.scalar(select(Canary).where(Canary.ended_at.is_(None)).order_by(Canary.id.desc()).limit(1))
    return row if row is not None and row.live_id == live_release_id(session) else None


def start_canary(
    database: Database, settings: Settings, release_id: str, *, share: float, person_id: int | None = None
) -> None:
    """Let ``release_id`` answer ``share`` of the conversations that begin from now on.

    Raises InputError for a share outside (0, 0.5], NotFoundError for an unknown release, ConflictError where it is live
    already, nothing is live or another trial runs, BundleError where its files are damaged.
    """
    if not 0 < share <= MOST:
        raise InputError(
            "The share is out of range",
            field="share",
            value=share,
            remedy=f"Give a share above 0 and up to {MOST}",
        )
    with database.read() as session:
        if session.get(Release, release_id) is None:
            raise NotFoundError(
                "No such release", value=release_id, remedy="List them with: frontdesk releases list"
            )
    verify(bundle_folder(settings, release_id))
    with database.write() as session:
        live = live_release_id(session)
        if live is None or live == release_id:
            raise ConflictError(
                "Only a release beside the live one can be tried",
                value=release_id,
                remedy="Promote a release first" if live is None else "Choose a candidate",
            )
        running = open_canary(session)
        if running is not None:
            raise ConflictError(
                "Another release is on trial", value=running.release_id, remedy="End that trial first"
            )
        _end(session)
        session.add(Canary(release_id=release_id, live_id=live, share=share, person_id=person_id))
        record(
            session,
            action="release.trial",
            subject=f"release {release_id}",
            person_id=person_id,
            detail={"share": share},
        )


def stop_canary(database: Database, *, person_id: int | None = None) -> str:
    """End the trial; its release's id. New messages of its conversations are answered by the live release.

    Raises ConflictError where none runs.
    """
    with database.write() as session:
        ended = _end(session)
        if ended is None:
            raise ConflictError("No release is on trial", remedy="Start one with: frontdesk releases try ID")
        record(session, action="release.trial_end", subject=f"release {ended}", person_id=person_id)
        return ended


def _end(session: Session) -> str | None:
    """End what is open, also trials that a promotion made void; the newest one's release."""
    rows = session.scalars(select(Canary).where(Canary.ended_at.is_(None)).order_by(Canary.id)).all()
    for row in rows:
        row.ended_at = utcnow()
    return rows[-1].release_id if rows else None


def trial_of(database: Database, release_id: str) -> Trial | None:
    """The newest trial of a release with what came of it so far; None where it never had one."""
    with database.read() as session:
        canary = session.scalar(
            select(Canary).where(Canary.release_id == release_id).order_by(Canary.id.desc()).limit(1)
        )
        if canary is None:
            return None
        return _measure(session, canary)


def _measure(session: Session, canary: Canary) -> Trial:
    until = canary.ended_at or utcnow()
    begun = (Conversation.created_at >= canary.started_at, Conversation.created_at <= until)
    rows = session.execute(
        select(
            Conversation.id,
            Conversation.handover_at,
            Conversation.csat,
            Turn.release_id,
            Turn.kind,
            Feedback.vote,
        )
        .join(Turn, Turn.conversation_id == Conversation.id)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .where(*begun, Turn.role == "bot", Turn.release_id.is_not(None))
    ).all()
    grouped: dict[int, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.id, []).append(row)
    sides: dict[str, list[list[Any]]] = {canary.release_id: [], canary.live_id: []}
    mixed = 0
    for turns in grouped.values():
        releases = {turn.release_id for turn in turns}
        if len(releases) > 1:
            mixed += 1
        elif (only := releases.pop()) in sides:
            sides[only].append(turns)
    candidate = _side(canary.release_id, sides[canary.release_id])
    live = _side(canary.live_id, sides[canary.live_id])
    differences = tuple(
        _difference(name, yes, whole, yes_live, whole_live)
        for name, yes, whole, yes_live, whole_live in (
            ("answered", candidate.answered, candidate.replies, live.answered, live.replies),
            (
                "handed over",
                candidate.handed_over,
                candidate.conversations,
                live.handed_over,
                live.conversations,
            ),
            (
                "voted down",
                candidate.voted_down,
                candidate.conversations,
                live.voted_down,
                live.conversations,
            ),
        )
        if whole and whole_live
    )
    return Trial(
        canary.release_id,
        canary.live_id,
        canary.share,
        canary.started_at,
        canary.ended_at,
        candidate,
        live,
        mixed,
        differences,
    )


def _side(release_id: str, conversations: Sequence[Sequence[Any]]) -> Side:
    marks = [turns[0].csat for turns in conversations if turns[0].csat is not None]
    return Side(
        release_id,
        conversations=len(conversations),
        replies=sum(len(turns) for turns in conversations),
        answered=sum(
            turn.kind not in ("unknown", "choices", "person") for turns in conversations for turn in turns
        ),
        handed_over=sum(turns[0].handover_at is not None for turns in conversations),
        voted_down=sum(any(turn.vote == "down" for turn in turns) for turns in conversations),
        csat=round(sum(marks) / len(marks), 2) if marks else None,
    )


def _difference(name: str, yes: int, whole: int, yes_live: int, whole_live: int) -> Difference:
    """Newcombe's interval of two independent proportions (Newcombe 1998, method 10: from their Wilson intervals)."""
    p, q = yes / whole, yes_live / whole_live
    (p_low, p_high), (q_low, q_high) = wilson(yes, whole), wilson(yes_live, whole_live)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    return Difference(name, p, q, low, high)


def wilson(yes: int, whole: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    p, spread = yes / whole, Z * Z / whole
    middle = (p + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(p * (1 - p) / whole + spread / (4 * whole))
    return max(0.0, middle - half), min(1.0, middle + half)
