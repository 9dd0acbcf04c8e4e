"""The row files that benchmarks read: ``.jsonl`` or ``.jsonl.gz``, UTF-8, one object a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from chatbot.errors import FileError
from chatbot.language.normalise import fold

_DIALOGUE = 'Give each row its dialogue: {"turns": [{"role": "customer", "text": "…"}, …]}'


def read_rows(
    path: Path, lacks: Callable[[dict[str, Any]], str | None] = lambda row: None
) -> list[dict[str, Any]]:
    """``lacks`` says what a row needs and has not, in words. Raises FileError where a row lacks something, or the file
    is missing, empty, wrongly encoded or no JSON Lines, naming the line."""
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = raw.decode("utf-8").splitlines()
    except (OSError, EOFError) as error:
        raise FileError(f"cannot read {path.name}: {error}", field="file", value=path) from error
    except UnicodeDecodeError as error:
        raise FileError(
            f"{path.name} is not UTF-8", field="file", value=path, remedy="convert the file to UTF-8"
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise FileError(f"{path.name}, line {number}: not JSON", field="file", value=line[:80]) from error
        if not isinstance(row, dict):
            raise FileError(f"{path.name}, line {number}: not an object", field="file", value=line[:80])
        if lacking := lacks(row):
            raise FileError(
                f"{path.name}, line {number}: {lacking}", field="file", value=line[:80], remedy=_DIALOGUE
            )
        rows.append(row)
    if not rows:
        raise FileError(f"{path.name} has no rows", field="file", value=path)
    return rows


def no_dialogue(row: dict[str, Any]) -> str | None:
    """What keeps a row from being a dialogue; None: it is one."""
    turns = row.get("turns")
    if not isinstance(turns, list):
        return "no turns" if turns is None else "turns is no list"
    for place, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict) or not isinstance(turn.get("role"), str):
            return f"turn {place} has no role"
    return None


def no_reply(row: dict[str, Any]) -> str | None:
    """The same of a row that replies are learned from: a dialogue, or a pair of context and response."""
    if "response" in row:
        return None if "context" in row else "a response without its context"
    return no_dialogue(row)


def joined(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Relevance rows of one wording, and the same turns before, as one row with all their documents (``also``).

    A question that several documents answer may stand in a file once for each. Other rows stay as they are.
    """
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for number, row in enumerate(rows):
        text, name = row.get("query"), row.get("faq_id")
        if not isinstance(text, str) or name is None:
            found[str(number),] = row
            continue
        key = (fold(text), json.dumps(row.get("context"), sort_keys=True))
        first = found.setdefault(key, row)
        if first is not row:
            found[key] = {**first, "also": [*(first.get("also") or ()), name, *(row.get("also") or ())]}
    return list(found.values())
