"""The transcript formats by name, and telling which one a file has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chatbot.errors import FileError, InputError
from ingest.files import RowError, TextFile, open_text
from ingest.spreadsheets import sheet_rows
from ingest.transcripts import chatwoot, helpdesk, intercom, jsonl, rasa, table
from ingest.transcripts.comments import HELPDESK, CommentIndex
from ingest.transcripts.json_records import first_record, json_records
from ingest.transcripts.transcript import RowProblem, Transcript

Row = Transcript | RowError


@dataclass(frozen=True, slots=True)
class Format:
    """``accepts`` sees a file (its head and first record); ``read`` yields its rows in order.

    ``convert`` makes a conversation of one record, in formats of one JSON object a conversation.
    """

    name: str
    title: str
    accepts: Callable[[TextFile | None, dict[str, Any] | None], bool]
    read: Callable[[TextFile, CommentIndex], Iterator[Row]]
    convert: Callable[[dict[str, Any]], Transcript] | None = None


@dataclass
class Reading:
    """An opened file with the format that reads it. ``rows`` can be taken once."""

    file: TextFile
    format: Format
    comments: CommentIndex = field(default_factory=CommentIndex)
    columns: Mapping[str, str] | None = None  # of a table: field -> heading, where a person named them

    def rows(self) -> Iterator[Row]:
        if self.columns and self.format.name == "csv":
            return table.read(self.file, self.columns)
        if self.columns and self.format.name == "xlsx":
            return table.conversations(
                sheet_rows(self.file.path), source=self.file.path.name, names=self.columns
            )
        return self.format.read(self.file, self.comments)

    @property
    def fraction(self) -> float:
        return min(1.0, self.file.position / self.file.size) if self.file.size else 1.0


TABLES = (".csv", ".tsv", ".xlsx")
_INTENTS = re.compile(
    r"(?:#.*\n|\s)*(?:intents:\s*)?-\s*\{?\s*['\"]?name['\"]?:"
)  # a file of `frontdesk ingest intents`


def open_transcripts(
    path: Path,
    *,
    format: str = "auto",
    comments: CommentIndex | None = None,
    columns: Mapping[str, str] | None = None,
) -> Reading:
    """``comments``: those that came apart from their tickets. ``columns``: of a table, as in `table.named_columns`.

    Raises FileError where the file is no transcript of that format, InputError for an unknown format.
    """
    if format != "auto" and format not in FORMATS:
        raise InputError(
            "Unknown transcript format",
            field="format",
            value=format,
            remedy=f"Use auto, {', '.join(FORMATS)}",
        )
    comments = comments or CommentIndex()
    if format == "xlsx" or (format == "auto" and path.suffix.lower() == ".xlsx"):
        return Reading(TextFile(path, 0, False, "xlsx", "", True), FORMATS["xlsx"], columns=columns)
    file = open_text(path)
    if columns and format == "auto" and path.name.lower().removesuffix(".gz").endswith(TABLES):
        format = "csv"
    if format != "auto":
        return Reading(file, FORMATS[format], comments, columns)
    record = first_record(file) if file.head.lstrip()[:1] in ("{", "[") else None
    for candidate in FORMATS.values():
        if candidate.accepts(file, record):
            return Reading(file, candidate, comments)
    if path.name.lower().removesuffix(".gz").endswith(TABLES):
        raise table.no_columns(path.name, table.heading_of(path, file))
    raise FileError(
        f"{path.name} has no known transcript format",
        value=_shown(file, record),
        remedy="Intents with titles and answers are taken in by: frontdesk ingest intents"
        if _INTENTS.match(file.head)
        else f"Name it with --format ({', '.join(FORMATS)})",
    )


def _shown(file: TextFile | None, record: dict[str, Any] | None) -> str:
    if record is not None:
        return "an object with " + ", ".join(sorted(record)[:8])
    return file.head.lstrip()[:60] if file is not None else ""


def json_format(
    name: str,
    title: str,
    accepts: Callable[[dict[str, Any]], bool],
    convert: Callable[[dict[str, Any]], Transcript],
) -> Format:
    """A format of one JSON object a conversation."""

    def read(file: TextFile, comments: CommentIndex) -> Iterator[Row]:
        for line, record in json_records(file):
            if isinstance(record, RowError):
                yield record
                continue
            try:
                yield convert(comments.joined(record) if name == HELPDESK else record)
            except RowProblem as problem:
                yield problem.at(line)

    return Format(name, title, lambda file, record: record is not None and accepts(record), read, convert)


def convert_record(record: dict[str, Any], *, format: str = "auto") -> Transcript:
    """One conversation that came by itself, in any of the JSON formats.

    Raises InputError for an unknown format or a record that is no conversation.
    """
    known = {name: found for name, found in FORMATS.items() if found.convert is not None}
    if format != "auto" and format not in known:
        raise InputError(
            "Unknown format", field="format", value=format, remedy=f"Use auto, {', '.join(known)}"
        )
    for name, found in known.items():
        if found.convert is not None and (
            name == format or (format == "auto" and found.accepts(None, record))
        ):
            try:
                return found.convert(record)
            except RowProblem as problem:
                told = problem.at(1)
                raise InputError(
                    told.message, field="body", value=told.value, remedy=told.remedy
                ) from problem
    raise InputError(
        "This is no conversation in a known format",
        field="body",
        value=_shown(None, record),
        remedy='Send {"id", "turns": [{"role", "text"}, …]}',
    )


def _with_file(
    accepts: Callable[[TextFile, dict[str, Any] | None], bool],
) -> Callable[[TextFile | None, dict[str, Any] | None], bool]:
    return lambda file, record: file is not None and accepts(file, record)


def _reading(read: Callable[[TextFile], Iterator[Row]]) -> Callable[[TextFile, CommentIndex], Iterator[Row]]:
    """A reader that has no use for comments."""
    return lambda file, comments: read(file)


def _read_workbook(file: TextFile) -> Iterator[Row]:
    yield from table.conversations(sheet_rows(file.path), source=file.path.name)


FORMATS: dict[str, Format] = {
    format.name: format
    for format in (
        json_format(
            "helpdesk", "Helpdesk tickets with comments (Zendesk)", helpdesk.accepts, helpdesk.convert
        ),
        json_format("intercom", "Intercom conversations", intercom.accepts, intercom.convert),
        json_format("chatwoot", "Chatwoot conversations with messages", chatwoot.accepts, chatwoot.convert),
        json_format("jsonl", "Dialogue rows (JSON Lines)", jsonl.accepts, jsonl.convert),
        Format("rasa", "Rasa training data (YAML or JSON)", _with_file(rasa.accepts), _reading(rasa.read)),
        Format(
            "xlsx", "A message a row (Excel workbook)", lambda file, record: False, _reading(_read_workbook)
        ),
        Format("csv", "A message a row (CSV, TSV)", _with_file(table.accepts), _reading(table.read)),
    )
}
