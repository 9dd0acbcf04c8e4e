"""Texts with a label each, from a table (CSV, TSV) or JSON Lines: what ``frontdesk labels`` learns from; and texts
without, which it is asked about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import detect_language
from chatbot.learning.label_sets import LabelledText
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import RowError, TextFile, open_text
from ingest.transcripts.json_records import json_records

TEXT = ("text", "message", "review", "文本", "内容")
LABEL = ("label", "sentiment", "intent", "category", "标签", "类别")
_JSON = re.compile(r'\s*\[?\s*\{\s*"')
_LONGEST = 1_000_000  # characters of a cell


def read_labelled(path: Path, *, lang: str = "") -> list[LabelledText]:
    """``lang``: of every text; else a row's own ``lang``, else as it reads.

    Raises FileError naming the line where a row has no text or no label, or the file is neither kind.
    """
    found = []
    for line, row in _rows(open_text(path), (TEXT, LABEL)):
        text, label = _value(row, TEXT), _value(row, LABEL)
        if not text or not label:
            raise FileError(
                f"{path.name}, line {line}: no {'text' if not text else 'label'}",
                field="row",
                value=str(dict(row))[:80],
                remedy='Give each row a text and a label: {"text": "…", "label": "…"}, or columns text and label',
            )
        found.append(LabelledText(text, label, lang or _value(row, ("lang",)) or detect_language(text)))
    if not found:
        raise FileError(
            f"{path.name} has no rows", field="file", value=path.name, remedy="Give texts with labels"
        )
    return found


def read_texts(path: Path) -> Iterator[str]:
    """The texts of a table or of JSON Lines, by their column ``text``; of any other file its lines. Empty ones are left
    out. Raises FileError where it cannot be read."""
    file = open_text(path)
    if _has_columns(file):
        texts = (_value(row, TEXT) for _, row in _rows(file, (TEXT,)))
    else:
        texts = (line.strip() for _, line in file.lines() if not isinstance(line, RowError))
    return (text for text in texts if text)


def _has_columns(file: TextFile) -> bool:
    """Whether the file says of itself which part of a row is the text; "[ORDER] is late" is a line like any other."""
    if _JSON.match(file.head):
        return True
    first = file.head.lstrip().partition("\n")[0].strip()
    cells = first.split(best_delimiter(file.head))
    return bool({cell.strip(' "').casefold() for cell in cells} & set(TEXT))


def _rows(file: TextFile, wanted: Sequence[tuple[str, ...]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, row by the names of its columns). ``wanted``: a table has one column of each of these."""
    name = file.path.name
    if file.head.lstrip()[:1] in ("{", "["):
        for line, record in json_records(file):
            if isinstance(record, RowError):
                raise FileError(
                    f"{name}, line {line}: {record.message}",
                    value=record.value,
                    remedy=record.remedy or None,
                )
            yield line, record
        return
    text = file.text(limit=1 << 30)
    rows = numbered_rows(
        text.splitlines(keepends=True),
        delimiter=best_delimiter(file.head),
        name=name,
        longest_cell=_LONGEST,
    )
    _, heading = next(rows, (0, []))
    names = [cell.strip().casefold() for cell in heading]
    if not all(set(names) & set(one) for one in wanted):
        raise FileError(
            f"{name} has no columns text and label",
            field="file",
            value=" | ".join(heading)[:80],
            remedy="Name them in the first line",
        )
    for line, cells in rows:
        if any(cell.strip() for cell in cells):
            yield line, dict(zip(names, cells, strict=False))


def _value(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""
