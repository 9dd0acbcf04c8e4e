"""What a Markdown file tells of itself in front of its text: YAML between lines of ``---``, or TOML between ``+++``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import yaml

from chatbot.errors import FileError

_FENCES = {"---": "YAML", "+++": "TOML"}
_CLOSED = {
    "---": re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE),
    "+++": re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE),
}
_TOML_LINE = re.compile(r" ?\(at (?:line (\d+), column \d+|end of document)\)$")
_SHOWN = 60  # characters of what is wrong


def split_front_matter(text: str, *, name: str) -> tuple[dict[str, Any], str]:
    """(front matter, body). ``name``: of the file, for messages.

    Raises FileError, naming the line of the file, where the front matter is no mapping in YAML or TOML or is never
    closed.
    """
    text = text.replace("\r\n", "\n")
    first, begun, rest = text.partition("\n")
    fence = first.rstrip()
    if fence not in _FENCES or not begun:
        return {}, text
    closed = _CLOSED[fence].search(rest)
    if closed is None:
        raise FileError(
            f"The front matter of {name} is not closed",
            value=rest[:_SHOWN],
            remedy=f"End it with a line of {fence}",
        )
    head, body = rest[: closed.start()], rest[closed.end() :].removeprefix("\n")
    front = _yaml(head, name) if fence == "---" else _toml(head, name)
    if not isinstance(front, dict):
        raise FileError(
            f"The front matter of {name} is no mapping", value=head[:_SHOWN], remedy="Write key: value"
        )
    return front, body


def text_of(front: Mapping[str, Any], *keys: str) -> str:
    """What stands under the first of the keys that has anything."""
    for key in keys:
        if (value := front.get(key)) is not None and str(value).strip():
            return str(value).strip()
    return ""


def _yaml(head: str, name: str) -> Any:
    try:
        return yaml.safe_load(head) or {}
    except yaml.YAMLError as error:
        where = getattr(error, "problem_mark", None)
        raise _broken(
            name,
            "YAML",
            line=where.line + 2 if where else None,
            value=getattr(error, "problem", None) or head,
            remedy="Put texts with a colon in quotes",
        ) from error
    except ValueError as error:  # a day that no month has
        raise _broken(
            name, "YAML", line=None, value=str(error), remedy="Write a day such as 2026-12-31"
        ) from error


def _toml(head: str, name: str) -> Any:
    try:
        return tomllib.loads(head)
    except tomllib.TOMLDecodeError as error:
        where = _TOML_LINE.search(str(error))
        # the end of the document is its last line with anything on it
        line = int(where[1]) if where and where[1] else len(head.rstrip().split("\n"))
        raise _broken(
            name,
            "TOML",
            line=line + 1,
            value=_TOML_LINE.sub("", str(error)),
            remedy='Write key = "value", texts in quotes',
        ) from error


def _broken(name: str, kind: str, *, line: int | None, value: str, remedy: str) -> FileError:
    where = f" in line {line}" if line else ""
    return FileError(f"The front matter of {name} is no {kind}{where}", value=value[:_SHOWN], remedy=remedy)
