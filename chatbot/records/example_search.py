"""The examples that an intent is learned from: found, filtered, each with where it came from and who labelled it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from chatbot.errors import NotFoundError
from chatbot.language.entity_marks import Mark, write_marks
from chatbot.records.example_changes import OUT_OF_SCOPE, RELABELLED
from chatbot.records.proposals import SUGGESTED
from chatbot.records.tables import (
    AuditEntry,
    Conversation,
    Example,
    Import,
    Intent,
    Person,
    Proposal,
    Transcript,
    Turn,
)

PAGE_SIZE = 50
Origin = Literal["import", "correction", "review", "proposal", "hand"]
ORIGINS: tuple[Origin, ...] = ("import", "correction", "review", "proposal", "hand")
SPLITS = ("train", "valid", "test")
State = Literal["training", "taken_out"]
STATES: tuple[State, ...] = ("training", "taken_out")
_LOOKED_BACK = 300  # changes among which the moment of a correction is looked for


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which examples: all conditions that are set hold. ``intent`` is a name, or OUT_OF_SCOPE."""

    state: State = "training"
    intent: str = ""
    text: str = ""
    lang: str = ""
    origin: str = ""
    split: str = ""


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """An example as a list shows it. ``by`` and ``at``: who labelled it (or took it out) and when, as far as it is
    known; ``file``: what it was imported from."""

    id: int
    text: str
    lang: str
    intent: str | None  # None: out of scope
    intent_id: int | None
    titles: dict[str, str]
    state: State
    split: str
    origin: Origin
    reason: str
    by: str
    at: datetime
    transcript_id: int | None
    file: str
    conversation_id: int | None
    conversation: str | None  # as the API names it
    turn_id: int | None
    entities: tuple[Mark, ...] | None  # None: nobody has looked for any

    @property
    def marked(self) -> str:
        """The text with its entities in the notation of chatbot/language/entity_marks.py."""
        return write_marks(self.text, self.entities or ())

    def title(self, lang: str) -> str:
        return self.titles.get(lang) or self.titles.get("en") or self.intent or ""


@dataclass(frozen=True, slots=True)
class ExamplePage:
    """``older``: the id before which the next page begins, None on the last one."""

    lines: tuple[ExampleLine, ...]
    older: int | None


@dataclass(frozen=True, slots=True)
class TranscriptView:
    """A past conversation with the examples that were found in it."""

    transcript: Transcript
    file: str
    examples: tuple[ExampleLine, ...]


def search_examples(
    session: Session, wanted: Wanted, *, before: int | None = None, limit: int = PAGE_SIZE
) -> ExamplePage:
    """The newest first."""
    statement = _lines().where(*_conditions(wanted))
    if before is not None:
        statement = statement.where(Example.id < before)
    rows = session.execute(statement.order_by(Example.id.desc()).limit(limit + 1)).all()
    lines = _read(session, rows[:limit])
    return ExamplePage(tuple(lines), lines[-1].id if len(rows) > limit else None)


def count_examples(session: Session, wanted: Wanted) -> int:
    counted = select(func.count()).select_from(Example).outerjoin(Intent, Intent.id == Example.intent_id)
    return session.scalar(counted.where(*_conditions(wanted))) or 0


def languages_of_examples(session: Session) -> list[str]:
    return sorted(session.scalars(select(Example.lang).where(_labelled()).distinct()))


def read_transcript(session: Session, transcript_id: int) -> TranscriptView:
    """Raises NotFoundError."""
    row = session.get(Transcript, transcript_id)
    if row is None:
        raise NotFoundError("There is no such transcript", field="transcript", value=transcript_id)
    file = session.get(Import, row.import_id) if row.import_id else None
    found = session.execute(
        _lines().where(Example.transcript_id == transcript_id, _labelled()).order_by(Example.id)
    ).all()
    return TranscriptView(row, file.file_name if file else "", tuple(_read(session, found)))


def _origin() -> ColumnElement[Any]:
    """How an example came by its label: ORIGINS."""
    reason = func.coalesce(Example.label_reason, "")
    return case(
        (reason.startswith(RELABELLED, autoescape=True), "correction"),
        (or_(reason.startswith("proposal ", autoescape=True), reason == SUGGESTED), "proposal"),
        (Example.source == "live", "review"),
        (Example.source == "admin", "hand"),
        else_=literal("import"),
    )


