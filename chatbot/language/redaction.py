"""Personal values in a text become typed placeholders: [EMAIL], [PHONE], [CARD], [IBAN], [ID], [ORDER], [NAME],
[ADDRESS].

Within one conversation the same value has the same placeholder, and a second value is [EMAIL_2]. What a company
publishes is not personal: department mailboxes, free and service lines, and every value it names as its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from chatbot.language.addresses import find_addresses
from chatbot.language.entities import (
    DEFAULT_ORDER_PATTERN,
    HALF_WIDTH,
    find_entities,
    is_public_number,
    is_role_address,
)
from chatbot.language.names import find_names

PLACEHOLDER = re.compile(r"\[(EMAIL|PHONE|CARD|IBAN|ID|ORDER|NAME|ADDRESS)(?:_(\d+))?\]")
_KINDS = ("email", "iban", "id", "card", "order", "phone")
_QUICK = re.compile(r"[0-9@]|\((?:at)\)|\[at\]| [Dd][Oo][Tt] ")
_SPACES = re.compile(r"[\s,.\-()/]+")

# what other systems write in place of a value, read as ours
_FOREIGN = re.compile(
    r"\[(姓名|订单|地址|电话|手机|邮箱|邮件|ORDERID|USERNAME|NAME|EMAIL|PHONE)(?:[xX]|_?\d{3,})\]"
    r"|\{\{\s?(Order Number|Customer Name|Person Name|Client Name|Email(?: Address)?|Phone Number|"
    r"Customer Support Email)\s?\}\}"
    r"|<(EMAIL|PHONE|NAME|ADDRESS|ORDER)>|\[(?:redacted )?(email|phone|name|address|order)(?: address| number)?\]",
    re.IGNORECASE,
)
_FOREIGN_KINDS = {
    "姓名": "NAME", "username": "NAME", "name": "NAME", "customer name": "NAME", "person name": "NAME",
    "client name": "NAME", "订单": "ORDER", "orderid": "ORDER", "order": "ORDER", "order number": "ORDER",
    "地址": "ADDRESS", "address": "ADDRESS", "电话": "PHONE", "手机": "PHONE", "phone": "PHONE",
    "phone number": "PHONE", "邮箱": "EMAIL", "邮件": "EMAIL", "email": "EMAIL", "email address": "EMAIL",
    "customer support email": "EMAIL",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class RedactionRules:
    """What counts as personal at one company. ``keep``: values in ``canonical`` form that are the company's own."""

    order_pattern: str = DEFAULT_ORDER_PATTERN
    keep: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal value at ``start:end`` of a text. Equal ``value`` means the same person's same thing."""

    kind: str  # EMAIL, PHONE, …
    start: int
    end: int
    value: str


def order_pattern(own: Iterable[str]) -> str:
    """One pattern of the usual order numbers and of those that the company has its ``own`` patterns for."""
    return "|".join([DEFAULT_ORDER_PATTERN, *sorted({f"(?:{pattern})" for pattern in own if pattern})])


def canonical(value: str) -> str:
    """A value without the spaces and signs that people write into it, for comparing with ``keep``."""
    return _SPACES.sub("", value.translate(HALF_WIDTH)).casefold().lstrip("+")


def find_personal(text: str, *, rules: RedactionRules = RedactionRules()) -> list[Personal]:
    """The personal values in ``text``, in order, none overlapping another."""
    return list(_find_personal(text, rules))


def find_contacts(text: str) -> list[Personal]:
    """The e-mail addresses, telephone numbers and postal addresses in ``text``."""
    return [
        one for one in _without_names(text, RedactionRules()) if one.kind in ("EMAIL", "PHONE", "ADDRESS")
    ]


@lru_cache(maxsize=1024)  # a conversation's turns are read again with each of its messages
def _find_personal(text: str, rules: RedactionRules) -> tuple[Personal, ...]:
    found = _without_names(text, rules)
    for name in find_names(text):
        _claim(found, Personal("NAME", name.start, name.end, name.value), rules)
    return tuple(sorted(found, key=lambda personal: personal.start))


def _without_names(text: str, rules: RedactionRules) -> list[Personal]:
    found: list[Personal] = []
    if not text.isascii() or _QUICK.search(text):
        for entity in find_entities(text, order_pattern=rules.order_pattern, kinds=_KINDS):
            if entity.kind == "email" and is_role_address(entity.value):
                continue
            if entity.kind == "phone" and is_public_number(entity.value):
                continue
            _claim(found, Personal(entity.kind.upper(), entity.start, entity.end, entity.value), rules)
        orders = [(one.start, one.end) for one in found if one.kind == "ORDER"]
        for address in find_addresses(text, orders=orders):
            _claim(found, Personal("ADDRESS", address.start, address.end, address.value), rules)
    return found


def _claim(found: list[Personal], personal: Personal, rules: RedactionRules) -> None:
    if rules.keep and _is_kept(personal, rules.keep):
        return
    if (
        personal.kind == "ADDRESS"
    ):  # a house number may look like part of something else: the address has it all
        inside = [o for o in found if o.start >= personal.start and o.end <= personal.end]
        if any(o.start < personal.end and personal.start < o.end for o in found if o not in inside):
            return
        for other in inside:
            found.remove(other)
        found.append(personal)
    elif all(personal.end <= o.start or personal.start >= o.end for o in found):
        found.append(personal)


