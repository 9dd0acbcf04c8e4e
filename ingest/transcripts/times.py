"""When a turn was said, as tables write it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from ingest.transcripts.transcript import RowProblem, Turn

_UNIX = re.compile(r"(\d{9,10}|\d{12,13})(?:\.\d+)?")  # seconds or milliseconds
_DATE = re.compile(r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})\s*日?(?:[\s,T]+(\S.*))?")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp])?\.?(?:[Mm]\.?)?\s*(?:Z|UTC|GMT)?")


class TableTimes:
    """Reads one column. 03/04/2026 is the third of April, unless the column showed otherwise before: by a date that can
    only be read with its month first, or by a clock with AM and PM. What names no zone is taken for UTC."""

    def __init__(self) -> None:
        self._month_first = False

    def read(self, cell: str) -> datetime | None:
        """None for an empty cell. Raises RowProblem for one that is no date with or without a time."""
        if not cell:
            return None
        try:
            return self._read(cell).astimezone(UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise RowProblem(
                "The time cannot be read; the message keeps its place",
                value=cell,
                remedy="Write it as 2026-03-31 14:05",
            ) from error

    def _read(self, cell: str) -> datetime:
        if number := _UNIX.fullmatch(cell):
            return datetime.fromtimestamp(float(cell) / (1000 if len(number[1]) > 10 else 1), UTC)
        try:
            found = datetime.fromisoformat(cell)
        except ValueError:
            found = self._written(cell)
        return found if found.tzinfo else found.replace(tzinfo=UTC)

    def _written(self, cell: str) -> datetime:
        date = _DATE.fullmatch(cell)
        clock = _CLOCK.fullmatch(date[4].strip()) if date and date[4] else None
        if date is None or (date[4] and clock is None):
            raise ValueError(cell)
        hour, minute, second = (int(part or 0) for part in clock.group(1, 2, 3)) if clock else (0, 0, 0)
        if clock and clock[4]:
            self._month_first = self._month_first or "/" in cell
            hour = hour % 12 + 12 * (clock[4] in "Pp")
        first, middle, last = (int(part) for part in date.group(1, 2, 3))
        if len(date[1]) == 4:
            return datetime(first, middle, last, hour, minute, second)
        year = last if last > 99 else 2000 + last
        if first > 12 or "." in cell[:5]:
            return datetime(year, middle, first, hour, minute, second)
        self._month_first = self._month_first or middle > 12
        day, month = (middle, first) if self._month_first else (first, middle)
        return datetime(year, month, day, hour, minute, second)


def in_order(turns: Sequence[tuple[datetime | None, Turn]]) -> tuple[datetime | None, tuple[Turn, ...]]:
    """(when the conversation began, its turns by time). A turn without one stays behind the turn before it; turns of
    one moment stay as they stand, or the other way round where the table has the newest first."""
    known = [at for at, _ in turns if at is not None]
    if not known:
        return None, tuple(turn for _, turn in turns)
    rows = list(turns) if known[0] <= known[-1] else list(reversed(turns))
    last = datetime.min.replace(tzinfo=UTC)
    placed = []
    for at, turn in rows:
        last = at or last
        placed.append((last, turn))
    placed.sort(key=lambda row: row[0])
    return min(known), tuple(turn for _, turn in placed)