def _labelled() -> ColumnElement[bool]:
    """Those that stand on the page: of an intent or out of scope, whether they are learned or taken out."""
    return and_(Example.status != "ignored", or_(Example.intent_id.is_not(None), Example.out_of_scope))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    where = [_labelled()]
    taken_out = Example.status == "rejected"
    where.append(taken_out if wanted.state == "taken_out" else ~taken_out)
    if wanted.intent == OUT_OF_SCOPE:
        where.append(Example.out_of_scope.is_(True))
    elif wanted.intent:
        where.append(Intent.name == wanted.intent)
    if wanted.text.strip():
        where.append(Example.text.icontains(wanted.text.strip(), autoescape=True))
    if wanted.lang:
        where.append(Example.lang == wanted.lang)
    if wanted.split:
        where.append(Example.split == wanted.split)
    if wanted.origin:
        where.append(_origin() == wanted.origin)
    return where


def _lines() -> Select[Any]:
    return (
        select(
            Example,
            Intent.name,
            Intent.titles,
            Person.name.label("by"),
            _origin().label("origin"),
            Import.file_name,
            Turn.conversation_id,
            Conversation.public_id,
        )
        .outerjoin(Intent, Intent.id == Example.intent_id)
        .outerjoin(Person, Person.id == Example.labelled_by_id)
        .outerjoin(Transcript, Transcript.id == Example.transcript_id)
        .outerjoin(Import, Import.id == Transcript.import_id)
        .outerjoin(Turn, Turn.id == Example.turn_id)
        .outerjoin(Conversation, Conversation.id == Turn.conversation_id)
    )


def _read(session: Session, rows: Sequence[Any]) -> list[ExampleLine]:
    changed = _changes(session, [row.Example.id for row in rows])
    decided = _decided(session, [row.Example.label_reason or "" for row in rows])
    found = []
    for row in rows:
        one: Example = row.Example
        taken_out = one.status == "rejected"
        who, at = row.by or "", decided.get(one.label_reason or "", one.created_at)
        told = changed.get(one.id)
        if told is not None and (taken_out or row.origin == "correction"):
            who, at = told
        found.append(
            ExampleLine(
                id=one.id,
                text=one.text,
                lang=one.lang,
                intent=None if one.out_of_scope else row.name,
                intent_id=one.intent_id,
                titles=dict(row.titles or {}),
                state="taken_out" if taken_out else "training",
                split=one.split,
                origin=row.origin,
                reason=one.label_reason or "",
                by=who,
                at=at,
                transcript_id=one.transcript_id,
                file=row.file_name or "",
                conversation_id=row.conversation_id,
                conversation=row.public_id,
                turn_id=one.turn_id,
                entities=tuple(Mark(**mark) for mark in one.entities) if one.entities is not None else None,
            )
        )
    return found


def _changes(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, datetime]]:
    """Who changed these examples last, and when: an example itself does not keep the moment."""
    wanted = {str(one) for one in ids}
    found: dict[int, tuple[str, datetime]] = {}
    entries = session.execute(
        select(AuditEntry.detail, AuditEntry.created_at, Person.name)
        .outerjoin(Person, Person.id == AuditEntry.person_id)
        .where(AuditEntry.action.in_(("example.relabel", "example.take_out")))
        .order_by(AuditEntry.id.desc())
        .limit(_LOOKED_BACK)
    )
    for detail, at, name in entries:
        for one in wanted & set(detail.get("after", ())):
            found.setdefault(int(one), (name or "", at))
    return found


def _decided(session: Session, reasons: Sequence[str]) -> dict[str, datetime]:
    """When the proposals were accepted that these reasons name."""
    numbers = {
        reason: int(reason.removeprefix("proposal "))
        for reason in reasons
        if reason.startswith("proposal ") and reason.removeprefix("proposal ").isdecimal()
    }
    rows = session.execute(
        select(Proposal.id, Proposal.decided_at).where(Proposal.id.in_(set(numbers.values())))
    )
    moments = {row.id: row.decided_at for row in rows}
    return {reason: at for reason, number in numbers.items() if (at := moments.get(number)) is not None}
