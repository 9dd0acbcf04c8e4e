"""The row files that benchmarks read: ``.jsonl`` or ``.jsonl.gz``, UTF-8, one object a line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args

from chatbot.dialogue.trace import Role
from chatbot.errors import FileError
from chatbot.language.normalise import detect_language, fold

_DIALOGUE = 'Give each row its dialogue: {"turns": [{"role": "customer", "text": "…"}, …]}'


def read_rows(
    path: Path, lacks: Callable[[dict[str, Any]], str | None] = lambda row: None
) -> list[dict[str, Any]]:
    """``lacks`` says what a row needs and has not, in words. Raises FileError where a row lacks something, or as
    `numbered_rows`."""
    rows = numbered_rows(path)
    for number, row in rows:
        if lacking := lacks(row):
            raise FileError(
                f"{path.name}, line {number}: {lacking}",
                field="file",
                value=json.dumps(row, ensure_ascii=False)[:80],
                remedy=_DIALOGUE,
            )
    return [row for _, row in rows]


def labelled_rows(path: Path, *, no_context: bool = False) -> list[dict[str, Any]]:
    """Intent rows of a file; a sentiment stands for an intent. Raises FileError naming the line where a row has
    neither, or where what was said before is no list of turns."""
    out = []
    for number, row in numbered_rows(path):
        label = row.get("intent", row.get("sentiment"))
        if not isinstance(row.get("text"), str) or not isinstance(label, str):
            raise FileError(
                f"{path.name}, line {number}: no text or no intent",
                field="row",
                value=str(row),
                remedy='{"text", "intent"}',
            )
        lang, context = row.get("lang"), row.get("context")
        if lang is not None and not isinstance(lang, str):
            raise FileError(
                f"{path.name}, line {number}: this is no language",
                field="lang",
                value=str(lang),
                remedy='"en", or leave it out',
            )
        if context and not _are_turns(context):
            raise FileError(
                f"{path.name}, line {number}: the context is no list of turns",
                field="context",
                value=str(context),
                remedy='[{"role": "customer" or "agent", "text"}]',
            )
        out.append(
            {
                "text": row["text"],
                "intent": label,
                "lang": lang or detect_language(row["text"]),
                "context": [] if no_context else context or [],
            }
        )
    return out


def _are_turns(context: Any) -> bool:
    return isinstance(context, list) and all(
        isinstance(turn, dict) and turn.get("role") in get_args(Role) and isinstance(turn.get("text"), str)
        for turn in context
    )


def numbered_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Each row with its line. Raises FileError where the file is missing, empty, wrongly encoded or no JSON Lines,
    naming the line."""
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
        rows.append((number, row))
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
