"""The schema goes up and down on both databases, and the migrations make what the models say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from chatbot.errors import InputError
from chatbot.records import schema
from chatbot.records.database import Database
from chatbot.records.tables import Article, Passage, Table


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without a table: a fresh file, or a schema of its own in the test database."""
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")
        return
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    yield database
    database.dispose()


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_schema_goes_up_down_and_up_again(empty: Database) -> None:
    assert schema.current_revision(empty) is None
    schema.upgrade(empty)
    assert schema.is_current(empty)
    assert tables(empty) == set(Table.metadata.tables)
    schema.downgrade(empty, "base")
    assert tables(empty) == set()
    schema.upgrade(empty)
    assert schema.is_current(empty)


def test_the_newest_revision_is_the_one_that_alembic_means(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'empty.db'}")
    script = ScriptDirectory.from_config(schema.alembic_config(database))
    assert schema.newest_revision() == script.get_current_head()
    schema.upgrade(database, "base")  # it has the table, and no revision in it
    assert schema.current_revision(database) is None and not schema.is_current(database)
    database.dispose()


def test_the_migrations_make_what_the_models_say(empty: Database) -> None:
    schema.upgrade(empty)
    command.check(schema.alembic_config(empty))  # raises where autogenerate would still change something


def test_every_step_can_be_taken_alone(empty: Database) -> None:
    script = ScriptDirectory.from_config(schema.alembic_config(empty))
    revisions = [revision.revision for revision in script.walk_revisions()][::-1]
    for revision in revisions:
        schema.upgrade(empty, revision)
        assert schema.current_revision(empty) == revision
    for revision in [*revisions[:-1][::-1], "base"]:
        schema.downgrade(empty, revision)


def test_no_step_takes_a_row_with_it(empty: Database) -> None:
    """SQLite copies a table to alter it: were the old one dropped with its keys in force, its children would go."""
    schema.upgrade(empty)
    with empty.write() as session:
        article = Article(slug="fees", lang="en", title="Fees", body="", content_hash="")
        session.add(article)
        session.flush()
        session.add(
            Passage(article_id=article.id, position=0, title_path="", text="5", lang="en", content_hash="")
        )
    script = ScriptDirectory.from_config(schema.alembic_config(empty))
    steps = [revision.revision for revision in script.walk_revisions()]
    taken = [(schema.downgrade, step) for step in steps[1:-1]] + [
        (schema.upgrade, step) for step in steps[-3::-1]
    ]
    for step, revision in taken:
        step(empty, revision)
        with empty.read() as session:
            assert session.scalar(text("SELECT count(*) FROM passages")) == 1, revision
    with empty.engine.connect() as connection:  # the pool's connections hold their keys again
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_second_upgrade_changes_nothing(empty: Database) -> None:
    schema.upgrade(empty)
    schema.upgrade(empty)
    assert schema.is_current(empty)


def test_another_kind_of_database_is_refused_by_name() -> None:
    with pytest.raises(InputError) as refused:
        Database("mysql://localhost/frontdesk")
    assert refused.value.value == "mysql"


def test_the_version_before_can_go_on_beside_each_migration() -> None:
    """What is there stays there and may still be left out by those who do not know the new column."""
    folder = Path(__file__).parent.parent.parent / "migrations" / "versions"
    files = sorted(path for path in folder.glob("2*.py"))[1:]  # the first makes everything
    assert len(files) >= 8
    wrong = []
    for path in files:
        upgrade = next(
            node
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
        )
        for call in (node for node in ast.walk(upgrade) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
            if name in ("drop_column", "drop_table", "rename_table", "alter_column"):
                wrong.append(f"{path.name}:{call.lineno} {name}")
            if name == "add_column":
                column = next(part for part in call.args if isinstance(part, ast.Call))
                said = {keyword.arg: ast.unparse(keyword.value) for keyword in column.keywords}
                if said.get("nullable") == "False" and "server_default" not in said:
                    wrong.append(f"{path.name}:{call.lineno} add_column without a default")
    assert wrong == []
