"""Texts with a label each, from a table (CSV, TSV) or JSON Lines: what ``frontdesk labels`` learns from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import detect_language
from chatbot.learning.label_sets import LabelledText
from ingest.delimited import best_delimiter, numbered_rows
from ingest.files import RowError, open_text
from ingest.transcripts.json_records import json_records

TEXT = ("text", "message", "review", "文本", "内容")
LABEL = ("label", "sentiment", "intent", "category", "标签", "类别")
_LONGEST = 1_000_000  # characters of a cell


def read_labelled(path: Path, *, lang: str = "") -> list[LabelledText]:
    """``lang``: of every text; else a row's own ``lang``, else as it reads.

    Raises FileError naming the line where a row has no text or no label, or the file is neither kind.
    """
    found = []
    for line, row in _rows(path):
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


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    file = open_text(path)
    if file.head.lstrip()[:1] in ("{", "["):
        for line, record in json_records(file):
            if isinstance(record, RowError):
                raise FileError(
                    f"{path.name}, line {line}: {record.message}",
                    value=record.value,
                    remedy=record.remedy or None,
                )
            yield line, record
        return
    text = file.text(limit=1 << 30)
    rows = numbered_rows(
        text.splitlines(keepends=True),
        delimiter=best_delimiter(file.head),
        name=path.name,
        longest_cell=_LONGEST,
    )
    _, heading = next(rows, (0, []))
    names = [cell.strip().casefold() for cell in heading]
    if not set(names) & set(TEXT) or not set(names) & set(LABEL):
        raise FileError(
            f"{path.name} has no columns text and label",
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
