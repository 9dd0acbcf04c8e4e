"""JSON records one by one, from JSON Lines, from one long array, or from a list inside an object.

An export of 2 GB needs the memory of its longest record. A record that is broken is reported with its line, and
reading goes on with the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from chatbot.errors import FileError
from ingest.files import RowError, TextFile

MAX_RECORD = 32 * 1024 * 1024  # characters of one record
_ENVELOPES = ("tickets", "conversations", "dialogues", "transcripts", "results", "items", "payload", "data")
_LISTS = re.compile(rf'"(?:{"|".join(_ENVELOPES)})"\s*:\s*\[')
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]', re.DOTALL)
_GAP = re.compile(r"[\s,\x1e\ufeff]*")
_DECODER = json.JSONDecoder()


def json_records(file: TextFile) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    """(line, record) for every object. Raises FileError where the file is no JSON at all."""
    start = file.head.lstrip()
    if not start or start[0] not in "[{":
        raise FileError(
            f"{file.path.name} is not JSON: it begins with {start[:20]!r}",
            value=start[:20],
            remedy="Give a JSON array, an object a line, or name the format with --format",
        )
    if is_lines(file):
        yield from _by_line(file)
    else:
        yield from _by_stream(file)


def first_record(file: TextFile) -> dict[str, Any] | None:
    """The first whole record within the file's head, for telling the format."""
    try:
        for line, record in _records_of_text(file.head, lines=is_lines(file)):
            if isinstance(record, dict):
                return record
            if line > 20:
                break
    except FileError:
        pass
    return None


def is_lines(file: TextFile) -> bool:
    """JSON Lines, rather than an array or objects over several lines?"""
    first, newline, _ = file.head.lstrip().partition("\n")
    first = first.rstrip()
    if first.startswith("["):
        return False
    if not newline and not file.complete:  # a first line longer than the head
        return _LISTS.search(first[:4096]) is None
    try:
        record = json.loads(first)
    except ValueError:
        return not (first.endswith(("{", "[", ",")) or len(first) < 2)
    return not (isinstance(record, dict) and _wrapped(record))


def _wrapped(record: dict[str, Any]) -> bool:
    """Whether an object is only the envelope of a list of conversations."""
    inner = record.get("data")
    return any(
        isinstance(record.get(key), list) and record[key] and isinstance(record[key][0], dict)
        for key in _ENVELOPES
    ) or (isinstance(inner, dict) and _wrapped(inner))


def _by_line(file: TextFile) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    for number, line in file.lines():
        if isinstance(line, RowError):
            yield number, line
        elif line.strip():
            yield number, _parsed(line, number)


def _parsed(line: str, number: int) -> dict[str, Any] | RowError:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        where = f" at column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        what = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"
        return RowError(number, f"Broken JSON{where}: {what}", line[:80], "Repair or delete this line")
    if not isinstance(record, dict):
        return RowError(number, "Not a JSON object", line[:80], "Write one object a line: {…}")
    return record


def _records_of_text(text: str, *, lines: bool) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    if lines:
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield number, _parsed(line, number)
        return
    yield from _Stream(iter([text])).records()


def _by_stream(file: TextFile) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
    yield from _Stream(file.characters()).records()


class _Stream:
    """Takes objects off a stream of characters."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False

    def records(self) -> Iterator[tuple[int, dict[str, Any] | RowError]]:
        self._enter()
        while True:
            self._skip()
            if self._at >= len(self._text):
                return
            line = self._line
            if self._text[self._at] == "]":
                return  # the end of the list; what follows in its envelope are no conversations
            if self._text[self._at] != "{":
                if not self._resync():
                    return
                yield line, RowError(line, "Not a JSON object", "", "The list must hold objects only")
                continue
            yield line, self._next(line)

    def _enter(self) -> None:
        """Go to the first element: past "[", or past the list inside an envelope."""
        self._skip()
        if self._text[self._at : self._at + 1] == "[":
            self._take(1)
            return
        ends = self._end_of_object()
        while ends is None and len(self._text) - self._at < 65_536 and self._more():
            ends = self._end_of_object()
        match = _LISTS.search(self._text, self._at)
        if match is None:
            return
        if ends is None:
            inside = match.start() - self._at < 4096
        else:
            record = _parsed(self._text[self._at : ends], self._line)
            inside = isinstance(record, dict) and _wrapped(record)
        if inside:
            self._take(match.end() - self._at)

    def _next(self, line: int) -> dict[str, Any] | RowError:
        while True:
            try:
                record, end = _DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                ends = self._end_of_object()
                if ends is None and len(self._text) - self._at < MAX_RECORD and self._more():
                    continue
                shown = self._text[self._at : self._at + 80]
                if ends is None:
                    self._at = len(self._text)
                    self._ended, self._pieces = True, iter(())
                    return RowError(
                        line,
                        "The JSON breaks off: this record never ends, and nothing after it can be read",
                        shown,
                        "Repair the record here and import the file again",
                    )
                self._take(ends - self._at)
                what = getattr(error, "msg", "nested too deeply")
                return RowError(line, f"Broken JSON: {what}", shown, "Repair or delete this record")
            self._take(end - self._at)
            return record if isinstance(record, dict) else RowError(line, "Not a JSON object")

    def _end_of_object(self) -> int | None:
        """Where the braces opened here are closed again, or None within what was read so far."""
        depth = 0
        for token in _TOKEN.finditer(self._text, self._at):
            sign = token[0]
            if sign in ("{", "["):
                depth += 1
            elif sign in ("}", "]"):
                depth -= 1
                if depth <= 0:
                    return token.end()
        return None

    def _resync(self) -> bool:
        """Step over something that is no object, to the next "{"."""
        while True:
            at = self._text.find("{", self._at)
            if at >= 0:
                self._take(at - self._at)
                return True
            if not self._more():
                return False

    def _skip(self) -> None:
        while True:
            match = _GAP.match(self._text, self._at)
            if match:
                self._take(match.end() - self._at)
            if self._at < len(self._text) or not self._more():
                return

    def _take(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _more(self) -> bool:
        """Read on; what was taken is let go."""
        if self._ended:
            return False
        want = max(1, len(self._text) - self._at)  # doubling, so that a long record is not scanned too often
        parts = [self._text[self._at :]]
        got = 0
        for piece in self._pieces:
            parts.append(piece)
            got += len(piece)
            if got >= want:
                break
        else:
            self._ended = True
        self._text, self._at = "".join(parts), 0
        return got > 0
