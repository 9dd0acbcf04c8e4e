"""The approved words for an action's answer: plain ``{slots}`` and nothing that computes.

A text may have several parts, each under a line such as ``[status=shipped]`` that says for which answer it stands; what
stands before the first such line, or under ``[]``, is for any other answer. A slot is a name or a place in the answer
(``{carrier.name}``, ``{items.0.title}``). Values are put in as text: a value that looks like a slot stays what it is.
Below a line of ``---`` a part has its cards (chatbot/dialogue/cards.py), with slots as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatbot.dialogue.cards import RULE, Card, cards_from_text
from chatbot.errors import InputError, OutboundError

LONGEST_TEMPLATE = 4_000  # characters
LONGEST_VALUE = 300
_SLOT = re.compile(r"\{([^{}]*)\}")
_PATH = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+){0,5}")
_HEAD = re.compile(r"\[(?:([A-Za-z_][\w.-]*)\s*=\s*([^\]\n]*))?\]")
_YES_NO = {"en": ("yes", "no"), "zh": ("是", "否")}
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True, slots=True)
class Template:
    """``when``: (place in the answer, its value), None: any answer."""

    text: str
    when: tuple[str, str] | None = None
    cards: tuple[Card, ...] = ()

    @property
    def slots(self) -> tuple[str, ...]:
        written = (self.text, *(text for card in self.cards for text in card.texts))
        return tuple(dict.fromkeys(name for text in written for name in _SLOT.findall(text)))


def read_templates(text: str, *, field: str = "template") -> tuple[Template, ...]:
    """The parts of ``text``, those with a condition first. Raises InputError with what cannot be and where."""
    if len(text) > LONGEST_TEMPLATE:
        raise InputError(
            "The text is too long",
            field=field,
            value=len(text),
            remedy=f"At most {LONGEST_TEMPLATE} characters",
        )
    parts: list[tuple[tuple[str, str] | None, list[str]]] = [(None, [])]
    for line in text.strip().splitlines():
        head = _HEAD.fullmatch(line.strip())
        if head is None:
            parts[-1][1].append(line.rstrip())
        else:
            parts.append(((head[1], head[2].strip()) if head[1] else None, []))
    found = [_template(lines, when) for when, lines in parts if any(line.strip() for line in lines)]
    for template in found:
        for words in (template.text, *(text for card in template.cards for text in card.texts)):
            _check(words, field)
    whens = [template.when for template in found]
    if len(set(whens)) != len(whens):
        twice = next(when for when in whens if whens.count(when) > 1)
        raise InputError(
            "Two texts stand for the same answer",
            field=field,
            value="[]" if twice is None else f"[{twice[0]}={twice[1]}]",
            remedy="Keep one of them",
        )
    return tuple(sorted(found, key=lambda template: template.when is None))


def _template(lines: Sequence[str], when: tuple[str, str] | None) -> Template:
    rule = next((at for at, line in enumerate(lines) if line.strip() == RULE), len(lines))
    cards = cards_from_text("\n".join(lines[rule:]), slots=True)
    text = "\n".join(lines[:rule]).strip()
    if not text:
        raise InputError(
            "Cards stand under words", field="template", value=RULE, remedy="Write a sentence above them"
        )
    return Template(text, when, cards)


def _check(text: str, field: str) -> None:
    for name in _SLOT.findall(text):
        if not _PATH.fullmatch(name):
            raise InputError(
                "Not a slot",
                field=field,
                value=f"{{{name}}}",
                remedy="Write a name or a place in the answer, for example {order} or {carrier.name}",
            )
    if "{" in _SLOT.sub("", text) or "}" in _SLOT.sub("", text):
        raise InputError(
            "A brace has no partner", field=field, value=text[:60], remedy="Write slots as {name}"
        )


def choose(templates: Sequence[Template], answer: Mapping[str, Any]) -> Template:
    """The first template that fits ``answer``. Raises OutboundError where none does."""
    for template in templates:
        if template.when is None:
            return template
        found, value = look_up(answer, template.when[0])
        if found and in_words(value, "en").casefold() == template.when[1].casefold():
            return template
    raise OutboundError(
        "No text stands for this answer",
        field="templates",
        remedy="Write one that stands for any other answer, without [place=value] above it",
        code="no_template",
    )


def fill(text: str, values: Mapping[str, Any], *, lang: str) -> str:
    """``text`` with its slots filled in one pass. Raises OutboundError naming what the answer does not hold."""

    def value_of(match: re.Match[str]) -> str:
        found, value = look_up(values, match[1])
        if not found or value is None or isinstance(value, dict | list) or in_words(value, lang) == "":
            raise OutboundError(
                f"The answer holds no {match[1]}",
                field="templates",
                value=match[1],
                remedy=f"The service must answer {match[1]}, or the text must do without it",
                code="missing_key",
            )
        return in_words(value, lang)

    return _SLOT.sub(value_of, text)


def look_up(values: Mapping[str, Any], path: str) -> tuple[bool, Any]:
    """Whether ``path`` leads anywhere, and what stands there. A key with points in it goes before a path."""
    if path in values:
        return True, values[path]
    here: Any = values
    for step in path.split("."):
        if isinstance(here, Mapping) and step in here:
            here = here[step]
        elif isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        else:
            return False, None
    return True, here


def in_words(value: Any, lang: str) -> str:
    """A value as it is read: one line, nothing invisible, yes and no in the language."""
    if isinstance(value, bool):
        return _YES_NO.get(lang, _YES_NO["en"])[0 if value else 1]
    return _UNPRINTABLE.sub(" ", str(value)).strip()[:LONGEST_VALUE]
