"""Prepared conversations into the tables: the transcript, its examples, their near-duplicate groups and intents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from chatbot.language.normalise import normalise
from chatbot.records import examples
from chatbot.records.intents import ensure_intents
from ingest.near_duplicates import group_of, split_of
from ingest.preparing import Prepared
from ingest.quality import core_of


@dataclass(frozen=True, slots=True)
class Stored:
    """``conversations``: those that were not known yet; ``new_intents``: name -> id of intents made on the way."""

    conversations: list[Prepared]
    new_intents: dict[str, int]


def store_conversations(
    session: Session, prepared: Sequence[Prepared], *, intents: Mapping[str, int], import_id: int | None
) -> Stored:
    """Store those that the database does not know by content. ``intents``: name -> id of what is known already."""
    known = examples.known_transcripts(session, {item.content_hash for item in prepared})
    fresh = []
    for item in prepared:
        if item.content_hash not in known:
            known.add(item.content_hash)
            fresh.append(item)
    new = ensure_intents(session, [item.tag for item in fresh if item.tag and item.tag not in intents])
    ids_of = {**intents, **new}
    groups = examples.known_groups(session, {key for item in fresh for key in item.keys})
    before = set(groups)
    transcripts, found = [], []
    for item in fresh:
        group = group_of(item.keys, groups)
        split = split_of(group)
        transcripts.append(_transcript_row(item, import_id, split))
        found.append(_example_rows(item, ids_of, group, split))
    examples.add_groups(session, {key: group for key, group in groups.items() if key not in before})
    ids = examples.add_transcripts(session, transcripts)
    examples.add_examples(
        session,
        [{**row, "transcript_id": number} for number, rows in zip(ids, found, strict=True) for row in rows],
    )
    return Stored(fresh, new)


def _transcript_row(item: Prepared, import_id: int | None, split: str) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "external_id": item.external_id,
        "content_hash": item.content_hash,
        "lang": item.lang,
        "tag": item.tag,
        "split": split,
        "began_at": item.at,
        "turns": [{"role": turn.role, "text": turn.text} for turn in item.turns],
    }


def _example_rows(item: Prepared, intents: Mapping[str, int], group: str, split: str) -> list[dict[str, Any]]:
    rows = []
    for question in item.questions:
        label = question.opening and (item.tag is not None or item.out_of_scope)
        folded = core_of(question.text)
        rows.append(
            {
                "text": question.text,
                "lang": item.lang,
                "intent_id": intents[item.tag] if label and item.tag else None,
                "out_of_scope": bool(label and item.out_of_scope),
                "context": [{"role": turn.role, "text": turn.text} for turn in question.context],
                "answer": question.answer,
                "source": "transcript",
                "status": "accepted" if label else "unreviewed",
                "split": split,
                "content_hash": examples.text_hash(normalise(question.text)),
                "group_key": group if question.opening else examples.text_hash(folded)[:16],
                "label_reason": "the conversation's tag" if label else None,
                "entities": [mark._asdict() for mark in question.entities]
                if question.entities is not None
                else None,
            }
        )
    return rows
