"""From SQLite to PostgreSQL: every row with its id, and ids that go on."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from chatbot.errors import ConflictError, InputError
from chatbot.records.conversations import ensure_default_site, receive_message, start_conversation
from chatbot.records.database import Database
from chatbot.records.moving import move
from chatbot.records.tables import Conversation, Site, Table, Turn


@pytest.fixture
def talked(database: Database) -> Database:
    """A conversation of two messages, and a third that was erased."""
    with database.write() as session:
        site = ensure_default_site(session)
        conversation = start_conversation(
            session, site_id=site.id, token_hash="h" * 64, locale="en", channel="widget"
        )
        for number, words in enumerate(("Where is my parcel?", "a NUL \0 in it", "erase me")):
            receive_message(
                session, conversation.public_id, text=words, lang="en", client_message_id=f"m{number}"
            )
    with database.write() as session:
        session.execute(delete(Turn).where(Turn.text == "erase me"))
    return database


def test_every_row_arrives_and_no_id_is_given_twice(talked: Database, postgres: Database) -> None:
    moved = move(talked, postgres)
    for table in Table.metadata.sorted_tables:
        with talked.read() as here, postgres.read() as there:
            before = here.execute(select(table).order_by(*table.primary_key)).all()
            after = there.execute(select(table).order_by(*table.primary_key)).all()
        if table.name == "turns":
            assert [row.text for row in after] == ["Where is my parcel?", "a NUL \ufffd in it"]
            assert [row.id for row in after] == [row.id for row in before] == [1, 2]
        else:
            assert after == before, table.name
        assert moved[table.name] == len(before)
    with postgres.write() as session:
        public_id = session.scalars(select(Conversation.public_id)).one()
        receive_message(session, public_id, text="and now?", lang="en", client_message_id="m9")
    with postgres.read() as session:
        assert session.scalars(select(Turn.id).order_by(Turn.id)).all() == [1, 2, 4]  # 3 was erased


def test_a_database_in_use_is_left_alone_and_a_failed_move_leaves_nothing(
    talked: Database, postgres: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("chatbot.records.moving._continue_ids", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            move(talked, postgres)
    with postgres.read() as session:
        assert session.scalars(select(Site)).all() == []
    move(talked, postgres)
    with pytest.raises(ConflictError, match="already"):
        move(talked, postgres)


def test_another_direction_is_refused_by_name(database: Database) -> None:
    with pytest.raises(InputError, match="SQLite to PostgreSQL"):
        move(database, database)
