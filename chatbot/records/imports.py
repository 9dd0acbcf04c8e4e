"""Files taken in: what was read of each, so that an interrupted import goes on and a finished one is not repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from chatbot.errors import ConflictError
from chatbot.records.tables import Import, utcnow


def find_import(session: Session, *, kind: str, file_hash: str) -> Import | None:
    """The import of a file with this content, finished or not."""
    return session.scalar(select(Import).where(Import.kind == kind, Import.file_hash == file_hash))


def begin_import(
    session: Session, *, kind: str, file_name: str, file_hash: str, format: str, again: bool = False
) -> Import:
    """The import's row: a new one, or the one left unfinished. ``again`` reads a finished file once more."""
    row = find_import(session, kind=kind, file_hash=file_hash)
    if row is None:
        row = Import(kind=kind, file_name=file_name[:500], file_hash=file_hash, format=format)
        session.add(row)
    elif again or (row.format != format and row.state != "running"):
        row.next_row, row.report = 0, {}
    row.state, row.format, row.finished_at = "running", format, None
    session.flush()
    return row


def advance_import(
    session: Session,
    import_id: int,
    *,
    expected: int,
    next_row: int,
    report: dict[str, Any],
    done: bool = False,
) -> None:
    """Move on from row ``expected`` to ``next_row``, in the transaction that stores the rows between.

    Raises ConflictError where another process has moved it meanwhile: two imports of one file at once would
    otherwise store each row twice.
    """
    values: dict[str, Any] = {"next_row": next_row, "report": report}
    if done:
        values |= {"state": "done", "finished_at": utcnow()}
    moved = session.execute(
        update(Import).where(Import.id == import_id, Import.next_row == expected).values(values)
    )
    if not isinstance(moved, CursorResult) or moved.rowcount != 1:
        raise ConflictError(
            "This file is being imported by another process",
            field="import",
            value=import_id,
            remedy="Wait for it to finish",
        )


def note_places(session: Session, import_id: int, places: Sequence[Sequence[str]]) -> None:
    """Where a file that was imported before has been found."""
    row = session.get(Import, import_id)
    if row is not None:
        row.report = {**row.report, "places": [list(place) for place in places]}


def fail_import(session: Session, import_id: int, *, report: dict[str, Any]) -> None:
    """Stop here; what was stored so far stays, and the next attempt goes on from it."""
    session.execute(
        update(Import)
        .where(Import.id == import_id)
        .values(state="failed", report=report, finished_at=utcnow())
    )


def recent_imports(session: Session, *, limit: int = 20) -> Sequence[Import]:
    """The latest first."""
    return session.scalars(select(Import).order_by(Import.id.desc()).limit(limit)).all()
