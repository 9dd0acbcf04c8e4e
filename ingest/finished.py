"""One finished conversation that came by itself: redacted, prepared and stored as an export's conversations are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chatbot.records import examples
from chatbot.records.database import Database
from chatbot.records.intents import intent_ids
from chatbot.records.knowledge import redaction_rules
from ingest.preparing import Dropped, content_hash_of, label_key, prepare
from ingest.storing import store_conversations
from ingest.transcripts.formats import convert_record


@dataclass(frozen=True, slots=True)
class Taken:
    """``state``: stored, known (the same words came before) or dropped (``reason``: the rule of ingest/quality.py)."""

    state: str
    reason: str = ""
    examples: int = 0
    intent: str | None = None


def take_in_conversation(database: Database, record: dict[str, Any], *, format: str = "auto") -> Taken:
    """Raises InputError where the record is no conversation in a known format; nothing is stored then."""
    transcript = convert_record(record, format=format)
    digest = content_hash_of(transcript)
    with database.read() as session:
        if examples.known_transcripts(session, {digest}):
            return Taken("known")
        rules = redaction_rules(session)
        intents = intent_ids(session)
    labels = {label_key(name): name for name in intents}
    item = prepare(transcript, content_hash=digest, rules=rules, intents=labels)
    if isinstance(item, Dropped):
        return Taken("dropped", item.rule)
    with database.write() as session:
        stored = store_conversations(session, [item], intents=intents, import_id=None)
    if not stored.conversations:  # it came twice at once
        return Taken("known")
    return Taken("stored", examples=len(item.questions), intent=item.tag)
