"""A look into a transcript file before it is imported: its shape, a table's columns, its first conversations.

Nothing is stored; the conversations are shown as they would be stored, with personal values replaced.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from chatbot.errors import FileError, FrontdeskError, InputError
from chatbot.language.redaction import RedactionRules
from ingest.files import RowError, open_text
from ingest.preparing import Dropped, content_hash_of, prepare
from ingest.transcripts.formats import TABLES, open_transcripts
from ingest.transcripts.table import FIELDS, find_columns, heading_of
from ingest.transcripts.transcript import Transcript

CONVERSATIONS = 3  # shown
_ROWS = 200  # read at most


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation as it would be stored; ``dropped``: the rule that would leave it out."""

    id: str
    tag: str | None
    lang: str
    turns: tuple[tuple[str, str], ...]
    dropped: str = ""
    at: datetime | None = None


@dataclass(slots=True)
class Preview:
    """``headings`` are a table's; ``columns`` says which heading was taken for which field; ``problem``: why the file
    cannot be imported as it is."""

    name: str
    format: str = ""
    headings: list[str] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    conversations: list[Shown] = field(default_factory=list)
    row_errors: list[dict[str, Any]] = field(default_factory=list)
    problem: dict[str, Any] | None = None

    @property
    def is_table(self) -> bool:
        return bool(self.headings)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def preview(
    path: Path,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    rules: RedactionRules | None = None,
    intents: Mapping[str, str] | None = None,
) -> Preview:
    """The first conversations of a file. What is wrong with it is told in ``problem``; nothing is raised for it."""
    shown = Preview(path.name)
    try:
        if path.name.lower().removesuffix(".gz").endswith(TABLES) or format in ("csv", "xlsx"):
            workbook = path.suffix.lower() == ".xlsx"
            shown.headings = heading_of(path, None if workbook else open_text(path))
            shown.columns = dict(columns) if columns else _guessed(shown.headings)
            if not shown.columns:
                raise InputError(
                    "Which columns hold the conversations cannot be told by their headings",
                    field="columns",
                    value=" | ".join(shown.headings)[:100],
                    remedy="Choose them above",
                )
        reading = open_transcripts(path, format=format, columns=shown.columns or None)
        shown.format = reading.format.name
        for row in islice(reading.rows(), _ROWS):
            if isinstance(row, RowError):
                shown.row_errors.append(asdict(row))
            else:
                shown.conversations.append(_shown(row, rules or RedactionRules(), intents or {}))
            if len(shown.conversations) >= CONVERSATIONS:
                break
        if not shown.conversations:
            raise FileError("No conversation was found in it", value=path.name, remedy="Choose other columns")
    except FrontdeskError as error:
        shown.problem = error.as_json()
    return shown


def found_columns(path: Path) -> dict[str, str]:
    """The headings that a table's columns are found by without a person; nothing where they cannot be told, or read."""
    try:
        return _guessed(heading_of(path, None if path.suffix.lower() == ".xlsx" else open_text(path)))
    except FrontdeskError:
        return {}


def _guessed(headings: list[str]) -> dict[str, str]:
    places = find_columns(headings)
    if places is None:
        return {}
    found = {name: getattr(places, name) for name in FIELDS}
    return {name: headings[at] for name, at in found.items() if at is not None}


def _shown(transcript: Transcript, rules: RedactionRules, intents: Mapping[str, str]) -> Shown:
    item = prepare(transcript, content_hash=content_hash_of(transcript), rules=rules, intents=intents)
    if isinstance(item, Dropped):
        return Shown(transcript.id, transcript.tag, transcript.lang or "", (), item.rule)
    return Shown(
        item.external_id,
        item.tag,
        item.lang,
        tuple((turn.role, turn.text) for turn in item.turns[:8]),
        at=item.at,
    )