def _is_kept(personal: Personal, keep: frozenset[str]) -> bool:
    value = canonical(personal.value)
    if value in keep:
        return True
    # an address is written with or without its town and postcode
    return personal.kind == "ADDRESS" and any(
        known.startswith(value) or value.startswith(known)
        for known in keep
        if min(len(known), len(value)) >= 8
    )


@dataclass
class Redactor:
    """Redacts the texts of one conversation, one after the other, and remembers its values.

    ``names`` are names known from elsewhere (the ticket's requester): they go wherever they stand.
    """

    rules: RedactionRules = field(default_factory=RedactionRules)
    names: Iterable[str] = ()
    _placeholders: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _values: dict[str, str] = field(default_factory=dict, repr=False)  # placeholder -> value as first written
    _counts: dict[str, int] = field(default_factory=dict, repr=False)
    _known: dict[str, str] = field(default_factory=dict, repr=False)  # word of a name -> the whole name
    _known_regex: re.Pattern[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in self.names:
            self._learn(name.strip().lower(), name.strip())

    def redact(self, text: str) -> str:
        """``text`` with its personal values replaced."""
        if "[" in text or "{{" in text or "<" in text:
            text = self._adopt(text)
        found = find_personal(text, rules=self.rules)
        for personal in found:
            if personal.kind == "NAME":
                self._learn(personal.value, text[personal.start : personal.end])
        if self._known_regex is not None:
            for match in self._known_regex.finditer(text):
                whole = self._known[match[0].lower()]
                _claim(found, Personal("NAME", match.start(), match.end(), whole), self.rules)
            found.sort(key=lambda personal: personal.start)
        if not found:
            return text
        parts, at = [], 0
        for personal in found:
            parts += [text[at : personal.start], self._placeholder(personal, text)]
            at = personal.end
        return "".join([*parts, text[at:]])

    def redact_known(self, text: str) -> str:
        """``text``, redacted before, without the names learned since."""
        if self._known_regex is None:
            return text
        return self._known_regex.sub(
            lambda match: self._placeholder(
                Personal("NAME", match.start(), match.end(), self._known[match[0].lower()]), text
            ),
            text,
        )

    def restore(self, text: str) -> str:
        """``text`` with this conversation's placeholders turned back into what was written; others stay."""
        return PLACEHOLDER.sub(lambda match: self._values.get(match[0], match[0]), text)

    def _placeholder(self, personal: Personal, text: str) -> str:
        value = self._known.get(personal.value, personal.value) if personal.kind == "NAME" else personal.value
        key = (personal.kind, value)
        if key not in self._placeholders:
            number = self._counts.get(personal.kind, 0) + 1
            self._counts[personal.kind] = number
            shown = f"[{personal.kind}]" if number == 1 else f"[{personal.kind}_{number}]"
            self._placeholders[key] = shown
            self._values[shown] = text[personal.start : personal.end]
        return self._placeholders[key]

    def _learn(self, name: str, written: str) -> None:
        """From now on this name goes wherever it stands, and each of its words alone as well."""
        if len(name) < 2 or name in self._known or (self.rules.keep and canonical(name) in self.rules.keep):
            return
        words = [word for word in name.split() if len(word) > 2 and word.isalpha()]
        for word in [name, *words]:
            self._known.setdefault(word, name)
        if written.isascii() or len(name) > 1:
            # as a name is written: a customer called Will does not take the word "will" away
            forms = {known for known in self._known if not known.isascii()}
            forms |= {known.title() for known in self._known if known.isascii()}
            forms |= {known.upper() for known in self._known if known.isascii() and len(known) > 3}
            longest = sorted(forms, key=lambda form: (-len(form), form))
            self._known_regex = re.compile(
                "|".join(rf"\b{re.escape(f)}\b" if f.isascii() else re.escape(f) for f in longest)
            )

    def _adopt(self, text: str) -> str:
        """Our own placeholders are counted so that none is given twice; others' become ours."""
        for match in PLACEHOLDER.finditer(text):
            kind, number = match[1], int(match[2] or 1)
            self._counts[kind] = max(self._counts.get(kind, 0), number)
        return _FOREIGN.sub(self._foreign, text)

    def _foreign(self, match: re.Match[str]) -> str:
        word = next(group for group in match.groups() if group).lower()
        kind = _FOREIGN_KINDS[word]
        self._counts[kind] = max(self._counts.get(kind, 0), 1)
        return f"[{kind}]"


def redact(text: str, *, rules: RedactionRules = RedactionRules()) -> str:
    """One text on its own, for logs and exports."""
    return Redactor(rules).redact(text)


def redact_conversation(
    texts: Sequence[str],
    *,
    rules: RedactionRules = RedactionRules(),
    names: Iterable[str] = (),
) -> list[str]:
    """The texts of one conversation. A name that is only given away at the end goes from the beginning as well."""
    redactor = Redactor(rules, names)
    first = [redactor.redact(text) for text in texts]
    return [redactor.redact_known(text) for text in first]
