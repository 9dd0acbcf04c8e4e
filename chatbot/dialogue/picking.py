"""Which of the things that a reply put up for choice is meant by words: "the second one", 第一个, or its
title's own words. By rule; anything else is a message of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chatbot.language.normalise import is_han
from chatbot.language.simplified import simplified

_ORDINALS = (
    ("first", "1st", "one", "1", "i", "一", "①"),
    ("second", "2nd", "two", "2", "ii", "二", "②"),
    ("third", "3rd", "three", "3", "iii", "三", "③"),
    ("fourth", "4th", "four", "4", "iv", "四", "④"),
)
_WORDS = "|".join(word for words in _ORDINALS for word in words)
_PLACE = re.compile(
    r"(?:(?:yes|ok|okay|it'?s|it is|i mean|i meant|i want|i'd like|i choose|i pick|i take|take|pick|select"
    r"|choose|please|well|um|about) )*"
    r"(?:the |my |no |nr |number |option |choice |answer |question |# ?)*"
    rf"(?P<en>{_WORDS}|last|latter|former|top|bottom)"
    r"(?: (?:one|option|choice|question|answer|of them|of these|of those))*(?: (?:please|thanks|thank you|pls|then))*"
)
_PLACE_ZH = re.compile(
    r"(?:是|我?(?:想|要|是)?(?:问|选|说)的?(?:是|就是)?|应该是|就|嗯|好|选择?)*"
    r"(?:第?(?P<zh>[一二三四1-4])(?:个|项|条|种|题)|第(?P<bare>[一二三四1-4])|(?P<end>最后(?:面)?(?:那?一?)?(?:个|项|条)?|后者|前者|上面(?:那)?个?|下面(?:那)?个?))"
    r"(?:问题|选项)?(?:吧|的|啊|呀|谢谢|就行|就好)*"
)
_LAST = ("last", "latter", "bottom", "最后", "后者", "下面")
_MARKS = re.compile(r"[\s!.,;:?…、。()\[\]\"“”\-/]+")
_FILLER = frozenset(
    [
        "the",
        "a",
        "an",
        "one",
        "my",
        "your",
        "please",
        "thanks",
        "i",
        "mean",
        "meant",
        "it's",
        "its",
        "it",
        "is",
        "that",
        "this",
        "yes",
        "ok",
        "okay",
        "about",
        "question",
        "option",
        "with",
        "of",
        "for",
        "to",
        "do",
        "does",
        "can",
        "how",
        "what",
        "when",
        "where",
        "in",
        "on",
        "and",
        "or",
        "you",
        "we",
        "me",
    ]
)
_FILLER_ZH = re.compile(
    r"^(?:是|我(?:想|要)?(?:问|说)?的?(?:是|就是)?|那个?|就是|关于|选)+|(?:那个|这个|的|吧|啊|呀|那一?个|这一?个|问题)+$"
)
_ASKS_ZH = frozenset(
    [
        "什么",
        "怎么",
        "多少",
        "多久",
        "哪里",
        "哪个",
        "可以",
        "如何",
        "为什么",
        "你们",
        "我们",
        "怎么办",
        "能不能",
    ]
)  # said of anything


def picked(text: str, choices: Sequence[tuple[str, str]]) -> str | None:
    """The payload of the choice that ``text`` names; ``choices``: title and payload, as they were shown."""
    if not choices or len(text) > 120:
        return None
    folded = simplified(text)
    plain = _MARKS.sub(" ", folded).strip()
    if "?" not in folded:
        place = _place(plain, len(choices))
        if place is not None:
            return choices[place][1] if place < len(choices) else None
    titles = [_MARKS.sub(" ", simplified(title)).strip() for title, _ in choices]
    found = [payload for (_, payload), title in zip(choices, titles, strict=True) if title == plain]
    if not found:
        found = [choices[number][1] for number in _by_words(plain, titles)]
    return found[0] if len(found) == 1 else None


def _place(plain: str, count: int) -> int | None:
    match = _PLACE.fullmatch(plain) or _PLACE_ZH.fullmatch(plain.replace(" ", ""))
    if match is None:
        return None
    word = next(group for group in match.groups() if group)
    for place, words in enumerate(_ORDINALS):
        if word in words:
            return place
    return count - 1 if word.startswith(_LAST) else 0


def _by_words(plain: str, titles: Sequence[str]) -> list[int]:
    """The titles that hold all words of it, or, in Chinese, the whole of it."""
    if any(is_han(ch) for ch in plain):
        part = _FILLER_ZH.sub("", plain.replace(" ", ""))
        return [
            n
            for n, title in enumerate(titles)
            if len(part) >= 2 and part not in _ASKS_ZH and part in title.replace(" ", "")
        ]
    words = set(plain.split()) - _FILLER
    return [n for n, title in enumerate(titles) if words and words <= set(title.split())]
