"""Alembic's entry: runs the migrations on the engine of chatbot.records.schema, or of the settings' URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, Engine

from chatbot.records.database import Database
from chatbot.records.tables import Table, UtcDateTime
from chatbot.settings import settings


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A migration must not change when our own types do: it names what the database stores."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


@contextmanager
def _without_cascades(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by copying it and dropping the old one, and a dropped row takes its children with it: the
    passages of every article. So foreign keys rest meanwhile (https://www.sqlite.org/lang_altertable.html, section 7;
    they can be set outside a transaction alone), and before the commit all of them must hold."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw = connection.connection.driver_connection
    assert raw is not None
    raw.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys = ON")


def _all_keys_hold(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise RuntimeError(f"the migration left a row of {broken[0]} without its row of {broken[2]}")


def run(engine: Engine) -> None:
    with engine.connect() as connection, _without_cascades(connection):
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            render_as_batch=True,  # SQLite cannot alter a column in place
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
            _all_keys_hold(connection)
        connection.commit()


run(context.config.attributes.get("engine") or Database(settings().database).engine)
