"""The price of a thing that a question names and says nothing else about: "how much is the X?", X 多少钱.

By its few words it is nearest to whatever article asks for a price by its title, "What does a repair cost?"; that one
states what something else costs. So articles come before it that state an amount right behind the name ("X: €249", "X
(€24)"), first one that has the name in its title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chatbot.dialogue.answer_kinds import asked_for
from chatbot.dialogue.lookup import Lookup
from chatbot.dialogue.trace import Hit
from chatbot.dialogue.weighing import Candidate
from chatbot.language.normalise import fold

_BARE = re.compile(
    r"(?:(?:hi|hello|hey|and|so|ok|okay|please|then)[\s,!.]+)*"
    r"(?:how much (?:is|are|does|do|would|for|it)|what(?:['’]s| is| are| does| do)(?: the)? (?:price|cost)s? (?:of|for)"
    r"|what(?: does| do| would|['’]s| is)|(?:the )?(?:price|cost)s?(?: of| for)?)\s+"
    r"(?:(?:the|an?|your|one|new)\s+)*(?P<en>[^,.;:!?]{2,40}?)(?P<cost>\s+(?:cost|price)s?)?(?: (?:please|now|today))*"
    r"|(?:请问|你好|您好|那|你们的?|一[台个款把只]|[，,\s])*(?P<zh>[^，,。!！?？]{2,20}?)\s*的?"
    r"(?:现在|大概|要|是|卖)*(?:多少钱|什么价格?|价格(?:是?多少)?|售价(?:是?多少)?|怎么卖)[啊呢呀吗]*"
)
_PRICE = re.compile(r"\b(?:how much|prices?|costs?)\b")
_AMOUNT = r"(?:[€$£¥]\s?\d|\d[\d.,]*\s?(?:€|eur|euros?|usd|dollars?|gbp|pounds?|cny|元|欧元|美元|英镑))"
MOST = 10  # candidates that are looked at


def name_priced(text: str) -> str | None:
    """What is named by a message that asks for its price and says nothing else; folded."""
    plain = fold(text).strip(" \t\n.,!?;。！？")
    match = _BARE.fullmatch(plain)
    if match is None or (match["en"] and not _PRICE.search(plain)):
        return None
    return (match["en"] or match["zh"]).strip()


def priced(request: str, ranked: Sequence[Candidate], lookup: Lookup, lang: str) -> list[Candidate]:
    """``ranked``, best first, with the article that states the price asked for instead of one that asks for another
    price by its title; as it is where none does, or something else is asked."""
    name = name_priced(request)
    best = ranked[0] if ranked else None
    title = fold(best.hit.title if best is not None and best.hit is not None else best.title) if best else ""
    if name is None or best is None or name in title or "money" not in asked_for(title):
        return list(ranked)
    stated = []
    for place, candidate in enumerate(ranked[1:MOST], start=1):
        passages = lookup.passages(candidate.article_slug, lang) if candidate.article_slug else []
        hit = _stating(name, passages)
        if hit is not None:
            stated.append((name not in fold(hit.title), place, hit))
    if not stated:
        return list(ranked)
    _, place, hit = min(stated, key=lambda one: one[:2])
    told = replace(ranked[place], probability=best.probability, hit=hit)
    rest = [candidate for at, candidate in enumerate(ranked) if at not in (0, place)]
    return [told, *rest]


def _stating(name: str, passages: Sequence[Hit]) -> Hit | None:
    """The first passage with an amount right behind the name."""
    found = re.compile(
        rf"(?<!\w){re.escape(name)}(?:\s*[:(：（,，–-]\s*|\s+(?:costs?|is|at)\s+|\s*(?:只要|是|售价)?\s*){_AMOUNT}"
    )
    return next((hit for hit in passages if found.search(fold(hit.text))), None)
