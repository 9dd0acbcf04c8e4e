"""The transcript formats by name, and telling which one a file has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.errors import FileError, InputError
from ingest.files import RowError, TextFile, open_text
from ingest.spreadsheets import sheet_rows
from ingest.transcripts import chatwoot, helpdesk, intercom, jsonl, rasa, table
from ingest.transcripts.json_records import first_record, json_records
from ingest.transcripts.transcript import RowProblem, Transcript

Row = Transcript | RowError


@dataclass(frozen=True, slots=True)
class Format:
    """``accepts`` sees a file (its head and first record); ``read`` yields its rows in order."""

    name: str
    title: str
    accepts: Callable[[TextFile, dict[str, Any] | None], bool]
    read: Callable[[TextFile], Iterator[Row]]


@dataclass
class Reading:
    """An opened file with the format that reads it. ``rows`` can be taken once."""

    file: TextFile
    format: Format

    def rows(self) -> Iterator[Row]:
        return self.format.read(self.file)

    @property
    def fraction(self) -> float:
        return min(1.0, self.file.position / self.file.size) if self.file.size else 1.0


def open_transcripts(path: Path, *, format: str = "auto") -> Reading:
    """Raises FileError where the file is no transcript of that format, InputError for an unknown format."""
    if format != "auto" and format not in FORMATS:
        raise InputError(
            "Unknown transcript format",
            field="format",
            value=format,
            remedy=f"Use auto, {', '.join(FORMATS)}",
        )
    if format == "xlsx" or (format == "auto" and path.suffix.lower() == ".xlsx"):
        return Reading(TextFile(path, 0, False, "xlsx", "", True), FORMATS["xlsx"])
    file = open_text(path)
    if format != "auto":
        return Reading(file, FORMATS[format])
    record = first_record(file) if file.head.lstrip()[:1] in ("{", "[") else None
    for candidate in FORMATS.values():
        if candidate.accepts(file, record):
            return Reading(file, candidate)
    raise FileError(
        f"{path.name} has no known transcript format",
        value=_shown(file, record),
        remedy=f"Name it with --format ({', '.join(FORMATS)})",
    )


def _shown(file: TextFile, record: dict[str, Any] | None) -> str:
    if record is not None:
        return "an object with " + ", ".join(sorted(record)[:8])
    return file.head.lstrip()[:60]


def json_format(
    name: str,
    title: str,
    accepts: Callable[[dict[str, Any]], bool],
    convert: Callable[[dict[str, Any]], Transcript],
) -> Format:
    """A format of one JSON object a conversation."""

    def read(file: TextFile) -> Iterator[Row]:
        for line, record in json_records(file):
            if isinstance(record, RowError):
                yield record
                continue
            try:
                yield convert(record)
            except RowProblem as problem:
                yield problem.at(line)

    return Format(name, title, lambda file, record: record is not None and accepts(record), read)


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
        Format("rasa", "Rasa training data (YAML or JSON)", rasa.accepts, rasa.read),
        Format("xlsx", "A message a row (Excel workbook)", lambda file, record: False, _read_workbook),
        Format("csv", "A message a row (CSV, TSV)", table.accepts, table.read),
    )
}
