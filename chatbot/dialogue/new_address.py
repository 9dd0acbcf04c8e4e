"""A postal address that is named where an action wants one in the customer's words: "ship KC-204822 to Kade 5, …".

It is taken before it is asked for only by an action that has it confirmed, and never where a message names several and
does not say which one is the new one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.dialogue.actions import Slot
from chatbot.dialogue.correcting import is_fragment
from chatbot.dialogue.own_words import EDGES
from chatbot.language.addresses import AddressSpan, find_addresses
from chatbot.language.entities import find_entities

_ASKS = re.compile(
    r"(?<!e-mail )(?<!email )(?<!mail )(?<!web )address|(?<!邮箱)(?<!邮件)(?<!电邮)(?<!网)地址", re.IGNORECASE
)
_NEW = (  # what nothing but a new address follows
    r"\bnew (?:delivery |shipping )?address(?: is)?[\s:,]+"
    r"|(?:改到|改成|改为|改為|换到|換到|换成|換成|寄到|寄往|寄去|送到|送往|送去|发到|發到|新(?:的)?(?:收[货貨])?地址(?:是|为|為)?)[\s:：,，]*"
)
_SAYS_NEW = re.compile(_NEW, re.IGNORECASE)
_TO = re.compile(rf"\b(?:to|into|ship(?:ped)? at)[\s:,]+|{_NEW}", re.IGNORECASE)
_OLD = re.compile(
    r"\b(?:from|instead of|not|old|previous|used to|was)\b[^.;]{0,25}$"
    r"|(?:从|從|不是|原来|原來|原地址|旧|舊|之前|原本)[^。；]{0,12}$",
    re.IGNORECASE,
)
_ENDS = re.compile(
    r"[\s,，]+(?:and|my|please|thanks?|thank you|because|since|as i|i|instead|if|can|could|is)\b"
    r"|[.!?]\s|[。！？；;\n]|[,，\s]*(?:谢谢|謝謝|请|請|麻烦|麻煩|可以吗|可以嗎|行吗|行嗎|好吗|好嗎|吗|嗎|吧|因为|因為|我的|我)",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*[,\n]\s*")
_PLACE_ZH = re.compile(r"[省市区區县縣镇鎮乡鄉村路街道巷弄号號楼樓栋棟室苑厦廈场場园園府城座院]")
_BETWEEN = 3  # characters between the pieces of one address: "贝克街221号，NW1 6XE"
_BEFORE = 30  # characters of a town that may stand before its street: "到鹿特丹Coolsingel 5"
_BEHIND = 40  # … and behind it


def asks_address(slot: Slot) -> bool:
    """Whether the customer's words that are asked for are a postal address: its name or its question says so."""
    if slot.kind != "text":
        return False
    return any(_ASKS.search(words) for words in (slot.name.replace("_", " "), *slot.ask.values()))


def may_be_address(words: str) -> bool:
    """Whether words that were asked for as an address can be one: they hold a number, a Chinese place, or two parts
    with capitals ("Rose Cottage, Little Hampton"). "Ja" and "what for" are sent to nobody."""
    parts = _PARTS.split(words.strip(EDGES))
    named = len(parts) > 1 and all(part[:1].isupper() for part in parts)
    return named or any(map(str.isdigit, words)) or _PLACE_ZH.search(words) is not None


def named_address(text: str) -> str | None:
    """The address, as written, that ``text`` names; None where there is none, or no telling which."""
    orders = [(one.start, one.end) for one in find_entities(text, kinds=("order",))]
    groups: list[list[AddressSpan]] = []
    for span in find_addresses(text, orders=orders):
        if groups and span.start - groups[-1][-1].end <= _BETWEEN:
            groups[-1].append(span)
        else:
            groups.append([span])
    streets = [
        group
        for group in groups
        if not all(is_fragment(text[one.start : one.end]) for one in group)
        and not _OLD.search(text[: group[0].start])
    ]
    if not groups:
        return _said_new(text)
    if len(streets) > 1:
        streets = [group for group in streets if _led(text, group[0].start) is not None]
    if len(streets) != 1:
        return None
    [group] = streets
    led = _led(text, group[0].start)
    start, end = group[0].start if led is None else led, group[-1].end
    rest = text[end : end + _BEHIND]
    ends = _ENDS.search(rest)
    behind = _without_values(rest[: ends.start()] if ends else rest)
    return (text[start:end] + behind).strip(EDGES) or None


def _said_new(text: str) -> str | None:
    """What follows "the new address is": a street that is written in no usual way, with its number."""
    leads = [match.end() for match in _SAYS_NEW.finditer(text)]
    if not leads:
        return None
    ends = _ENDS.search(text, leads[-1])
    words = text[leads[-1] : ends.start() if ends else len(text)].strip(EDGES)
    whole = any(map(str.isdigit, words)) and not is_fragment(words) and not find_entities(words)
    return words if whole else None


def _led(text: str, street: int) -> int | None:
    """Where the address begins whose street is at ``street``, going by the words before it."""
    leads = [match.end() for match in _TO.finditer(text, 0, street)]
    if not leads or street - leads[-1] > _BEFORE:
        return None
    between = text[leads[-1] : street]
    return leads[-1] if _ENDS.search(between) is None and not find_entities(between) else None


def _without_values(behind: str) -> str:
    """Up to an e-mail address, an order or a telephone number."""
    found: Sequence[int] = [one.start for one in find_entities(behind, kinds=("email", "order", "phone"))]
    return behind[: min(found)] if found else behind
