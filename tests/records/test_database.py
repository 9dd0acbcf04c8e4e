from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.exc import IntegrityError, StatementError

from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Article, Job, KnowledgeClock, Passage

POSTGRES = os.environ.get("FRONTDESK_TEST_DATABASE_URL")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'records.db'}")
    upgrade(database)
    yield database
    database.dispose()


def article(**changes: str) -> Article:
    values = {"slug": "refunds", "lang": "en", "title": "Refunds", "body": "Three days.", "content_hash": "h"}
    return Article(**(values | changes))


def test_sqlite_writes_ahead_checks_foreign_keys_and_waits(records: Database) -> None:
    with records.engine.connect() as connection:
        pragmas = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 15_000, "synchronous": 2}


def test_a_write_is_whole_or_not_at_all(records: Database) -> None:
    with pytest.raises(ZeroDivisionError), records.write() as session:
        session.add(article())
        session.flush()
        raise ZeroDivisionError
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Article)) == 0


def test_two_writers_wait_for_each_other_instead_of_failing(records: Database) -> None:
    """Each reads first and writes later: without BEGIN IMMEDIATE one of them meets SQLITE_BUSY at once."""
    with records.write() as session:
        session.add(KnowledgeClock(id=99, revision=0))
    failures: list[Exception] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with records.write() as session:
                    revision = session.scalars(
                        select(KnowledgeClock.revision).where(KnowledgeClock.id == 99)
                    ).one()
                    session.execute(
                        update(KnowledgeClock).where(KnowledgeClock.id == 99).values(revision=revision + 1)
                    )
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with records.read() as session:
        assert session.get_one(KnowledgeClock, 99).revision == 80


def test_a_reader_is_not_kept_out_by_a_writer(records: Database) -> None:
    with records.write() as writing:
        writing.add(article())
        writing.flush()
        with records.read() as reading:
            assert reading.scalar(select(func.count()).select_from(Article)) == 0


def test_a_value_outside_its_list_is_refused_by_the_database(records: Database) -> None:
    with pytest.raises(IntegrityError), records.write() as session:
        session.add(Job(kind="retrain", state="sleeping"))


def test_passages_go_with_their_article(records: Database) -> None:
    with records.write() as session:
        kept = article()
        session.add(kept)
        session.flush()
        session.add(
            Passage(article_id=kept.id, position=0, title_path="", text="t", lang="en", content_hash="h")
        )
    with records.write() as session:
        session.execute(delete(Article))
    with records.read() as session:
        assert session.scalar(select(func.count()).select_from(Passage)) == 0


def test_times_come_back_as_utc_and_a_time_without_a_zone_is_refused(records: Database) -> None:
    noon_in_china = datetime(2026, 11, 20, 12, tzinfo=timezone(timedelta(hours=8)))
    with records.write() as session:
        session.add(Job(id=1, kind="retrain", created_at=noon_in_china))
    with records.read() as session:
        stored = session.get_one(Job, 1).created_at
    assert stored == noon_in_china
    assert stored.tzinfo == UTC
    with pytest.raises(StatementError, match="without a zone"), records.write() as session:
        session.add(Job(id=2, kind="retrain", created_at=datetime(2026, 11, 20)))


@pytest.mark.skipif(not POSTGRES, reason="FRONTDESK_TEST_DATABASE_URL is not set")
def test_a_plain_postgresql_address_works() -> None:
    assert POSTGRES is not None
    database = Database(POSTGRES)
    assert database.ping()
    assert database.engine.dialect.driver == "psycopg"
    database.dispose()
