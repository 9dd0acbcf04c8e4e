"""Sentence patterns with word lists, from which further openings of the demo's conversations are drawn.

``material/<lang>-patterns-<section>.yaml`` is a list with, for each topic, ``words`` (lists of interchangeable
wordings by name) and ``patterns``: sentences that name those lists in braces. A slot of the conversation such
as ``{order}`` is left standing in what is drawn. Word lists may name other word lists.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatbot.errors import FileError

SLOT = re.compile(r"\{(\w+)\}")
CONVERSATION_SLOTS = frozenset(("product", "order", "city", "days", "name", "email", "amount", "date"))


@dataclass(frozen=True)
class Patterns:
    """The patterns of one topic, or of one small-talk intent; ``words`` maps a list's name to its wordings."""

    topic: str | None
    intent: str | None
    words: Mapping[str, tuple[str, ...]]
    patterns: tuple[str, ...]


def parse_patterns(raw: Any, *, source: str) -> tuple[Patterns, ...]:
    """The patterns of one file's content.

    Raises FileError, naming ``source``, for a missing key, an unknown or empty word list, or lists that name
    each other in a circle.
    """
    try:
        found = tuple(
            Patterns(
                topic=entry["topic"],
                intent=entry["intent"],
                words={
                    name: tuple(map(str, wordings)) for name, wordings in (entry.get("words") or {}).items()
                },
                patterns=tuple(map(str, entry["patterns"])),
            )
            for entry in raw
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise FileError(
            f"{source} has an incomplete entry: {error}",
            value=source,
            remedy="Give topic, intent, words (lists by name) and patterns",
        ) from error
    for entry in found:
        _check(entry, source=source)
    return found


def _check(entry: Patterns, *, source: str) -> None:
    about = entry.topic or entry.intent
    if not entry.patterns or not all(entry.words.values()):
        raise FileError(f"{source}: {about} has an empty list", value=str(about), remedy="Write its wordings")
    known = entry.words.keys() | CONVERSATION_SLOTS
    for text in (*entry.patterns, *(text for wordings in entry.words.values() for text in wordings)):
        if strange := set(SLOT.findall(text)) - known:
            raise FileError(
                f"{source}: {about} names an unknown word list in {text!r}",
                value=", ".join(sorted(strange)),
                remedy="Add the list under words, or correct its name",
            )
    names = {
        name: {slot for text in texts for slot in SLOT.findall(text)} & entry.words.keys()
        for name, texts in entry.words.items()
    }
    while free := {name for name, needs in names.items() if not needs & names.keys()}:
        names = {name: needs for name, needs in names.items() if name not in free}
    if names:
        raise FileError(
            f"{source}: the word lists of {about} name each other in a circle",
            value=", ".join(sorted(names)),
            remedy="Take the circle apart; a list with the name of a slot hides the slot",
        )
