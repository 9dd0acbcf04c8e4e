"""Comments that were exported apart from their tickets find them again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatbot.errors import FileError
from ingest.transcripts.comments import CommentIndex, split_comment_files
from ingest.transcripts.formats import open_transcripts
from ingest.transcripts.transcript import Transcript

TICKETS = [{"id": n, "requester_id": 10 + n, "description": f"First words of ticket {n}"} for n in (1, 2)]
COMMENTS = [
    {
        "id": 3,
        "ticket_id": 1,
        "author_id": 99,
        "body": "Within three days.",
        "created_at": "2026-01-02T00:00:00Z",
    },
    {
        "id": 2,
        "ticket_id": 1,
        "author_id": 11,
        "body": "When is my refund?",
        "created_at": "2026-01-01T00:00:00Z",
    },
    {
        "id": 4,
        "ticket_id": 1,
        "author_id": 98,
        "body": "She is angry",
        "public": False,
        "created_at": "2026-01-03",
    },
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    tickets, comments = tmp_path / "tickets.json", tmp_path / "comments.jsonl"
    tickets.write_text(json.dumps({"tickets": TICKETS}))
    comments.write_text("".join(json.dumps(row) + "\n" for row in COMMENTS) + '{"ticket_id": 1}\n')
    return tickets, comments


def read(tickets: Path, comments: list[Path]) -> list[Transcript]:
    with CommentIndex.of(comments) as index:
        rows = list(open_transcripts(tickets, comments=index).rows())
    assert all(isinstance(row, Transcript) for row in rows)
    return rows  # type: ignore[return-value]


def test_comments_come_to_their_ticket_in_the_order_of_their_times(files: tuple[Path, Path]) -> None:
    tickets, comments = files
    assert split_comment_files([comments, tickets]) == ([tickets], [comments])
    first, second = read(tickets, [comments])
    assert [(turn.role, turn.text) for turn in first.turns] == [
        ("customer", "When is my refund?"),
        ("agent", "Within three days."),
    ]
    assert second.turns[0].text == "First words of ticket 2"  # it has none


def test_tickets_with_comments_are_another_import_than_without(files: tuple[Path, Path]) -> None:
    _, comments = files
    with CommentIndex.of([comments]) as index:
        assert index.joint_hash("a", "helpdesk") != "a"
        assert index.joint_hash("a", "jsonl") == "a"
    assert CommentIndex().joint_hash("a", "helpdesk") == "a"


def test_comments_alone_are_told_what_they_lack(files: tuple[Path, Path]) -> None:
    with pytest.raises(FileError, match="without their tickets"):
        split_comment_files([files[1]])


def test_both_files_together_are_one_import(files: tuple[Path, Path], new_database) -> None:  # type: ignore[no-untyped-def]
    from ingest.importing import import_transcripts

    database = new_database()
    report = import_transcripts(database, list(files))
    assert [(file.name, file.read) for file in report.files] == [("tickets.json", 2)]
    assert report.files[0].kept == 2
    assert import_transcripts(database, list(files)).files[0].state == "already"
