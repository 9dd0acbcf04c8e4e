"""The engine, its sessions, and the schema's version.

``Database.read()`` and ``Database.write()`` are the only two ways to a session. On SQLite a writer takes the
write lock at once (``BEGIN IMMEDIATE``): a transaction that reads first and writes later would otherwise fail
with SQLITE_BUSY as soon as another process wrote in between, whatever the busy timeout (sqlite.org/isolation).
The threads of a process queue for it in order (chatbot/waiting_line.py), and one of them at a time competes with
other processes.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, InvalidatePoolError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from chatbot.errors import InputError
from chatbot.waiting_line import WaitingLine

BUSY_TIMEOUT_MS = 15_000
PING_AFTER_SECONDS = 1.0  # that a connection lay unused: only then may the server have gone unnoticed
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
            options: dict[str, Any] = {"hide_parameters": True, "json_deserializer": _read_json}
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
            self._alone = self.engine.execution_options(frontdesk_alone=True)
        else:
            _ping_the_idle(self.engine)
            self._alone = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        writing = self.engine.execution_options(frontdesk_writes=True)
        self._writers = sessionmaker(writing, expire_on_commit=False)
        self._committed: list[Callable[[Session], None]] = []
        self._queue = WaitingLine()

    @contextmanager
    def read(self, *, alone: bool = False) -> Iterator[Session]:
        """A session for reading; what it loaded stays usable afterwards. ``alone``: each statement for itself, as
        ``connect`` has it."""
        with Session(self._alone if alone else self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection for reading whose statements each see what is committed by then. Without a transaction around
        them: on PostgreSQL that is two round trips less."""
        with self._alone.connect() as connection:
            yield connection

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
            session = held.enter_context(self._writers())
            held.enter_context(session.begin())
            yield session
        for told in self._committed:
            told(session)

    def on_flush(self, note: Callable[[Session], None]) -> None:
        """Have ``note`` called with every writing session whose changes have been sent, before they are committed."""
        event.listen(self._writers, "after_flush", lambda session, context: note(session))

    def on_commit(self, tell: Callable[[Session], None]) -> None:
        """Have ``tell`` called with every session of ``write`` once it is committed; what it needs is in ``info``."""
        self._committed.append(tell)

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
    options = connection.get_execution_options()
    if not options.get("frontdesk_alone", False):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("frontdesk_writes", False) else "BEGIN")


def _ping_the_idle(engine: Engine) -> None:
    """SQLAlchemy's own ``pool_pre_ping`` asks before every use: a tenth of all round trips of a busy server."""

    @event.listens_for(engine, "checkin")
    def note(connection: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ping(connection: Any, entry: ConnectionPoolEntry, proxy: Any) -> None:
        if time.monotonic() - entry.info.get("idle_since", time.monotonic()) > PING_AFTER_SECONDS:
            try:
                engine.dialect.do_ping(connection)
            except engine.dialect.loaded_dbapi.Error as error:
                raise InvalidatePoolError() from error  # the pool connects anew, and so do all that lay idle


def _read_json(text: str | bytes) -> Any:
    """A stored value. Five times faster than the standard library's, which alone takes half of a surrogate pair."""
    try:
        return from_json(text)
    except ValueError:
        return json.loads(text)
