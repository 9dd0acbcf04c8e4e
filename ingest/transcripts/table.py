"""Conversations in a table: a message a row, with columns for the conversation, who said it, and the text.

Columns are found by their names; ``Columns`` names them where they are called something else. Rows of a conversation
stand together, as exports sorted by conversation or time within it have them; labelled messages (text and intent,
no conversation) are read as conversations of one turn.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import fold
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import RowError, TextFile
from ingest.transcripts.email_text import own_words
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
        "text", "message", "body", "content", "utterance", "msg", "comment", "instruction", "内容", "消息",
        "消息内容", "文本", "问题",
    ),
    "intent": (
        "intent", "label", "tag", "tags", "category", "topic", "意图", "标签", "分类", "类别",
    ),
    "answer": ("response", "answer", "reply", "回复", "答案", "回答"),
    "lang": ("lang", "language", "locale", "语言"),
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


def accepts(file: TextFile, record: dict[str, Any] | None) -> bool:
    if record is not None or file.head.lstrip()[:1] in ("{", "["):
        return False
    try:
        header = next(csv.reader(file.head.splitlines()[:1], delimiter=best_delimiter(file.head)), [])
    except csv.Error:
        return False
    return find_columns(header) is not None


def read(file: TextFile) -> Iterator[Transcript | RowError]:
    """Raises FileError where the columns cannot be told or the file is no CSV."""
    rows = numbered_rows(
        iter(_Lines(file)),
        delimiter=best_delimiter(file.head),
        name=file.path.name,
        longest_cell=MAX_CELL,
    )
    yield from conversations(rows, source=file.path.name)


def conversations(
    rows: Iterator[tuple[int, Sequence[str]]], *, source: str, columns: Columns | None = None
) -> Iterator[Transcript | RowError]:
    """Conversations of numbered rows; without ``columns`` the first row is a header that names them."""
    if columns is None:
        _, header = next(rows, (0, []))
        columns = find_columns(header)
        if columns is None:
            raise FileError(
                f"{source} has no columns of conversations",
                value=" | ".join(header)[:100],
                remedy="Name them conversation_id, role and text",
            )
    held: list[Turn] = []
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
            if columns.conversation is None or columns.role is None:
                yield _single(cells, columns, text)
                continue
            conversation = _cell(cells, columns.conversation)
            turn = Turn(_role(_cell(cells, columns.role)), text)
            if not conversation:
                raise RowProblem("The row names no conversation", value=text, remedy="Fill in its id")
        except RowProblem as problem:
            yield problem.at(line)
            continue
        if conversation != key and held:
            yield Transcript(key, tuple(held), tags=tags, lang=lang)
            held, tags, lang = [], (), None
        key = conversation
        held.append(turn)
        tags = tags or labels_of(_cell(cells, columns.intent))
        lang = lang or _cell(cells, columns.lang) or None
    if held:
        yield Transcript(key, tuple(held), tags=tags, lang=lang)
    if broken is not None:
        raise broken


def labels_of(cell: str) -> tuple[str, ...]:
    """Labels in a cell: with commas several, otherwise one that may have spaces."""
    return labels(cell) if "," in cell else (cell,) if cell else ()


def _single(cells: Sequence[str], columns: Columns, text: str) -> Transcript:
    if not text:
        raise RowProblem("The row has no text", value=" | ".join(cells), remedy="Leave it out")
    answer = _cell(cells, columns.answer)
    turns = (Turn("customer", text), *((Turn("agent", answer),) if answer else ()))
    return Transcript(
        "", turns, tag=_cell(cells, columns.intent) or None, lang=_cell(cells, columns.lang) or None
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
