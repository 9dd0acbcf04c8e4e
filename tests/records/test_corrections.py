"""Examples corrected since a moment, as the worker counts them before it retrains by itself."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from chatbot.records import example_changes, proposals
from chatbot.records.corrections import corrected_examples
from chatbot.records.database import Database
from chatbot.records.example_changes import Decider
from chatbot.records.intents import put_intent
from chatbot.records.proposal_undo import take_back
from chatbot.records.proposals import NewProposal
from chatbot.records.tables import AuditEntry, Example, utcnow

NOBODY = Decider(None)
THEN = utcnow() - timedelta(hours=1)


@pytest.fixture
def ids(records: Database) -> list[int]:
    """Four examples of ``refund`` and four without a label, all from before THEN."""
    with records.write() as session:
        refund, _ = put_intent(session, "refund")
        put_intent(session, "parcel")
        rows = [
            Example(
                text=f"message {at}",
                lang="en",
                source="transcript",
                intent_id=refund.id if at < 4 else None,
                status="accepted" if at < 4 else "unreviewed",
                content_hash=str(at),
                group_key=str(at),
                created_at=THEN - timedelta(days=1),
            )
            for at in range(8)
        ]
        session.add_all(rows)
        session.flush()
        return [row.id for row in rows]


def count(database: Database, since: datetime = THEN) -> int:
    with database.read() as session:
        return corrected_examples(session, since)


def change(database: Database, what: str, *arguments: Any, **options: Any) -> int:
    with database.write() as session:
        entry = getattr(example_changes, what)(session, *arguments, by=NOBODY, **options).entry
        return entry or 0


def long_ago(session: Session) -> None:
    session.execute(update(AuditEntry).values(created_at=THEN - timedelta(minutes=1)))


def test_relabelled_taken_out_and_put_back_examples_count_once_each(
    records: Database, ids: list[int]
) -> None:
    assert count(records) == 0
    change(records, "relabel", ids[:2], intent="parcel")
    change(records, "take_out", ids[1:3])
    assert count(records) == 3
    change(records, "put_back", ids[1:3])
    assert count(records) == 3
    assert count(records, utcnow()) == 0


def test_what_was_taken_back_is_no_correction_unless_it_was_trained_on(
    records: Database, ids: list[int]
) -> None:
    entry = change(records, "take_out", ids[:2])
    change(records, "undo", entry)
    assert count(records) == 0
    entry = change(records, "take_out", ids[:2])
    with records.write() as session:
        long_ago(session)
    assert count(records) == 0
    change(records, "undo", entry)
    assert count(records) == 2


def test_what_came_since_is_new_and_no_correction_and_what_was_erased_is_neither(
    records: Database, ids: list[int]
) -> None:
    change(records, "add", "where is it?", intent="parcel")
    change(records, "relabel", ids[:3], intent="parcel")
    with records.write() as session:
        session.execute(update(Example).where(Example.id == ids[0]).values(created_at=utcnow()))
        session.execute(delete(Example).where(Example.id == ids[1]))
    assert count(records) == 1


def test_old_messages_that_became_a_proposed_intent_count_until_it_is_taken_back(
    records: Database, ids: list[int]
) -> None:
    with records.write() as session:
        new = NewProposal(name="gift", terms=("gift",), members=dict.fromkeys(ids[4:], 0.5), drafts={})
        proposal = proposals.add_proposal(session, new).id
        proposals.accept(session, proposal, name="gift", person_id=None)
    assert count(records) == 4
    with records.write() as session:
        take_back(session, proposal, person_id=None)
    assert count(records) == 0
    with records.write() as session:
        proposals.accept(session, proposal, name="gift", person_id=None)
        session.flush()
        long_ago(session)
        take_back(session, proposal, person_id=None)
    assert count(records) == 4
