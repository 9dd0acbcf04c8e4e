"""Databases of both kinds: SQLite in a file, and PostgreSQL where the tests are given one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from chatbot.records.database import Database
from chatbot.records.schema import upgrade

POSTGRES = os.environ.get("FRONTDESK_TEST_DATABASE_URL")


@pytest.fixture
def postgres() -> Iterator[Database]:
    """An empty PostgreSQL schema of its own; where there is no PostgreSQL the test is skipped, and says so."""
    if not POSTGRES:
        pytest.skip("FRONTDESK_TEST_DATABASE_URL is not set")
    name = f"frontdesk_{os.getpid()}"
    outside = Database(POSTGRES)
    with outside.engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {name} CASCADE"))
        connection.execute(text(f"CREATE SCHEMA {name}"))
    joint = "&" if "?" in POSTGRES else "?"
    database = Database(f"{POSTGRES}{joint}options=-csearch_path%3D{name}")
    yield database
    database.dispose()
    with outside.engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    outside.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest) -> Database:
    """A database of each kind, with the newest schema and nothing in it."""
    if request.param == "sqlite":
        sqlite: Database = request.getfixturevalue("database")
        return sqlite
    postgres: Database = request.getfixturevalue("postgres")
    upgrade(postgres)
    return postgres
