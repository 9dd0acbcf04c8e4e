"""Where a text names something: marks, and their notation ``[Rotterdam](city)`` (Rasa's training data format, which
also writes ``[two]{"entity": "number"}``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

LONGEST_KIND = 40
_MARK = re.compile(r"\[([^\[\]]+)\](?:\(([^()]*)\)|(\{[^{}]*\}))")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


class Mark(NamedTuple):
    """An entity of ``kind`` at ``start:end`` of a text."""

    kind: str
    start: int
    end: int


def kind_name(written: str) -> str:
    """``delivery_city`` of "Delivery-City"; empty where no name can be made of it."""
    name = _NOT_IN_NAMES.sub("_", written.strip().lower()).strip("_")[:LONGEST_KIND]
    return name if name[:1].isalpha() else ""


def read_marks(written: str) -> tuple[str, list[Mark]]:
    """The text without its marks, and these. One whose kind makes no name is taken off and forgotten."""
    parts: list[str] = []
    marks: list[Mark] = []
    at = length = 0
    for match in _MARK.finditer(written):
        before = written[at : match.start()]
        start = length + len(before)
        length = start + len(match[1])
        parts += [before, match[1]]
        at = match.end()
        kind = kind_name(match[2] if match[2] is not None else _entity_of(match[3]))
        if kind:
            marks.append(Mark(kind, start, length))
    return "".join([*parts, written[at:]]), marks


def _entity_of(body: str) -> str:
    try:
        return str(json.loads(body).get("entity") or "")
    except (ValueError, AttributeError):
        return ""


def write_marks(text: str, marks: Iterable[Mark]) -> str:
    """The notation of a text with its marks."""
    parts: list[str] = []
    at = 0
    for mark in sorted(marks, key=lambda mark: mark.start):
        parts += [text[at : mark.start], f"[{text[mark.start : mark.end]}]({mark.kind})"]
        at = mark.end
    return "".join([*parts, text[at:]])


def place_marks(text: str, named: Sequence[tuple[str, str]]) -> list[Mark]:
    """(kind, words) found again in ``text``, one after the other, which was cleaned since they were marked; what is no
    longer there (redaction took it) is left out."""
    found: list[Mark] = []
    at = 0
    for kind, words in named:
        start = text.find(words, at) if words else -1
        if start >= 0:
            at = start + len(words)
            found.append(Mark(kind, start, at))
    return found
