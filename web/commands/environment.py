"""What every command needs first: settings, a log, the database; and last: a place for its JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web import logs

if TYPE_CHECKING:
    from chatbot.records.database import Database
    from chatbot.settings import Settings

FILES = click.Path(
    path_type=Path
)  # whether a file is there is said by the importer, in the same words everywhere


def load_settings(**changes: Any) -> Settings:
    """The settings with what the command line says instead. Raises InputError for an unusable value."""
    from pydantic import ValidationError

    from chatbot.errors import InputError
    from chatbot.settings import Settings

    try:
        return Settings(**{name: value for name, value in changes.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise InputError(
            f"The setting {name if name == 'PORT' else f'FRONTDESK_{name.upper()}'} is not usable: {first['msg']}",
            field=name,
            value=first.get("input"),
            remedy="docs/settings.md lists the settings",
        ) from error


def log_to_stderr(level: str, *, style: str = "text") -> None:
    """Commands write for people; ``serve`` and ``worker`` as ``settings.log_format`` says."""
    logs.configure(level, style=style)


def open_database(settings: Settings) -> Database:
    """The database, with its newest schema.

    SQLite in our own data folder is brought up to date here: it has one owner. A PostgreSQL that several
    processes use is not changed behind their backs: raises ConflictError where it is behind.
    """
    from chatbot.errors import ConflictError
    from chatbot.records import schema
    from chatbot.records.database import Database

    database = Database(settings.database)
    if not schema.is_current(database):
        if not database.is_sqlite:
            raise ConflictError("The database has an older schema", remedy="Run: frontdesk db upgrade")
        schema.upgrade(database)
    return database


def write_json(path: Path | None, body: Any) -> None:
    """To a file, or to stdout where the path is ``-``."""
    if path is None:
        return
    text = json.dumps(body, ensure_ascii=False, indent=2, default=str)
    if str(path) == "-":
        click.echo(text)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", "utf-8")
