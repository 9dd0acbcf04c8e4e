"""Conversations in a table: a message a row, with columns for the conversation, who said it, and the text.

Columns are found by their names, or a person says which heading is which (`named_columns`). Rows of a conversation
stand together, in the order of their time where a column has it, else as they stand; labelled messages (text and
intent, no conversation) are read as conversations of one turn.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from chatbot.errors import FileError, InputError
from chatbot.language.normalise import fold
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import RowError, TextFile
from ingest.spreadsheets import sheet_rows
from ingest.transcripts.email_text import own_words
from ingest.transcripts.times import TableTimes, in_order
from ingest.transcripts.transcript import RowProblem, Transcript, Turn, labels, role_of

MAX_CELL = 1 << 24  # characters
_NAMES: Mapping[str, tuple[str, ...]] = {
    "conversation": (
        "conversation_id", "conversation", "conv_id", "conv", "dialogue_id", "dialog_id", "session_id", "session",
        "ticket_id", "ticket", "chat_id", "thread_id", "case_id", "会话id", "会话编号", "会话", "对话id", "对话编号",
        "工单号", "工单编号",
    ),
    "role": (
        "role", "author", "author_role", "author_type", "sender", "sender_type", "speaker", "from", "who",
        "direction", "角色", "发送者", "发言人", "发送方", "说话人",
    ),
    "text": (
        "text", "message", "body", "content", "utterance", "msg", "comment", "instruction", "question", "query",
        "内容", "消息", "消息内容", "文本", "问题",
    ),
    "intent": (
        "intent", "label", "tag", "tags", "category", "topic", "意图", "标签", "分类", "类别",
    ),
    "answer": ("response", "answer", "reply", "回复", "答案", "回答"),
    "lang": ("lang", "language", "locale", "语言"),
    "time": (
        "timestamp", "datetime", "created_at", "sent_at", "message_time", "date_time", "created", "date", "time",
        "时间戳", "发送时间", "消息时间", "创建时间", "时间", "日期",
    ),
}  # fmt: skip
_MORE_ROLES = {
    "incoming": "customer", "in": "customer", "inbound": "customer", "0": "customer",
    "outgoing": "agent", "out": "agent", "outbound": "agent", "1": "agent",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Columns:
    """Places of the columns, counted from 0. ``conversation`` and ``role`` are both there, or neither."""

    text: int
    conversation: int | None = None
    role: int | None = None
    intent: int | None = None
    answer: int | None = None
    lang: int | None = None
    time: int | None = None


def find_columns(header: Sequence[str]) -> Columns | None:
    """The columns by their names, or None where these are no conversations."""
    names = [fold(cell).replace(" ", "_").strip("_") for cell in header]
    places: dict[str, int] = {}
    for field, options in _NAMES.items():
        for option in options:
            if option in names and names.index(option) not in places.values():
                places[field] = names.index(option)
                break
    if "text" not in places:
        return None
    if "conversation" in places and "role" in places:
        return Columns(**places)
    if "intent" in places or "answer" in places:
        return Columns(**{name: at for name, at in places.items() if name not in ("conversation", "role")})
    return None


FIELDS = tuple(_NAMES)


def named_columns(header: Sequence[str], names: Mapping[str, str]) -> Columns:
    """The columns that a person chose: ``names`` says for a field of FIELDS under which heading it stands.

    Raises InputError for an unknown field or heading, without a text, or with one of conversation and role alone.
    """
    headings = [cell.strip() for cell in header]
    places: dict[str, int] = {}
    for field, heading in names.items():
        if field not in _NAMES:
            raise InputError(
                "Unknown field of a conversation",
                field="columns",
                value=field,
                remedy=f"Use one of {', '.join(FIELDS)}",
            )
        if heading.strip() not in headings:
            raise InputError(
                "No column has this heading",
                field="columns",
                value=heading,
                remedy=f"The headings are {', '.join(headings)}"[:300],
            )
        places[field] = headings.index(heading.strip())
    if "text" not in places:
        raise InputError(
            "No column is chosen for the text", field="columns", value="text", remedy="Choose one"
        )
    if ("conversation" in places) != ("role" in places):
        raise InputError(
            "A message needs both its conversation and who said it",
            field="columns",
            value="role" if "conversation" in places else "conversation",
            remedy="Choose a column for both, or for neither where each row is a message of its own",
        )
    return Columns(**places)


def heading_of(path: Path, file: TextFile | None) -> list[str]:
    """The first row of a table; ``file`` is None for a workbook."""
    if file is None:
        return [cell.strip() for cell in next(sheet_rows(path), (0, []))[1]]
    lines = csv.reader(file.head.splitlines()[:50], delimiter=best_delimiter(file.head))
    try:
        return [cell.strip() for cell in next(lines, [])]
    except csv.Error:
        return []


def accepts(file: TextFile, record: dict[str, Any] | None) -> bool:
    if record is not None or file.head.lstrip()[:1] in ("{", "["):
        return False
    try:
        header = next(csv.reader(file.head.splitlines()[:1], delimiter=best_delimiter(file.head)), [])
    except csv.Error:
        return False
    return find_columns(header) is not None


def read(file: TextFile, names: Mapping[str, str] | None = None) -> Iterator[Transcript | RowError]:
    """``names`` as in `named_columns`. Raises FileError where the columns cannot be told or the file is no CSV."""
    rows = numbered_rows(
        iter(_Lines(file)),
        delimiter=best_delimiter(file.head),
        name=file.path.name,
        longest_cell=MAX_CELL,
    )
    yield from conversations(rows, source=file.path.name, names=names)


def no_columns(source: str, header: Sequence[str]) -> FileError:
    """What is wrong with a table whose columns nobody named and none of which is known."""
    return FileError(
        f"{source} has no columns of conversations",
        value=" | ".join(header)[:100],
        remedy="Name them conversation_id, role and text, or say which is which with --column text=HEADING",
    )


def conversations(
    rows: Iterator[tuple[int, Sequence[str]]], *, source: str, names: Mapping[str, str] | None = None
) -> Iterator[Transcript | RowError]:
    """Conversations of numbered rows, the first of which is a header; ``names`` as in `named_columns`."""
    _, header = next(rows, (0, []))
    columns = named_columns(header, names) if names else find_columns(header)
    if columns is None:
        raise no_columns(source, header)
    times = TableTimes()
    held: list[tuple[datetime | None, Turn]] = []
    key = ""
    tags: tuple[str, ...] = ()
    lang: str | None = None
    broken: FileError | None = None
    while True:
        try:
            line, row = next(rows, (0, None))
        except FileError as error:  # what was read before stays
            broken = error
            break
        if row is None:
            break
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        try:
            text = own_words(_cell(cells, columns.text))
            at, unread = _time(times, _cell(cells, columns.time))
            if columns.conversation is None or columns.role is None:
                yield _single(cells, columns, text, at)
                if unread:
                    yield unread.at(line)
                continue
            conversation = _cell(cells, columns.conversation)
            turn = Turn(_role(_cell(cells, columns.role)), text)
            if not conversation:
                raise RowProblem("The row names no conversation", value=text, remedy="Fill in its id")
        except RowProblem as problem:
            yield problem.at(line)
            continue
        if unread:
            yield unread.at(line)
        if conversation != key and held:
            yield _whole(key, held, tags, lang)
            held, tags, lang = [], (), None
        key = conversation
        held.append((at, turn))
        tags = tags or labels_of(_cell(cells, columns.intent))
        lang = lang or _cell(cells, columns.lang) or None
    if held:
        yield _whole(key, held, tags, lang)
    if broken is not None:
        raise broken


def labels_of(cell: str) -> tuple[str, ...]:
    """Labels in a cell: with commas several, otherwise one that may have spaces."""
    return labels(cell) if "," in cell else (cell,) if cell else ()


def _whole(
    key: str, held: Sequence[tuple[datetime | None, Turn]], tags: tuple[str, ...], lang: str | None
) -> Transcript:
    began, turns = in_order(held)
    return Transcript(key, turns, tags=tags, lang=lang, at=began)


def _time(times: TableTimes, cell: str) -> tuple[datetime | None, RowProblem | None]:
    """A time that cannot be read costs its row nothing but the order: it is told, and the message is kept."""
    try:
        return times.read(cell), None
    except RowProblem as problem:
        return None, problem


def _single(cells: Sequence[str], columns: Columns, text: str, at: datetime | None) -> Transcript:
    if not text:
        raise RowProblem("The row has no text", value=" | ".join(cells), remedy="Leave it out")
    answer = _cell(cells, columns.answer)
    turns = (Turn("customer", text), *((Turn("agent", answer),) if answer else ()))
    return Transcript(
        "", turns, tag=_cell(cells, columns.intent) or None, lang=_cell(cells, columns.lang) or None, at=at
    )


def _role(name: str) -> str:
    return _MORE_ROLES.get(name.lower()) or role_of(name)


def _cell(cells: Sequence[str], at: int | None) -> str:
    return cells[at] if at is not None and at < len(cells) else ""


class _Lines:
    """A file's lines for csv.reader, which wants their ends; one that cannot be read is replaced by its beginning."""

    def __init__(self, file: TextFile) -> None:
        self._lines = file.lines()

    def __iter__(self) -> Iterator[str]:
        for _, line in self._lines:
            yield (line.value if isinstance(line, RowError) else line) + "\n"
