"""The actions of one installation: read from the database for each message, their requests made and noted.

The idempotency key is made of the conversation, the customer's turn, the action and its details: a message that is
answered again after a crash asks the service with the same key, one that asks for two things does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import timedelta

from chatbot.dialogue.action_calls import Request, call
from chatbot.dialogue.actions import Action, Outcome, Talk
from chatbot.dialogue.slot_filling import Value
from chatbot.outbound import Fetched, allowed_entries, fetch
from chatbot.records import actions as records
from chatbot.records import audit, tables
from chatbot.records.database import Database
from chatbot.records.tables import utcnow
from chatbot.settings import Settings
from chatbot.waiting_line import aside

GUESSES = 5  # refused proofs for one thing, in whatever conversations, after which it is closed for
GUESSES_WITHIN = timedelta(hours=1)


class DatabaseActions:
    """``chatbot.dialogue.acting.Actions`` over one database."""

    def __init__(
        self, database: Database, settings: Settings, *, fetching: Callable[..., Fetched] = fetch
    ) -> None:
        self._database = database
        self._settings = settings
        self._fetching = fetching

    def bound(self, intent: str | None, article_slug: str | None = None) -> Action | None:
        with self._database.read(alone=True) as session:
            return records.bound_to(session, intent, article_slug)

    def named(self, name: str) -> Action | None:
        with self._database.read() as session:
            return records.enabled_action(session, name)

    def enabled(self) -> list[Action]:
        with self._database.read(alone=True) as session:
            return records.enabled_actions(session)

    def unsuccessful(self, action: Action, talk: Talk) -> int:
        with self._database.read() as session:
            return records.unsuccessful_calls(session, action.id, talk.conversation)

    def run(
        self, action: Action, slots: Mapping[str, Value], proof: Mapping[str, str], talk: Talk, *, lang: str
    ) -> Outcome:
        subject = _hash(
            action.name,
            *(
                slots[slot.name].value
                for slot in action.slots
                if slot.kind != "confirm" and slot.name in slots
            ),
        )
        key = _hash(talk.conversation, str(talk.turn_id), action.name, subject)
        with self._database.read() as session:
            secret = session.get_one(tables.Action, action.id).secret
            refused = records.refused_lately(session, action.id, subject, since=utcnow() - GUESSES_WITHIN)
        if refused >= GUESSES:
            outcome = Outcome("refused", f"{refused} proofs for this were refused within an hour: not asked")
        else:
            with aside():
                outcome = call(
                    action,
                    Request(
                        {name: value.value for name, value in slots.items()},
                        proof,
                        lang,
                        talk.conversation,
                        key,
                    ),
                    secret=secret,
                    allow=allowed_for(action.url, self._settings),
                    fetching=self._fetching,
                )
        with self._database.write() as session:
            records.note_call(session, action.id, talk, key=key, subject=subject, outcome=outcome)
            if action.changes and outcome.result == "done":
                audit.record(
                    session,
                    action="action.done",
                    subject=f"{action.name} in conversation {talk.conversation}",
                    detail={"turn": talk.turn_id, "details": sorted(slots)},
                )
        return outcome


def allowed_for(url: str, settings: Settings) -> tuple[str, ...]:
    """Private hosts that ``url`` may reach: the operator's, and the demo's own order service at its very address."""
    allowed = allowed_entries(settings.outbound_private)
    demo = settings.demo_orders
    if demo and (url == demo or url.startswith(demo.rstrip("/") + "/")):
        return (*allowed, "127.0.0.1")
    return allowed


def _hash(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()
