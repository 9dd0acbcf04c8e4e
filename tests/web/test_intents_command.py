from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatbot.records.database import Database
from chatbot.records.schema import upgrade
from chatbot.records.tables import Intent
from web import cli

FIVE = ["gift cards?", "do you sell gift cards", "buy a gift card", "gift card please", "a card as a gift"]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Database:
    monkeypatch.setenv("FRONTDESK_DATA", str(tmp_path))
    monkeypatch.delenv("FRONTDESK_DATABASE_URL", raising=False)
    database = Database(f"sqlite:///{tmp_path}/frontdesk.db")
    monkeypatch.setenv("FRONTDESK_DATABASE_URL", f"sqlite:///{tmp_path}/frontdesk.db")
    upgrade(database)
    return database


def test_an_intent_is_added_from_a_file_of_examples(database: Database, tmp_path: Path):
    (tmp_path / "examples.txt").write_text("\n".join(FIVE), encoding="utf-8")
    given = ["gift_card", "--examples-from", str(tmp_path / "examples.txt"), "--answer", "en=At every till."]
    result = CliRunner().invoke(cli.main, ["intents", "add", *given, "--json", "-"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["status"] == "provisional"
    with database.read() as session:
        assert session.query(Intent).filter_by(name="gift_card").one().status == "provisional"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["--example", "one", "--answer", "en=Yes."], "at least 5"),
        (["--answer", "Yes."], "--answer en=TEXT"),
    ],
)
def test_what_is_missing_is_said_with_the_remedy(database: Database, given: list[str], says: str):
    result = CliRunner().invoke(cli.main, ["intents", "add", "gift_card", *given])
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("text", ["", "  ", "😀"])
def test_a_message_without_words_has_nothing_to_explain(database: Database, text: str):
    result = CliRunner().invoke(cli.main, ["intents", "explain", text])
    assert result.exit_code == 1
    assert "error: There is nothing to read in this message" in result.output
