"""Bringing the database to the schema's newest version, and saying which one it has.

Every start asks whether the schema is current, and nearly always it is: that is answered without alembic, whose import
takes longer than the answer.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from chatbot.records.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = re.compile(r'^(revision|down_revision) = "([^"]+)"$', re.MULTILINE)


def alembic_config(database: Database) -> Config:
    """The configuration that migrations/env.py reads; no alembic.ini is needed."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(files("migrations")))
    config.attributes["engine"] = database.engine
    return config


def upgrade(database: Database, revision: str = "head") -> None:
    """Bring the schema up to ``revision``; a database that is there already is left alone."""
    from alembic import command

    command.upgrade(alembic_config(database), revision)


def downgrade(database: Database, revision: str) -> None:
    from alembic import command

    command.downgrade(alembic_config(database), revision)


def current_revision(database: Database) -> str | None:
    """What alembic has written down; None for a database that it has never seen."""
    with database.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return revision


def newest_revision() -> str:
    """The revision that no other comes after, read from the text of migrations/versions."""
    named: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for path in (files("migrations") / "versions").iterdir():
        if path.name.endswith(".py"):
            for name, value in _REVISION.findall(path.read_text("utf-8")):
                named[name].add(value)
    (head,) = named["revision"] - named["down_revision"]
    return head


def is_current(database: Database) -> bool:
    """Whether the database has the newest schema."""
    return current_revision(database) == newest_revision()
