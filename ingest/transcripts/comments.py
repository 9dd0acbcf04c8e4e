"""Comments that a helpdesk exports apart from its tickets, found again by the ticket's id.

They are laid into a temporary SQLite file, so that a large export needs the memory of one ticket.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from ingest.files import RowError, content_hash, open_text
from ingest.transcripts.json_records import first_record, json_records
from ingest.transcripts.transcript import identifier

log = logging.getLogger(__name__)

HELPDESK = "helpdesk"
_BATCH = 1000


def is_comment(record: dict[str, Any] | None) -> bool:
    """A comment by itself: it names its ticket and its author, and nobody who requested anything."""
    return (
        record is not None
        and "ticket_id" in record
        and "author_id" in record
        and "requester_id" not in record
        and bool({"body", "plain_body", "html_body"} & record.keys())
    )


def split_comment_files(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The files of conversations, and those that hold comments alone. Raises FileError for comments alone."""
    comments = [path for path in paths if _holds_comments(path)]
    others = [path for path in paths if path not in comments]
    if comments and not others:
        raise FileError(
            f"{comments[0].name} holds comments without their tickets",
            value=comments[0].name,
            remedy="Give the export of the tickets together with it",
        )
    return others, comments


def _holds_comments(path: Path) -> bool:
    if path.suffix.lower() == ".xlsx":
        return False
    with contextlib.suppress(FileError, OSError):  # what cannot be read is reported where it is imported
        file = open_text(path)
        return file.head.lstrip()[:1] in ("{", "[") and is_comment(first_record(file))
    return False


class CommentIndex:
    """The comments of some files by ticket. A context: leaving it deletes the temporary file."""

    def __init__(self, connection: sqlite3.Connection | None = None, fingerprint: str = "") -> None:
        self._connection = connection
        self._fingerprint = fingerprint

    @classmethod
    @contextmanager
    def of(cls, paths: Sequence[Path]) -> Iterator[CommentIndex]:
        """Read the files; a comment that names no ticket, or cannot be read, is logged and left out."""
        if not paths:
            yield cls()
            return
        with (
            tempfile.TemporaryDirectory(prefix="comments-") as folder,
            contextlib.closing(sqlite3.connect(Path(folder) / "comments.db")) as connection,
        ):
            connection.executescript(
                "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;"
                "CREATE TABLE comments (ticket TEXT, created TEXT, place INTEGER, body TEXT);"
            )
            place = 0
            for path in paths:
                rows = []
                for line, record in json_records(open_text(path)):
                    if isinstance(record, RowError) or not is_comment(record):
                        log.warning("%s, line %d: no comment of a ticket; left out", path.name, line)
                        continue
                    place += 1
                    created = str(record.get("created_at") or "")
                    rows.append((identifier(record["ticket_id"]), created, place, json.dumps(record)))
                    if len(rows) >= _BATCH:
                        connection.executemany("INSERT INTO comments VALUES (?, ?, ?, ?)", rows)
                        rows.clear()
                connection.executemany("INSERT INTO comments VALUES (?, ?, ?, ?)", rows)
            connection.execute("CREATE INDEX by_ticket ON comments (ticket, created, place)")
            connection.commit()
            yield cls(connection, "".join(content_hash(path) for path in paths))

    def joined(self, ticket: dict[str, Any]) -> dict[str, Any]:
        """The ticket with its comments inside, in the order of their times; as it is where it has its own."""
        if self._connection is None or "comments" in ticket:
            return ticket
        found = self._connection.execute(
            "SELECT body FROM comments WHERE ticket = ? ORDER BY created, place",
            (identifier(ticket.get("id")),),
        ).fetchall()
        return ticket | {"comments": [json.loads(body) for (body,) in found]} if found else ticket

    def joint_hash(self, file_hash: str, format: str) -> str:
        """What identifies an import: the tickets alone are another import than the tickets with comments."""
        if not self._fingerprint or format != HELPDESK:
            return file_hash
        return hashlib.sha256((file_hash + self._fingerprint).encode()).hexdigest()
