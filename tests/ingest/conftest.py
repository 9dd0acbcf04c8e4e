import json
import os
from pathlib import Path

import pytest

from chatbot.records.database import Database
from chatbot.records.schema import upgrade


@pytest.fixture(scope="session")
def empty_database_file(tmp_path_factory):
    """A database with the newest schema, made once and copied."""
    path = tmp_path_factory.mktemp("schema") / "empty.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    database.dispose()
    return path


@pytest.fixture
def new_database(tmp_path, empty_database_file):
    made = []

    def make(name="test.db"):
        path = tmp_path / name
        path.write_bytes(empty_database_file.read_bytes())
        database = Database(f"sqlite:///{path}")
        made.append(database)
        return database

    yield make
    for database in made:
        database.dispose()


@pytest.fixture
def knowledge(new_database):
    """A database to take things into."""
    return new_database()


@pytest.fixture
def write_lines(tmp_path):
    """Writes rows as JSON Lines and returns the path."""

    def write(name, rows, encoding="utf-8"):
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return path

    return write


@pytest.fixture(scope="session")
def data_sets():
    """The folder of the public data sets; without it the test is skipped, and says so."""
    named = os.environ.get("FRONTDESK_DATA_SETS")
    places = [Path(named)] if named else [Path(__file__).parents[3] / "shared" / "data"]
    for place in places:
        if (place / "README.md").is_file():
            return place
    pytest.skip(f"no public data sets at {places[0]} (set FRONTDESK_DATA_SETS)")
