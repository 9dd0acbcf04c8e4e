"""The engine, its sessions, and the schema's version.

``Database.read()`` and ``Database.write()`` are the only two ways to a session. On SQLite a writer takes the
write lock at once (``BEGIN IMMEDIATE``): a transaction that reads first and writes later would otherwise fail
with SQLITE_BUSY as soon as another process wrote in between, whatever the busy timeout (sqlite.org/isolation).
The threads of a process queue for it in order (write_queue.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from chatbot.errors import InputError
from chatbot.records.write_queue import WriteQueue

BUSY_TIMEOUT_MS = 15_000
POOL = {"pool_size": 16, "max_overflow": 16}  # as many as a web process has threads, and its streams besides


class Database:
    """One conversation database: SQLite by default, PostgreSQL by URL.

    Raises InputError where the URL cannot be used. Creating it opens no connection.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
            if parsed.drivername == "postgresql":
                parsed = parsed.set(drivername="postgresql+psycopg")
            if parsed.get_backend_name() not in ("sqlite", "postgresql"):
                raise InputError(
                    "This database is not supported",
                    field="FRONTDESK_DATABASE_URL",
                    value=parsed.get_backend_name(),
                    remedy="Use a sqlite:/// or postgresql:// URL",
                )
            self.is_sqlite = parsed.get_backend_name() == "sqlite"
            # hide_parameters: what customers wrote must not reach a log by way of an error message.
            options: dict[str, Any] = {"pool_pre_ping": not self.is_sqlite, "hide_parameters": True}
            if self.is_sqlite and parsed.database not in (None, "", ":memory:"):
                Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
            if not (self.is_sqlite and parsed.database in (None, "", ":memory:")):
                options |= POOL
            self.engine: Engine = create_engine(parsed, **options)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise InputError(
                "The database URL cannot be used",
                field="FRONTDESK_DATABASE_URL",
                remedy="For PostgreSQL install frontdesk[postgres] and write postgresql://user@host/name",
            ) from error
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._writing = self.engine.execution_options(frontdesk_writes=True)
        self._queue = WriteQueue()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading; what it loaded stays usable afterwards."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end of the block, or not at all.

        Raises OperationalError where it is not this writer's turn within ``BUSY_TIMEOUT_MS``.
        """
        with ExitStack() as held:
            if self.is_sqlite:
                try:
                    held.enter_context(self._queue.turn(seconds=BUSY_TIMEOUT_MS / 1000))
                except TimeoutError as error:
                    raise OperationalError("BEGIN IMMEDIATE", None, error) from error
            session = held.enter_context(Session(self._writing, expire_on_commit=False))
            held.enter_context(session.begin())
            yield session

    def ping(self) -> bool:
        """Whether the database answers."""
        with self.engine.connect() as connection:
            return connection.execute(text("SELECT 1")).scalar() == 1

    def dispose(self) -> None:
        self.engine.dispose()


def _prepare_sqlite(connection: sqlite3.Connection, entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event below decides how a transaction starts
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",  # an acknowledged message survives a power cut, not only a crash
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("frontdesk_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
