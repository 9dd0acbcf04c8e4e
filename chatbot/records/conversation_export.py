"""Conversations as they leave the house: whole, in order, personal values replaced by placeholders.

One JSON object a conversation with its turns, the bot's traces among them; or one row a turn for a spreadsheet. They
are read in batches, each in a transaction of its own, so that an export of any size holds no lock and little memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chatbot.dialogue.cards import cards_of, in_plain_words
from chatbot.language.redaction import Redactor
from chatbot.language.table_export import Cell
from chatbot.records.conversation_search import Wanted, conditions
from chatbot.records.database import Database
from chatbot.records.knowledge import redaction_rules
from chatbot.records.tables import Conversation, Feedback, Person, Site, Turn

BATCH = 100  # conversations
COLUMNS = (
    "conversation", "site", "channel", "locale", "state", "outcome", "mark",
    "turn", "at", "role", "agent", "kind", "intent", "confidence", "vote", "text", "cards",
)  # fmt: skip


def exported(database: Database, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Every conversation that is wanted, the oldest first. Notes among colleagues are in it: it is the whole."""
    with database.read() as session:
        rules = redaction_rules(session)
    last = 0
    while True:
        with database.read() as session:
            rows = session.execute(
                select(Conversation, Site.key)
                .join(Site, Site.id == Conversation.site_id)
                .where(*conditions(wanted), Conversation.id > last)
                .order_by(Conversation.id)
                .limit(BATCH)
            ).all()
            turns = _turns(session, [row.id for row, _ in rows])
        for row, site in rows:
            yield _conversation(row, site, turns.get(row.id, ()), Redactor(rules))
        if len(rows) < BATCH:
            return
        last = rows[-1][0].id


def as_rows(conversations: Iterator[dict[str, Any]]) -> Iterator[tuple[Cell, ...]]:
    """One row a turn, by COLUMNS."""
    for one in conversations:
        head = [one[name] for name in ("id", "site", "channel", "locale", "state", "outcome", "csat")]
        for turn in one["turns"]:
            yield (
                *head,
                *(
                    turn[name]
                    for name in ("id", "at", "role", "agent", "kind", "intent", "confidence", "vote", "text")
                ),
                in_plain_words(turn["cards"]),
            )


def _turns(session: Session, ids: list[int]) -> dict[int, list[tuple[Turn, Feedback | None, str | None]]]:
    found: dict[int, list[tuple[Turn, Feedback | None, str | None]]] = {}
    rows = session.execute(
        select(Turn, Feedback, Person.name)
        .outerjoin(Feedback, Feedback.turn_id == Turn.id)
        .outerjoin(Person, Person.id == Turn.person_id)
        .where(Turn.conversation_id.in_(ids))
        .order_by(Turn.id)
    )
    for turn, vote, agent in rows:
        found.setdefault(turn.conversation_id, []).append((turn, vote, agent))
    return found


def _conversation(row: Conversation, site: str, turns: Any, redactor: Redactor) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "site": site,
        "channel": row.channel,
        "page": row.page,
        "locale": row.locale,
        "state": row.state,
        "outcome": row.outcome,
        "csat": row.csat,
        "created_at": _iso(row.created_at),
        "last_activity_at": _iso(row.last_activity_at),
        "handover_at": _iso(row.handover_at),
        "handover_reason": row.handover_reason,
        "turns": [
            {
                "id": turn.id,
                "at": _iso(turn.created_at),
                "role": turn.role,
                "agent": agent,
                "lang": turn.lang,
                "kind": turn.kind,
                "intent": turn.intent,
                "confidence": turn.confidence,
                "text": redactor.redact(turn.text),
                "cards": [_card(card, redactor) for card in cards_of(turn.role, turn.reply)],
                "vote": vote.vote if vote else None,
                "comment": redactor.redact(vote.comment) if vote and vote.comment else None,
                "trace": _redacted(turn.trace, redactor),
            }
            for turn, vote, agent in turns
        ],
    }


def _card(card: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Its words redacted, and its addresses: an action puts a customer's own numbers into them."""
    links = [
        {"title": redactor.redact(link["title"]), "url": redactor.redact(link["url"])}
        for link in card["links"]
    ]
    return {name: redactor.redact(card[name]) for name in ("title", "text", "image", "alt")} | {
        "links": links
    }


def _redacted(value: Any, redactor: Redactor) -> Any:
    """A trace with every request and draft redacted; what articles say is published anyway."""
    if isinstance(value, Mapping):
        return {
            key: redactor.redact(item)
            if key in ("request", "text") and isinstance(item, str) and "article_id" not in value
            else _redacted(item, redactor)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_redacted(item, redactor) for item in value]
    return value


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
