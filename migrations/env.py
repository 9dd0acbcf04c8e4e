"""Alembic's entry: runs the migrations on the engine of chatbot.records.schema, or of the settings' URL."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Engine

from chatbot.records.database import Database
from chatbot.records.tables import Table, UtcDateTime
from chatbot.settings import settings


def render_item(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """A migration must not change when our own types do: it names what the database stores."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def run(engine: Engine) -> None:
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            render_as_batch=True,  # SQLite cannot alter a column in place
            compare_type=True,
            render_item=render_item,
        )
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run(context.config.attributes.get("engine") or Database(settings().database).engine)
