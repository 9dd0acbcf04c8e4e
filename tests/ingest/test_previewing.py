"""A look into a file before it is imported."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import select

from chatbot.errors import FileError, InputError
from chatbot.records.tables import Transcript
from ingest.importing import import_transcripts
from ingest.previewing import preview

ROWS = [
    ("Chat", "By whom", "Said", "Topic"),
    ("a", "Client", "Where is my parcel KC-204817? I am Anna Smith.", "tracking"),
    ("a", "Agent", "It arrives on Friday, it left our house today.", ""),
    ("b", "Client", "How do I return the kettle that I bought?", "returns"),
    ("b", "Agent", "Send it back with the label that came in the box.", ""),
]
CHOSEN = {"conversation": "Chat", "role": "By whom", "text": "Said", "intent": "Topic"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "chats.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(ROWS)
    return path


def test_headings_that_say_nothing_are_asked_for_and_shown(table):
    look = preview(table)
    assert look.headings == list(ROWS[0])
    assert look.problem and look.problem["field"] == "columns"
    assert look.conversations == []


def test_with_the_columns_chosen_conversations_are_shown_as_they_would_be_stored(table):
    look = preview(table, columns=CHOSEN)
    assert look.problem is None
    assert [one.id for one in look.conversations] == ["a", "b"]
    assert look.conversations[0].turns[0] == ("customer", "Where is my parcel [ORDER]? I am [NAME].")
    assert look.conversations[0].tag == "tracking"


@pytest.mark.parametrize(
    ("columns", "value"),
    [
        ({"text": "Body"}, "Body"),
        ({"intent": "Topic"}, "text"),
        ({"text": "Said", "role": "By whom"}, "conversation"),
        ({"text": "Said", "subject": "Topic"}, "subject"),
    ],
)
def test_columns_that_cannot_be_are_told(table, columns, value):
    problem = preview(table, columns=columns).problem
    assert problem and problem["value"] == value


def test_a_file_that_is_no_transcript_is_told_and_not_raised(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("just some notes", encoding="utf-8")
    assert preview(path).problem["code"] == "unreadable_file"


def test_an_import_takes_the_columns_chosen_and_other_columns_are_another_import(table, new_database):
    database = new_database("a.db")
    with pytest.raises(FileError):
        import_transcripts(database, [table])
    with pytest.raises(InputError):
        import_transcripts(database, [table], columns={"text": "Body"})
    first = import_transcripts(database, [table], columns=CHOSEN)
    assert (first.files[0].kept, first.files[0].tags) == (2, {"tracking": 1, "returns": 1})
    again = import_transcripts(database, [table], columns=CHOSEN)
    assert again.files[0].state == "already"
    other = import_transcripts(database, [table], columns={"text": "Said", "intent": "Topic"})
    assert other.files[0].state == "imported"
    with database.read() as session:
        turns = session.scalars(select(Transcript.turns)).first()
    assert turns[0]["text"].startswith("Where is my parcel [ORDER]")
