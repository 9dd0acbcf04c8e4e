"""Transcripts and the examples found in them: storing a batch, and what training asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Table as SqlTable
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from chatbot.records.tables import Example, Intent, NearDuplicate, Transcript

QUERY_VALUES = 500  # values in one IN (…): well below what any of the databases allows


@dataclass(frozen=True, slots=True)
class LabelledExample:
    text: str
    lang: str
    intent: str | None  # None: out of scope
    context: tuple[Mapping[str, str], ...]
    split: str
    group: str


@dataclass(frozen=True, slots=True)
class ExampleCounts:
    transcripts: int
    examples: int
    labelled: int
    out_of_scope: int
    by_status: dict[str, int] = field(default_factory=dict)
    by_language: dict[str, int] = field(default_factory=dict)
    by_split: dict[str, int] = field(default_factory=dict)
    by_intent: dict[str, int] = field(default_factory=dict)  # labelled examples of each intent


def known_transcripts(session: Session, hashes: Collection[str]) -> set[str]:
    """Which of these content hashes are stored already."""
    found: set[str] = set()
    for part in _parts(sorted(hashes)):
        found.update(
            session.scalars(select(Transcript.content_hash).where(Transcript.content_hash.in_(part)))
        )
    return found


def known_groups(session: Session, bands: Collection[int]) -> dict[int, str]:
    """The near-duplicate groups of those bands that are known."""
    found: dict[int, str] = {}
    for part in _parts(sorted(bands)):
        rows = session.execute(
            select(NearDuplicate.band, NearDuplicate.group_key).where(NearDuplicate.band.in_(part))
        )
        found.update({row.band: row.group_key for row in rows})
    return found


def add_groups(session: Session, groups: Mapping[int, str]) -> None:
    """Remember new bands. None of them may be stored already."""
    if groups:
        session.execute(
            insert(cast(SqlTable, NearDuplicate.__table__)),
            [{"band": band, "group_key": key} for band, key in groups.items()],
        )


def add_transcripts(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert transcripts; their ids in the same order."""
    if not rows:
        return []
    table = cast(SqlTable, Transcript.__table__)
    statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return list(session.scalars(statement, list(rows)))


def add_examples(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        session.execute(insert(cast(SqlTable, Example.__table__)), list(rows))


def labelled(session: Session, *, split: str | None = None) -> Iterator[LabelledExample]:
    """Accepted examples with an intent that is not retired, or out of scope, in the order they were found."""
    query = (
        select(Example, Intent.name)
        .outerjoin(Intent, Example.intent_id == Intent.id)
        .where(
            Example.status == "accepted",
            Example.out_of_scope | (Example.intent_id.is_not(None) & (Intent.status != "retired")),
        )
        .order_by(Example.id)
    )
    if split is not None:
        query = query.where(Example.split == split)
    for example, name in session.execute(query.execution_options(yield_per=1000)):
        yield LabelledExample(
            text=example.text,
            lang=example.lang,
            intent=None if example.out_of_scope else name,
            context=tuple(example.context),
            split=example.split,
            group=example.group_key,
        )


def counts(session: Session) -> ExampleCounts:
    """What there is to train on."""

    def grouped(column: Any) -> dict[str, int]:
        return {row[0]: row[1] for row in session.execute(select(column, func.count()).group_by(column))}

    accepted = Example.status == "accepted"
    return ExampleCounts(
        transcripts=session.scalar(select(func.count()).select_from(Transcript)) or 0,
        examples=session.scalar(select(func.count()).select_from(Example)) or 0,
        labelled=session.scalar(
            select(func.count()).select_from(Example).where(accepted, Example.intent_id.is_not(None))
        )
        or 0,
        out_of_scope=session.scalar(
            select(func.count()).select_from(Example).where(accepted, Example.out_of_scope)
        )
        or 0,
        by_status=grouped(Example.status),
        by_language=grouped(Example.lang),
        by_split=grouped(Example.split),
        by_intent={
            row[0]: row[1]
            for row in session.execute(
                select(Intent.name, func.count())
                .join(Example, Example.intent_id == Intent.id)
                .where(accepted)
                .group_by(Intent.name)
                .order_by(Intent.name)
            )
        },
    )


def text_hash(text: str) -> str:
    """What equal texts share: 32 hexadecimal digits."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for at in range(0, len(values), QUERY_VALUES):
        yield values[at : at + QUERY_VALUES]
