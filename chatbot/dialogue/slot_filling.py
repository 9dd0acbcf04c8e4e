"""The details of an action from what the customer wrote, over all of his turns, the newest first.

An answer to the bot's own question is read more freely than a passing remark: asked for the order, ``204817`` is one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from chatbot.dialogue.actions import Finder, Said, Slot, nothing
from chatbot.language.entities import DEFAULT_ORDER_PATTERN, Entity, find_entities
from chatbot.language.normalise import fold

LONGEST = 300  # characters of a detail in the customer's own words
SHORT_ANSWER = 40  # characters of an answer that is nothing but the entity asked for

_ORDER_ANSWER = re.compile(r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,5}-?)?\d{4,15}(?![A-Za-z0-9])")
_NAMED_POSTCODE = re.compile(
    r"(?:post\s?code|zip(?:\s?code)?|postal code|邮政编码|邮编)(?:\s|is|was|:|=|是|为|,|，|：)*"
    r"((?=[A-Za-z0-9 \-]*\d)[A-Za-z0-9][A-Za-z0-9 \-]{1,8}[A-Za-z0-9])",
    re.IGNORECASE,
)
_POSTCODE_ANSWER = re.compile(
    r"(?<![A-Za-z0-9])(?:\d{4}\s?[A-Za-z]{2}|[A-Za-z]{1,2}\d[A-Za-z\d]?\s?\d[A-Za-z]{2}|\d{3}[\s\-]\d{2,4}"
    r"|[A-Za-z]{1,2}-?\d{4,5}|\d{4,7}|[A-Za-z]\d[A-Za-z]\s?\d[A-Za-z]\d)(?![A-Za-z0-9])"
)
_YES = re.compile(
    r"(?:yes|yeah|yep|yup|sure|ok|okay|please do|do it|go ahead|correct|right|confirm(?:ed)?|i confirm"
    r"|是的?|好的?|可以|对的?|确认|确定|没错|行|嗯)"
    r"(?:[\s,，。.!！]+(?:please|go ahead|do it|确认|谢谢|thanks|thank you))*"
)
_NO = re.compile(
    r"(?:no|nope|don'?t|do not|stop|cancel(?: that| it)?|never ?mind|forget (?:it|that)|rather not|no thanks?(?: you)?"
    r"|不(?:是|要|用|对|行|必|确认|了)?(?:了|谢谢)?|算了|取消|别)(?:[\s,，。.!！]+(?:thanks|thank you|please|谢谢))*"
)
_DROPPED = re.compile(
    r"(?:no[,\s]+)?(?:never ?mind|forget (?:it|about it|that)|leave it|no thanks?(?: you)?"
    r"|stop|cancel(?: that| it)?|算了|不用了|不查了|不必了|取消吧?)"
    r"(?:[\s,，。.!！]+(?:thanks|thank you|谢谢|吧))*"
)
_QUESTION = re.compile("[?？]")
_EDGES = " \t\n.,!?;:。，！？；：~～'\"“”"


@dataclass(frozen=True, slots=True)
class Value:
    """``value`` as compared and sent, ``text`` as written."""

    value: str
    text: str


def read_slots(slots: Sequence[Slot], said: Sequence[Said], *, find: Finder = nothing) -> dict[str, Value]:
    """What is known of each slot; those of which nothing is known are left out. ``find``: the learned entities."""
    found: dict[str, Value] = {}
    for slot in slots:
        alike = [
            other.name
            for other in slots
            if other.kind == slot.kind and (slot.kind != "entity" or other.pattern == slot.pattern)
        ]
        value = _newest(slot, said, alike, find)
        if value is not None:
            found[slot.name] = value
    return found


def _newest(slot: Slot, said: Sequence[Said], alike: Sequence[str], find: Finder) -> Value | None:
    for message in reversed(said):
        asked = message.asked == slot.name
        if slot.kind in ("text", "confirm"):
            if asked:  # words mean this only as the answer to this very question
                return _in_own_words(slot, message.text)
            if slot.kind == "confirm" and message.asked is not None and message.asked not in alike:
                return None  # what was confirmed has changed since
            continue
        if message.asked in alike and not asked:
            continue  # the answer to the question for another one of its kind
        values = _values(slot, message.text, find, asked=asked)
        place = 0 if asked else alike.index(slot.name)
        if place < len(values):
            return values[place]
    return None


def _values(slot: Slot, text: str, find: Finder, *, asked: bool) -> list[Value]:
    if slot.kind == "entity":
        named = [Value(one.text, one.text) for one in find(text) if one.kind == slot.pattern]
        words = text.strip().strip(_EDGES)
        bare = 0 < len(words) <= SHORT_ANSWER and not is_dropped(text) and not _QUESTION.search(text)
        if not named and asked and bare:
            named = [Value(words, words)]  # nothing but the answer to its own question
        return named
    if slot.kind == "pattern":
        return [
            Value(match[0].strip(), match[0].strip())
            for match in re.finditer(slot.pattern, text, re.IGNORECASE)
            if match[0].strip()
        ]
    pattern = slot.pattern or DEFAULT_ORDER_PATTERN
    found = [
        Value(entity.value, entity.text.strip())
        for entity in find_entities(text, order_pattern=pattern)
        if entity.kind == slot.kind
    ]
    if not found and asked and slot.kind == "order" and (match := _ORDER_ANSWER.search(text)):
        found = [Value(re.sub(r"[\s\-]", "", match[0]).upper(), match[0])]
    return found


def _in_own_words(slot: Slot, text: str) -> Value | None:
    words = text.strip()[:LONGEST]
    if slot.kind == "text":
        return Value(words, words) if words else None
    plain = fold(words).strip(_EDGES)
    if _YES.fullmatch(plain):
        return Value("yes", words)
    return Value("no", words) if _NO.fullmatch(plain) else None


def read_proofs(accepts: Sequence[str], said: Sequence[Said], *, asked: Collection[str]) -> dict[str, str]:
    """The second proofs among ``accepts`` of the newest message that holds one: a proof that was wrong is not sent
    again with the next. ``asked``: what a message answers that may be a bare postcode."""
    for message in reversed(said):
        found: dict[str, str] = {}
        entities = find_entities(message.text)
        emails = [entity.value for entity in entities if entity.kind == "email"]
        if "email" in accepts and emails:
            found["email"] = emails[0]
        if "postcode" in accepts:
            named = _NAMED_POSTCODE.search(message.text)
            bare = _bare_postcode(message.text, entities) if message.asked in asked else None
            if named or bare:
                found["postcode"] = named[1].strip() if named else bare or ""
        if found:
            return found
    return {}


def _bare_postcode(text: str, entities: Sequence[Entity]) -> str | None:
    for match in _POSTCODE_ANSWER.finditer(text):
        if not any(
            e.kind in ("order", "email") and e.start < match.end() and match.start() < e.end for e in entities
        ):
            return match[0].strip()
    return None


def is_dropped(text: str) -> bool:
    """Whether the customer no longer wants it: "never mind", "算了"."""
    return _DROPPED.fullmatch(fold(text).strip(_EDGES)) is not None
