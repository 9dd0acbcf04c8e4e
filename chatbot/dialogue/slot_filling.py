"""The details of an action from what the customer wrote, over all of his turns, the newest first.

An answer to the bot's own question is read more freely than a passing remark: asked for the order, ``204817`` is one.
Asked whether it is right, the customer may give the last detail in his own words anew.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from chatbot.dialogue.actions import Finder, Said, Slot, nothing
from chatbot.dialogue.correcting import correction, edited, is_fragment
from chatbot.dialogue.helping import needs_help
from chatbot.dialogue.new_address import asks_address, may_be_address, named_address
from chatbot.dialogue.own_words import EDGES, answers, is_question, yes_or_no
from chatbot.language.entities import DEFAULT_ORDER_PATTERN, Entity, find_entities

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


@dataclass(frozen=True, slots=True)
class Value:
    """``value`` as compared and sent, ``text`` as written. ``start:end``: where a number stands in its message."""

    value: str
    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


def read_slots(
    slots: Sequence[Slot], said: Sequence[Said], *, find: Finder = nothing, accepts: Collection[str] = ()
) -> dict[str, Value]:
    """What is known of each slot; those of which nothing is known are left out. ``find``: the learned entities.
    ``accepts``: the second proofs that are asked for beside them."""
    found: dict[str, Value] = {}
    for slot in slots:
        if slot.kind == "text":
            value = _in_own_words(slot, slots, said, accepts)
        elif slot.kind == "confirm":
            value = _confirmed(slot, slots, said)
        else:
            value = _newest(slot, slots, said, find)
        if value is not None:
            found[slot.name] = value
    return found


def _newest(slot: Slot, slots: Sequence[Slot], said: Sequence[Said], find: Finder) -> Value | None:
    alike = [
        other.name
        for other in slots
        if other.kind == slot.kind and (slot.kind != "entity" or other.pattern == slot.pattern)
    ]
    for message in reversed(said):
        asked = message.asked == slot.name
        if message.asked in alike and not asked:
            continue  # the answer to the question for another one of its kind
        values = _values(slot, message.text, find, asked=asked)
        place = 0 if asked else alike.index(slot.name)
        if place < len(values):
            return values[place]
    return None


def _in_own_words(
    slot: Slot, slots: Sequence[Slot], said: Sequence[Said], accepts: Collection[str]
) -> Value | None:
    """Words mean this only as the answer to this very question, or where the last of them is corrected when all is to
    be confirmed. An address is taken from what was said to the action as well, if it is confirmed."""
    last = slot.name == [other.name for other in slots if other.kind == "text"][-1]
    confirms = {other.name for other in slots if other.kind == "confirm"}
    others = {other.name for other in slots if other.kind not in ("text", "confirm")}
    named = bool(confirms) and asks_address(slot)
    words: str | None = None
    for message in said:  # a correction may edit what was said before it
        if message.asked == slot.name:
            words = _answer(slot, slots, message.text, words, accepts)
        elif message.asked in confirms and last:
            words = _anew(slot, slots, message.text, words, accepts) or words
        elif named and message.of and (message.asked is None or message.asked in others):
            words = named_address(message.text) or words
    return Value(words, words) if words else None


def _answer(
    slot: Slot, slots: Sequence[Slot], text: str, before: str | None, accepts: Collection[str]
) -> str | None:
    """The answer to the question for ``slot``; ``before``: what was known of it, which a correction may edit."""
    text = text.strip()
    put, marked = correction(text)
    words = (put if marked else text)[:LONGEST]
    if is_fragment(words) and (marked or asks_address(slot)):
        return edited(before, words) if before else None
    taken = not needs_help(text) and _could_be(slot, words)
    return words if taken and answers(words, _elsewhere(slots, accepts, words)) else None


def _anew(
    slot: Slot, slots: Sequence[Slot], text: str, before: str | None, accepts: Collection[str]
) -> str | None:
    """What takes the place of ``before`` where it was to be confirmed."""
    words = correction(text)[0][:LONGEST]
    if is_fragment(words):
        return edited(before, words) if before else None
    if words and _could_be(slot, words) and answers(words, _elsewhere(slots, accepts, words)):
        return words
    return named_address(text) if asks_address(slot) and not is_question(text) else None


def _could_be(slot: Slot, words: str) -> bool:
    return not asks_address(slot) or may_be_address(words)


def _elsewhere(slots: Sequence[Slot], accepts: Collection[str], text: str) -> list[str]:
    """The values in ``text`` that are those of another detail or of the proof, as written."""
    found = [
        value.text
        for slot in slots
        if slot.kind in ("order", "email", "phone", "pattern")
        for value in _values(slot, text, nothing, asked=False)
    ]
    if "email" in accepts:
        found += [entity.text for entity in find_entities(text, kinds=("email",))]
    return list(dict.fromkeys(found))


def _confirmed(slot: Slot, slots: Sequence[Slot], said: Sequence[Said]) -> Value | None:
    """The yes or no to the newest question; none where something was given anew since."""
    alike = [other.name for other in slots if other.kind == "confirm"]
    for message in reversed(said):
        if message.asked == slot.name:
            told = yes_or_no(message.text[:LONGEST])
            return Value(told, message.text.strip()[:LONGEST]) if told else None
        if message.asked is not None and message.asked not in alike:
            return None  # what was confirmed has changed since
    return None


def values_of(slot: Slot, text: str, find: Finder) -> list[Value]:
    """What ``text`` names of the slot's kind, asked for or not."""
    return _values(slot, text, find, asked=False)


def _values(slot: Slot, text: str, find: Finder, *, asked: bool) -> list[Value]:
    if slot.kind == "entity":
        named = [Value(one.text, one.text) for one in find(text) if one.kind == slot.pattern]
        words = text.strip().strip(EDGES)
        bare = len(words) <= SHORT_ANSWER and answers(text)
        if not named and asked and bare:
            named = [Value(words, words)]  # nothing but the answer to its own question
        return named
    if slot.kind == "pattern":
        return [
            Value(match[0].strip(), match[0].strip(), *match.span())
            for match in re.finditer(slot.pattern, text, re.IGNORECASE)
            if match[0].strip()
        ]
    pattern = slot.pattern or DEFAULT_ORDER_PATTERN
    found = [
        Value(entity.value, entity.text.strip(), entity.start, entity.end)
        for entity in find_entities(text, order_pattern=pattern)
        if entity.kind == slot.kind
    ]
    if not found and asked and slot.kind == "order" and (match := _ORDER_ANSWER.search(text)):
        found = [Value(re.sub(r"[\s\-]", "", match[0]).upper(), match[0])]
    return found


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
