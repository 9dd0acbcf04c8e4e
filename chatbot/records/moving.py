"""Moving an installation's records from SQLite to PostgreSQL: every row, its id included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, text
from sqlalchemy import Table as TableDefinition

from chatbot.errors import ConflictError, InputError
from chatbot.records import schema
from chatbot.records.database import Database
from chatbot.records.tables import Conversation, Person, Table

ROWS = 500  # a statement

Progress = Callable[[str, float], None]


def move(
    source: Database, target: Database, *, progress: Progress = lambda stage, share: None
) -> dict[str, int]:
    """Copy all rows of ``source`` (SQLite, of the newest schema) into ``target`` (PostgreSQL, empty), in one
    transaction: all of them or none. → rows by table.

    The source is left as it is. Ids go on where they were, so no number of a turn is ever given twice. Raises
    InputError for databases of another kind, ConflictError where one is not current or the target is in use.
    """
    if not source.is_sqlite or target.is_sqlite:
        raise InputError(
            "Rows are moved from SQLite to PostgreSQL only",
            field="target",
            value=target.engine.url.get_backend_name(),
            remedy="Run it while FRONTDESK_DATABASE_URL is empty, and name a postgresql:// address",
        )
    if not schema.is_current(source):
        raise ConflictError("The database has an older schema", remedy="Run: frontdesk db upgrade")
    schema.upgrade(target)
    tables = Table.metadata.sorted_tables  # what is referred to comes first
    moved: dict[str, int] = {}
    with source.engine.connect() as reading, target.engine.begin() as writing:
        _check_unused(writing, target)
        for table in reversed(tables):
            writing.execute(delete(table))  # what the migrations and a first start have put in
        for number, table in enumerate(tables):
            moved[table.name] = 0
            for rows in _batches(reading, table):
                writing.execute(insert(table), rows)
                moved[table.name] += len(rows)
            _continue_ids(reading, writing, table)
            progress("rows", (number + 1) / len(tables))
    return moved


def _check_unused(writing: Connection, target: Database) -> None:
    for kind in (Conversation, Person):
        if writing.scalar(select(func.count()).select_from(kind)):
            raise ConflictError(
                "There are conversations or people in that database already",
                value=target.engine.url.database,
                remedy="Name an empty database (createdb frontdesk)",
            )


def _batches(reading: Connection, table: TableDefinition) -> Iterator[list[dict[str, Any]]]:
    found = reading.execution_options(yield_per=ROWS).execute(select(table).order_by(*table.primary_key))
    for part in found.mappings().partitions():
        yield [_storable(row) for row in part]


def _storable(row: RowMapping) -> dict[str, Any]:
    """PostgreSQL's text holds every character but U+0000."""
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in row.items()
    }


def _continue_ids(reading: Connection, writing: Connection, table: TableDefinition) -> None:
    """The next id is above every one that was ever given, those of deleted rows included."""
    sequence = (
        writing.scalar(select(func.pg_get_serial_sequence(table.name, "id"))) if "id" in table.c else None
    )
    if sequence is None:
        return
    last = reading.scalar(select(func.max(table.c.id))) or 0
    if table.dialect_options["sqlite"]["autoincrement"]:
        given = text("SELECT seq FROM sqlite_sequence WHERE name = :name")
        last = max(last, reading.scalar(given, {"name": table.name}) or 0)
    if last:
        writing.execute(select(func.setval(sequence, last)))
