"""Messages that say hardly more than which order they are about: "KC-204817", 订单号 KC-204817, "and KC-204830?".

Such a message has no words that a model could read. By rule, and only where every word of it belongs to naming an
order, or to asking where it is and when it comes: "KC-204817 came broken" asks something else.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Literal

from chatbot.dialogue.actions import Action, Slot, nothing
from chatbot.dialogue.slot_filling import Value, values_of
from chatbot.language.simplified import simplified

AT_ONCE = 3  # orders that one message is told about
Named = Literal["alone", "whereabouts"]

_NAMING_WORDS = """
    a about also an and but concerning for from have here hello hey hi how i id im in is it its it's i'm i've my mine
    no nr num number numbers of ok okay one order orders other our please purchase re ref reference regarding same
    second so sorry thanks thank that that's the then these this those to too what what's with yes you
"""
_WHERE_WORDS = """
    already any anything are arrive arrived arrives arriving at be been being can check come comes coming could
    day deliver delivered delivery did do does due eta expect expected find gone has have i've know left long look me
    much news now on out package packages parcel parcels posted progress sent ship shipment shipped shipping show
    status tell there time today tomorrow track tracking up update updates want was way we went were when when's where
    where's which will would yet
"""
_NAMES, _WHEREABOUTS = frozenset(_NAMING_WORDS.split()), frozenset(_WHERE_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+(?:'[a-z]+)?")
_NAMES_ZH = re.compile(
    r"订单(?:编?号码?|号)?|单号|编号|号码|是|为|的|我|这个|那个?|这|一个|另外|还有|以及|和|跟|与|呢|哦|嗯|好|您好|你好|请问|麻烦|谢谢|在这里?"
)
_WHEREABOUTS_ZH = re.compile(
    r"物流|快递|包裹|货|到哪里?儿?|在哪里?儿?|哪里|什么时候|啥时候|何时|几时|多久|几天|哪天|今天|明天|现在|目前|已经|能不能|能|可以|会"
    r"|签收|派送|配送|发货|发出|寄出|送达|送到|到达|到货|送|发|寄|到|了|吗|没有?|有|状态|进度|情况|信息|怎么样|查询|查|看看?|一下|下|告诉|帮忙?|想|要|知道|都|分别"
)
_LEFT = re.compile(r"[\s.,;:!?#&+/()\[\]\-–—~、，。；：！？“”\"'（）【】]+")


def named_order(text: str, values: Collection[Value]) -> Named | None:
    """What a message that names orders (``values``, with their places in ``text``) says beside them: nothing, or where
    they are; None where it says more, or names none."""
    if not values:
        return None
    for value in sorted(values, key=lambda one: one.start, reverse=True):
        text = f"{text[: value.start]} {text[value.end :]}"
    plain = simplified(text)
    words = {word for word in _WORD.findall(plain) if word.isascii()}
    chinese = _LEFT.sub("", re.sub(r"[a-z']+", " ", plain))
    left = _NAMES_ZH.sub("", chinese)
    if words <= _NAMES and not left:
        return "alone"
    where = words <= _NAMES | _WHEREABOUTS and not _WHEREABOUTS_ZH.sub("", left)
    return "whereabouts" if where else None


def orders_in(action: Action, text: str) -> list[Value]:
    """The different orders that ``text`` names, each with its place in it, where an order is all that the action wants
    to be told; in order. Empty for an action that changes something."""
    slots = [slot for slot in action.slots if slot.kind != "confirm"]
    if action.changes or len(slots) != 1 or slots[0].kind not in ("order", "pattern"):
        return []
    found: dict[str, Value] = {}
    for value in values_of(slots[0], text, nothing):
        found.setdefault(value.value, value)
    return list(found.values())


def wanted_orders(action: Action, text: str) -> list[Value]:
    """The orders in ``text`` where the action wants one to be told; empty where it wants none, or none is named."""
    slots = [slot for slot in action.slots if slot.kind == "order"]
    return values_of(slots[0], text, nothing) if slots else []


def orders_named(text: str) -> list[Value]:
    """The order numbers of the usual kind in ``text``."""
    return values_of(Slot("order", "order"), text, nothing)
